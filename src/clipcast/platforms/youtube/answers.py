"""YouTube's answers, parsed. Fields may be missing or null at any time; numbers come as strings."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from clipcast.platforms.base import Answer, JsonValue
from clipcast.platforms.youtube.errors import refusal, unreadable
from clipcast.platforms.youtube.states import Channel


def _absent_as_empty(value: JsonValue) -> JsonValue:
    return "" if value is None else value


def _absent_as_object(value: JsonValue) -> JsonValue:
    return {} if value is None else value


def _absent_as_none(value: JsonValue) -> JsonValue:
    return () if value is None else value


def _moment(value: JsonValue) -> JsonValue:
    """A time, or None where there is none that can be read: an odd time must not cost a video id."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _size(value: JsonValue) -> JsonValue:
    """A number of bytes, which comes as a string of digits; None for anything else."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20 else None


Text = Annotated[str, BeforeValidator(_absent_as_empty)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Switch = Annotated[bool, BeforeValidator(bool)]


class _Answered(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, populate_by_name=True)


class _VideoSnippet(_Answered):
    title: Text = ""
    published_at: Moment = Field(default=None, alias="publishedAt")


class _VideoStatus(_Answered):
    upload_status: Text = Field(default="", alias="uploadStatus")
    failure_reason: Text = Field(default="", alias="failureReason")
    rejection_reason: Text = Field(default="", alias="rejectionReason")
    privacy: Text = Field(default="", alias="privacyStatus")
    publish_at: Moment = Field(default=None, alias="publishAt")
    made_for_kids: Switch = Field(default=False, alias="madeForKids")


class _ProcessingDetails(_Answered):
    status: Text = Field(default="", alias="processingStatus")
    failure_reason: Text = Field(default="", alias="processingFailureReason")


class _FileDetails(_Answered):
    size_bytes: Annotated[int | None, BeforeValidator(_size)] = Field(default=None, alias="fileSize")


class Video(_Answered):
    """A video of this channel, as far as the parts that were asked for tell.

    Source: https://developers.google.com/youtube/v3/docs/videos (mirror, read 2026-11-20)
    """

    id: str = Field(min_length=1, max_length=100)
    snippet: Annotated[_VideoSnippet, BeforeValidator(_absent_as_object)] = _VideoSnippet()
    status: Annotated[_VideoStatus, BeforeValidator(_absent_as_object)] = _VideoStatus()
    processing: Annotated[_ProcessingDetails, BeforeValidator(_absent_as_object)] = Field(
        default=_ProcessingDetails(), alias="processingDetails"
    )
    file: Annotated[_FileDetails, BeforeValidator(_absent_as_object)] = Field(default=_FileDetails(), alias="fileDetails")


class _Videos(_Answered):
    items: Annotated[tuple[Video, ...], BeforeValidator(_absent_as_none)] = ()


class _ItemDetails(_Answered):
    video_id: Text = Field(default="", alias="videoId")


class _ItemSnippet(_Answered):
    published_at: Moment = Field(default=None, alias="publishedAt")


class ListedUpload(_Answered):
    """One entry of the channel's list of uploads: which video, and when it was added."""

    details: Annotated[_ItemDetails, BeforeValidator(_absent_as_object)] = Field(default=_ItemDetails(), alias="contentDetails")
    snippet: Annotated[_ItemSnippet, BeforeValidator(_absent_as_object)] = _ItemSnippet()


class Uploads(_Answered):
    """The first page of the channel's uploads, newest first."""

    items: Annotated[tuple[ListedUpload, ...], BeforeValidator(_absent_as_none)] = ()
    next_page: Text = Field(default="", alias="nextPageToken")


class _RelatedPlaylists(_Answered):
    uploads: Text = ""


class _ChannelDetails(_Answered):
    playlists: Annotated[_RelatedPlaylists, BeforeValidator(_absent_as_object)] = Field(
        default=_RelatedPlaylists(), alias="relatedPlaylists"
    )


class _ChannelStatus(_Answered):
    long_uploads: Text = Field(default="", alias="longUploadsStatus")


class _Channel(_Answered):
    id: Text = ""
    details: Annotated[_ChannelDetails, BeforeValidator(_absent_as_object)] = Field(default=_ChannelDetails(), alias="contentDetails")
    status: Annotated[_ChannelStatus, BeforeValidator(_absent_as_object)] = _ChannelStatus()


class _ChannelSnippet(_Answered):
    title: Text = ""
    handle: Text = Field(default="", alias="customUrl")


class OwnChannel(_Answered):
    """The channel that a consent is good for."""

    id: Text = ""
    snippet: Annotated[_ChannelSnippet, BeforeValidator(_absent_as_object)] = _ChannelSnippet()

    @property
    def name(self) -> str:
        """What people know it by: its @handle, else its title."""
        return self.snippet.handle.strip().removeprefix("@") or self.snippet.title.strip() or self.id


class _OwnChannels(_Answered):
    items: Annotated[tuple[OwnChannel, ...], BeforeValidator(_absent_as_none)] = ()


class _Channels(_Answered):
    items: Annotated[tuple[_Channel, ...], BeforeValidator(_absent_as_none)] = ()


_Model = TypeVar("_Model", bound=_Answered)


def accepted(answer: Answer, model: type[_Model], now: datetime) -> _Model:
    """The content of an answer that is a yes.

    Raises:
        PlatformError: YouTube refused, had trouble, or answered what cannot be understood.
    """
    if answer.status not in (200, 201):
        raise refusal(answer, now)
    content: Any = answer.json()
    if not isinstance(content, dict):
        raise unreadable(answer, now)
    try:
        return model.model_validate(content)
    except ValidationError:
        raise unreadable(answer, now) from None


def created_video(answer: Answer) -> Video | None:
    """The video in an upload's last answer; None when there is none to be read in it, although YouTube says that it has one."""
    content: Any = answer.json()
    try:
        return Video.model_validate(content) if isinstance(content, dict) else None
    except ValidationError:
        return _bare(content)


def _bare(content: dict[str, Any]) -> Video | None:
    """Only the id, where the rest of the resource is not what it should be."""
    video_id = content.get("id")
    return Video(id=video_id) if isinstance(video_id, str) and 1 <= len(video_id) <= 100 else None


def videos(answer: Answer, now: datetime) -> dict[str, Video]:
    """The videos of a list answer by id; raises as `accepted` does."""
    return {video.id: video for video in accepted(answer, _Videos, now).items}


def channel(answer: Answer, now: datetime) -> Channel | None:
    """The account's channel, or None when it has none; raises as `accepted` does."""
    items = accepted(answer, _Channels, now).items
    if not items or not items[0].id:
        return None
    return Channel(items[0].id, uploads=items[0].details.playlists.uploads, long_uploads=items[0].status.long_uploads)


def own_channel(answer: Answer, now: datetime) -> OwnChannel | None:
    """The consenting account's channel with its names, or None when it has none; raises as `accepted` does."""
    items = accepted(answer, _OwnChannels, now).items
    return items[0] if items and items[0].id else None
