"""Clips as the HTTP interface speaks of them."""

from datetime import datetime
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from clipcast.clips.conversions import Conversion
from clipcast.clips.models import Clip, Rendition
from clipcast.platforms.forms import purpose_of

_FACTS: Final = (
    "content_type",
    "size_bytes",
    "sha256",
    "duration_s",
    "width",
    "height",
    "frame_rate",
    "video_codec",
    "audio_codec",
    "created_at",
)


class ClipByUrl(BaseModel):
    """Asks for a clip to be fetched."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(description="Where to fetch the file: http or https, without a user name.", examples=["https://example.com/clip.mp4"])
    slideshow_of: list[str] = Field(default=[], max_length=100, description="Ids of the images that this video shows one after the other.")


class ClipOut(BaseModel):
    """One video or image."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: Literal["video", "image"]
    file_name: str
    size_bytes: int
    sha256: str
    content_type: str = Field(description="By the file's content, whatever its name says.")
    duration_s: float | None
    width: int = Field(description="Pixels, after the rotation that the file asks for.")
    height: int
    frame_rate: float | None = Field(description="Frames per second on average.")
    video_codec: str | None
    audio_codec: str | None
    slideshow_clip_id: str | None = Field(
        description="The slideshow video that shows this image; such an image is not published on its own."
    )
    created_at: datetime


class ClipPage(BaseModel):
    """Some clips, newest first."""

    clips: list[ClipOut]
    next: str | None = Field(description="Pass as `before` for the page after this one; null on the last page.")


class RenditionWanted(BaseModel):
    """Asks for a form of a clip that a platform takes."""

    model_config = ConfigDict(extra="forbid")

    platform: Literal["instagram", "tiktok", "youtube"]
    mode: str = Field(default="", max_length=20, description="The kind of post, where a platform's limits depend on it: `story`.")


class RenditionOut(BaseModel):
    """Another form of a clip, or the conversion that makes it.

    Of conversions, a server knows its own: those that publications wait for may run in another process, and show in their notes.
    """

    model_config = ConfigDict(from_attributes=True)

    clip_id: str
    purpose: str = Field(description="`original`, `jpeg`, or `fit-` and what it is made for.")
    state: Literal["ready", "waiting", "running", "failed"]
    progress: float = Field(description="From 0 to 1.")
    error_message: str | None
    content_type: str | None
    size_bytes: int | None
    sha256: str | None
    duration_s: float | None
    width: int | None
    height: int | None
    frame_rate: float | None
    video_codec: str | None
    audio_codec: str | None
    created_at: datetime | None

    @classmethod
    def of(cls, found: Clip | Rendition | Conversion) -> Self:
        """A finished form, the original itself, or a conversion under way."""
        match found:
            case Conversion(clip_id=clip_id, state=state, progress=progress, error_message=error_message):
                unknown: dict[str, Any] = dict.fromkeys(_FACTS)
                return cls(
                    clip_id=clip_id, purpose=purpose_of(found.form), state=state, progress=progress, error_message=error_message, **unknown
                )
            case Clip():
                clip_id, purpose = found.id, "original"
            case Rendition():
                clip_id, purpose = found.clip_id, found.purpose
        facts = {name: getattr(found, name) for name in _FACTS}
        return cls(clip_id=clip_id, purpose=purpose, state="ready", progress=1.0, error_message=None, **facts)


class RenditionList(BaseModel):
    """What there is of a clip besides the original, and what is being made."""

    renditions: list[RenditionOut]
