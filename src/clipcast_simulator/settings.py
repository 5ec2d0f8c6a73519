"""What can be turned on a simulator: the delays, the failure rate, and each platform's undocumented corners."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TikTokKnobs(BaseModel):
    """The places where TikTok's documentation is silent or contradicts itself. The defaults are the strict reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size_unit: Literal["MB", "MiB"] = "MB"  #: whether the 64 and 128 "MB" of the chunk rules are decimal or binary
    content_range_reply: Literal["count", "index", "absent"] = "count"  #: what the PUT's answer says of the progress
    stored_range_again: Literal["refuse", "accept"] = "refuse"  #: a PUT of bytes that are already stored: 416 or 206
    single_chunk_smaller: Literal["refuse", "accept"] = "refuse"  #: one chunk declared smaller than a file <= 64 MB
    put_success: Literal["documented", "200"] = "documented"  #: 206 and 201, or the 200 that some clients have seen
    upload_authorization: Literal["refuse", "ignore"] = "refuse"  #: an Authorization header on the PUT
    refresh_rotation: Literal["always", "never", "old_token_dies"] = "old_token_dies"
    refresh_life: Literal["extended", "fixed"] = "extended"  #: whether refreshing starts the 365 days anew
    pkce: Literal["required", "optional"] = "required"
    oauth_error_status: Literal[400, 200] = 400
    unknown_publish_id: Literal["message", "code"] = "message"  #: `invalid_publish_id` as the message or as the code
    cancel_file_upload: Literal["refuse", "accept"] = "refuse"
    brand_content_private: Literal["refuse", "accept"] = "refuse"  #: branded content with SELF_ONLY
    per_minute_limits: Literal["enforce", "off"] = "enforce"  #: off is for benchmarks of the client alone
    webhook_duplicate: bool = False
    webhook_reorder: bool = False
    webhook_stale_t: bool = False  #: retries carry the first attempt's `t` instead of a fresh one


class YouTubeKnobs(BaseModel):
    """The places where YouTube's documentation is silent or contradicts itself. The defaults are the strict reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    session_authorization: Literal["required", "optional"] = "required"  #: on requests to a session URI
    wrong_offset: Literal[416, 308, 400, 503] = 416  #: what answers a gap or an overlap; nothing is stored in any case
    final_status: Literal[201, 200] = 201
    range_header: Literal["bytes", "bare"] = "bytes"  #: `bytes=0-N`, or `0-N` as the guide has it in one place
    missing_title: Literal["refuse", "unknown"] = "refuse"
    past_publish_at: Literal["refuse", "publish"] = "refuse"  #: on insert
    unprocessed_duration: Literal["PT0S", "P0D"] = "PT0S"
    duplicates: Literal["accept", "reject"] = "accept"  #: the same bytes again on one channel
    force_private: bool = False  #: the lock on unverified projects, lifted on 2026-11-02
    testing_mode: bool = False  #: the consent screen's status is Testing: refresh tokens live 7 days
    quotas: Literal["enforce", "off"] = "enforce"  #: off is for benchmarks of the client alone
    playlist_lag_s: float = Field(default=0.0, ge=0)  #: until a new video shows in the uploads playlist
    list_lag_s: float = Field(default=0.0, ge=0)  #: until videos.list knows a new video
    session_life_s: float = Field(default=604_800.0, ge=0)  #: of an unfinished upload session
    replay_life_s: float = Field(default=86_400.0, ge=0)  #: how long a finished session repeats its answer


class SimulatorSettings(BaseModel):
    """The simulator's settings, in seconds and probabilities; stored in the state directory and changed over HTTP."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    delay_min_s: float = Field(default=0.1, ge=0, le=60)
    delay_max_s: float = Field(default=0.3, ge=0, le=60)
    failure_rate: float = Field(default=0.1, ge=0, le=1)
    seed: int = 0
    processing_s: float = Field(default=1.0, ge=0)  #: from the last byte to the platform's verdict
    moderation_s: float = Field(default=5.0, ge=0)  #: from publication to the public post id
    early_invalid_s: float = Field(default=0.0, ge=0)  #: how long a fresh publish id is unknown to the status endpoint
    tiktok: TikTokKnobs = TikTokKnobs()
    youtube: YouTubeKnobs = YouTubeKnobs()

    @model_validator(mode="after")
    def _delays_are_ordered(self) -> "SimulatorSettings":
        if self.delay_max_s < self.delay_min_s:
            raise ValueError("delay_max_s is below delay_min_s")
        return self


def quiet(**changes: object) -> SimulatorSettings:
    """Return settings without delay or chance: what a test wants, unless it scripts something.

    >>> quiet().failure_rate
    0.0
    """
    calm: dict[str, object] = {
        "delay_min_s": 0.0,
        "delay_max_s": 0.0,
        "failure_rate": 0.0,
        "processing_s": 0.0,
        "moderation_s": 0.0,
    }
    return SimulatorSettings.model_validate(calm | changes)


def media_directory(state_dir: Path) -> Path:
    """Return where a state directory keeps the bytes it received."""
    return state_dir / "media"
