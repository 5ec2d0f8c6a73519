"""Tables of the media: clips and their renditions."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from clipcast.db.base import Base, UtcDateTime, new_id

JPEG: Final = "jpeg"
"""The purpose under which a JPEG of a PNG is stored."""


class Clip(Base):
    """One video or image. The same bytes are one clip, however often they come in."""

    __tablename__ = "clips"
    __table_args__ = (CheckConstraint("kind IN ('video', 'image')", name="kind"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(10))
    file_name: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    storage_key: Mapped[str] = mapped_column(String(200))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str] = mapped_column(String(100))
    width: Mapped[int]
    height: Mapped[int]
    duration_s: Mapped[float | None]
    frame_rate: Mapped[float | None]
    video_codec: Mapped[str | None] = mapped_column(String(40))
    audio_codec: Mapped[str | None] = mapped_column(String(40))
    thumbnail_key: Mapped[str | None] = mapped_column(String(200))
    #: The slideshow video that this image was a source of: such an image is not published on its own.
    slideshow_clip_id: Mapped[str | None] = mapped_column(ForeignKey("clips.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Rendition(Base):
    """Another form of a clip that a platform takes where it refuses the original: a JPEG of a PNG, an MP4 of a WebM.

    `purpose` says which: `jpeg`, or `fit-` and the platform's form. There is one of each, and it never changes: uploads may be reading it.
    """

    __tablename__ = "renditions"
    __table_args__ = (Index("ix_renditions_clip_id_purpose", "clip_id", "purpose", unique=True),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    clip_id: Mapped[str] = mapped_column(ForeignKey("clips.id"))
    purpose: Mapped[str] = mapped_column(String(40))
    storage_key: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str] = mapped_column(String(100))
    width: Mapped[int]
    height: Mapped[int]
    duration_s: Mapped[float | None]
    frame_rate: Mapped[float | None]
    video_codec: Mapped[str | None] = mapped_column(String(40))
    audio_codec: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
