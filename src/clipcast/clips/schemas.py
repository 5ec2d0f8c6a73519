"""Clips as the HTTP interface speaks of them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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
