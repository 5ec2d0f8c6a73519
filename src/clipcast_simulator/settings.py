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


class InstagramKnobs(BaseModel):
    """The places where Instagram's documentation is silent or contradicts itself. The defaults are the strict reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    image_processing_s: float | None = Field(default=None, ge=0)  #: of an image or a carousel's parent; None: 2 times processing_s
    video_processing_s: float | None = Field(default=None, ge=0)  #: from a video's last byte to the verdict; None: 20 times processing_s
    processing_spread: float = Field(default=0.0, ge=0, le=1)  #: how far chance moves those two, as a part of them
    foreign_container: Literal[2207008, 2207006] = 2207008  #: publishing an expired, unknown or foreign container
    republish: Literal["24/2207008", "9007/2207027", "same-id"] = "24/2207008"  #: publishing a PUBLISHED container; never a second post
    quota_total: int = Field(default=50, ge=0)  #: posts per 24 hours; the documentation says 50 and 100
    quota_counts_stories: bool = True
    container_cap: int = Field(default=400, ge=0)  #: containers per 24 hours
    container_cap_subcode: Literal[2207069, 2207042] = 2207069
    carousel_children: Literal["existing", "finished"] = "existing"  #: what a child must be when its parent is made
    ig_resumable: Literal["refuse", "allow"] = "refuse"  #: upload_type=resumable with a token of Instagram Login
    upload_status: Literal["family", "400"] = "family"  #: 206 and 412 as elsewhere on the upload host, or 400
    upload_tail: Literal["kept", "lost"] = "kept"  #: what a broken connection does to the last 64 KiB that arrived
    phase_complete: Literal["complete", "completed"] = "complete"  #: the word for a finished phase in video_status
    error_status: Literal["text", "number"] = "text"  #: how a failed container's `status` names its error
    code_answer: Literal["data", "flat"] = "data"  #: what the code exchange answers: as documented, or as clients read it
    me_answer: Literal["data", "flat"] = "data"
    refresh_early_code: Literal[190, 100, 10] = 190  #: refreshing a token that is younger than 24 hours
    refresh_old: Literal["lives", "dies"] = "lives"  #: what becomes of the refreshed token
    refresh_private: Literal["accept", "refuse"] = "accept"  #: refreshing the token of a private account
    expired_subcode: Literal[463, 0] = 463
    usage_headers: Literal["always", "off"] = "always"
    call_budget: int = Field(default=48_000, ge=1)  #: calls per app and account in 24 hours: 4800 times the impressions
    error_locale: Literal["en", "random"] = "en"  #: the language of error_user_title and error_user_msg
    caption_mentions: Literal["kept", "stripped"] = "kept"  #: whether a caption that is read back has its @
    container_layout: Literal["any", "enforce"] = "any"  #: whether edit lists and a late moov box fail a video
    reel_bytes: int = Field(default=300_000_000, ge=1)
    story_video_bytes: int = Field(default=100_000_000, ge=1)


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
    instagram: InstagramKnobs = InstagramKnobs()
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
