"""TikTok's answers, parsed. Only `error.code == "ok"` is a yes, whatever the HTTP status; fields may be missing or null at any time."""

from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from clipcast.platforms.base import Answer, JsonValue
from clipcast.platforms.tiktok.errors import refusal, unreadable, words
from clipcast.platforms.tiktok.states import Creator


def _absent_as_empty(value: JsonValue) -> JsonValue:
    return "" if value is None else value


def _absent_as_none(value: JsonValue) -> JsonValue:
    return () if value is None else value


Text = Annotated[str, BeforeValidator(_absent_as_empty)]
Switch = Annotated[bool, BeforeValidator(bool)]


class _Answered(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Created(_Answered):
    """What init answers; `upload_url` only when we send the bytes."""

    publish_id: str
    upload_url: Text = ""


class Status(_Answered):
    """How a post is doing.

    Source: https://developers.tiktok.com/doc/content-posting-api-reference-get-video-status (undated copy; the id field is misspelled
    there and on the wire)
    """

    status: Text = ""
    fail_reason: Text = ""
    publicaly_available_post_id: Annotated[tuple[str, ...], BeforeValidator(_absent_as_none)] = ()
    uploaded_bytes: int | None = None


class ListedPost(_Answered):
    """One of the creator's public posts."""

    id: str
    create_time: int = 0
    share_url: Text = ""
    title: Text = ""
    video_description: Text = ""


class ListedPosts(_Answered):
    """The newest public posts."""

    videos: Annotated[tuple[ListedPost, ...], BeforeValidator(_absent_as_none)] = ()


class _CreatorInfo(_Answered):
    creator_username: Text = ""
    privacy_level_options: Annotated[tuple[str, ...], BeforeValidator(_absent_as_none)] = ()
    comment_disabled: Switch = False
    duet_disabled: Switch = False
    stitch_disabled: Switch = False
    max_video_post_duration_sec: int | None = None


_Model = TypeVar("_Model", bound=_Answered)


def accepted(answer: Answer, model: type[_Model]) -> _Model:
    """The `data` of an answer that is a yes.

    Raises:
        PlatformError: TikTok refused, had trouble, or answered what cannot be understood.
    """
    must_be_yes(answer)
    try:
        return model.model_validate(answer.json().get("data") or {})
    except ValidationError:
        raise unreadable(answer) from None


def must_be_yes(answer: Answer) -> None:
    """Nothing, when the answer's code is `ok`.

    Raises:
        PlatformError: it is not.
    """
    code, _, _ = words(answer)
    if code != "ok":
        raise refusal(answer)


def creator(answer: Answer, now: datetime) -> Creator:
    """What `creator_info` says; raises as `accepted` does."""
    said = accepted(answer, _CreatorInfo)
    return Creator(
        username=said.creator_username,
        asked_at=now,
        privacy_levels=said.privacy_level_options,
        comment_disabled=said.comment_disabled,
        duet_disabled=said.duet_disabled,
        stitch_disabled=said.stitch_disabled,
        max_duration_s=said.max_video_post_duration_sec,
    )
