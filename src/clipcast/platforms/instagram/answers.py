"""Instagram's answers, parsed. Fields may be missing or null at any time; a yes is HTTP 200 with an object that is no error."""

from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from clipcast.errors import PlatformError
from clipcast.platforms.base import Answer, JsonValue, Told
from clipcast.platforms.instagram.errors import is_yes, refusal, unreadable


def _absent_as_empty(value: JsonValue) -> JsonValue:
    return "" if value is None else value


def _absent_as_none(value: JsonValue) -> JsonValue:
    return () if value is None else value


def _absent_as_object(value: JsonValue) -> JsonValue:
    return {} if value is None else value


def _moment(value: JsonValue) -> datetime | None:
    """`2019-09-26T22:36:43+0000`; a post without a readable time cannot be recognised as ours."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo else None


Text = Annotated[str, BeforeValidator(_absent_as_empty)]


class _Answered(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Created(_Answered):
    """A container, or a published post: its id; `uri` only where we send the bytes."""

    id: str = Field(min_length=1)
    uri: Text = ""


class Phase(_Answered):
    """One step of a resumable upload."""

    status: Text = ""
    bytes_transferred: int | None = None


class VideoStatus(_Answered):
    """How far a resumable upload is."""

    uploading_phase: Annotated[Phase, BeforeValidator(_absent_as_object)] = Phase()


class Container(_Answered):
    """How a container is doing.

    Source: https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-container (undated copy)
    """

    status_code: Text = ""
    status: Text = ""
    video_status: Annotated[VideoStatus, BeforeValidator(_absent_as_object)] = VideoStatus()


class _Config(_Answered):
    quota_total: int | None = None


class _Limit(_Answered):
    quota_usage: int | None = None
    config: Annotated[_Config, BeforeValidator(_absent_as_object)] = _Config()


class Limits(_Answered):
    """How many posts the last 24 hours have seen, and how many may be; the list may be empty."""

    data: Annotated[tuple[_Limit, ...], BeforeValidator(_absent_as_none)] = ()

    @property
    def used(self) -> int | None:
        """Posts of the last 24 hours; None when Instagram does not say."""
        return self.data[0].quota_usage if self.data else None

    @property
    def total(self) -> int | None:
        """Posts that 24 hours may see; None when Instagram does not say."""
        return self.data[0].config.quota_total if self.data else None


def daily_limit(answer: Answer) -> Told | None:
    """The account's limit of posts a day, where this answer tells it."""
    try:
        said = accepted(answer, Limits)
    except PlatformError:
        return None
    return None if said.used is None or said.total is None else Told("posts per day", said.used, said.total, 86_400.0)


class Media(_Answered):
    """A published post, as lists and single reads show it; which fields there are depends on the kind of login."""

    id: Text = ""
    caption: str | None = None
    media_type: Text = ""
    media_product_type: Text = ""
    permalink: Text = ""
    timestamp: Annotated[datetime | None, BeforeValidator(_moment)] = None


class MediaList(_Answered):
    """The newest posts."""

    data: Annotated[tuple[Media, ...], BeforeValidator(_absent_as_none)] = ()


_Model = TypeVar("_Model", bound=_Answered)


def accepted(answer: Answer, model: type[_Model]) -> _Model:
    """What an answer that is a yes holds.

    Raises:
        PlatformError: Instagram refused, had trouble, or answered what cannot be understood.
    """
    if not is_yes(answer):
        raise refusal(answer)
    try:
        return model.model_validate(answer.json())
    except ValidationError:
        raise unreadable(answer) from None
