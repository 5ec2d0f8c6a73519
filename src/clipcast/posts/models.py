"""The tables of what the user composes."""

from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from clipcast.db.base import Base, JsonColumn, UtcDateTime, new_id

Stage: TypeAlias = Literal["draft", "released", "cancelled"]

_HELD: Final = text("draft IS NOT NULL")
_JsonOrNothing: Final = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Post(Base):
    """A composed post: texts, media, and when. Each of its targets is a publication of its own, from when it is released."""

    __tablename__ = "posts"
    __table_args__ = (Index("ix_posts_drafts", "id", postgresql_where=_HELD, sqlite_where=_HELD),)

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
    #: All that a draft asks for (`PostIn` without a time); None from its release on, when publications say it.
    draft: Mapped[dict[str, Any] | None] = mapped_column(_JsonOrNothing)
    #: When a draft was thrown away; what was released is cancelled publication by publication.
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def stage(self) -> Stage:
        """`draft` while nobody sends it, `cancelled` once that draft was thrown away, `released` when its publications say the rest."""
        if self.cancelled_at is not None:
            return "cancelled"
        return "released" if self.draft is None else "draft"


class PostClip(Base):
    """The media of a post, in order."""

    __tablename__ = "post_clips"

    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    clip_id: Mapped[str] = mapped_column(ForeignKey("clips.id"), index=True)
