"""The tables of what the user composes."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from clipcast.db.base import Base, JsonColumn, UtcDateTime, new_id


class Post(Base):
    """A composed post: texts, media, and when. Each of its targets is a publication of its own."""

    __tablename__ = "posts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    caption: Mapped[str] = mapped_column(Text, default="")
    title: Mapped[str] = mapped_column(Text, default="")
    hashtags: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    options: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    #: The local time in `timezone` that was asked for, without offset; None where a moment was, or a slot.
    asked_for: Mapped[datetime | None] = mapped_column(DateTime())
    #: What becomes of it when it cannot begin at its time (`IfMissed`).
    if_missed: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PostClip(Base):
    """The media of a post, in order."""

    __tablename__ = "post_clips"

    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    clip_id: Mapped[str] = mapped_column(ForeignKey("clips.id"), index=True)
