"""Tables of recurrences, their occurrences, and the calendar feeds."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from clipcast.db.base import Base, JsonColumn, UtcDateTime, new_id


class Recurrence(Base):
    """A post that comes again and again. Its times are local ones, without offset: 9:00 stays 9:00 when clocks are changed."""

    __tablename__ = "recurrences"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    rule: Mapped[str] = mapped_column(String(500))
    starts_at: Mapped[datetime] = mapped_column(DateTime())
    timezone: Mapped[str] = mapped_column(String(64))
    #: The post as `PostTemplate` says it.
    template: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    #: Every occurrence up to this local time has been made into a post, or has been given up with a reason.
    made_until: Mapped[datetime] = mapped_column(DateTime())
    #: When the next occurrence has to be made; None when there is none any more.
    look_again_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    #: Cancelled from this local time on.
    ends_before: Mapped[datetime | None] = mapped_column(DateTime())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Occurrence(Base):
    """One time that a recurrence comes, once it was made into a post or left out. Its key is the local time that the rule gives it."""

    __tablename__ = "occurrences"

    recurrence_id: Mapped[str] = mapped_column(ForeignKey("recurrences.id"), primary_key=True)
    local_time: Mapped[datetime] = mapped_column(DateTime(), primary_key=True)
    #: Somebody left it out.
    skipped: Mapped[bool] = mapped_column(default=False)
    post_id: Mapped[str | None] = mapped_column(ForeignKey("posts.id"), index=True)
    #: Why it could not be made into a post.
    trouble: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CalendarFeed(Base):
    """An address at which a calendar program reads the posts without signing in. We keep its token's hash alone."""

    __tablename__ = "calendar_feeds"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    #: Whose it is, and with whom it ends; both None: the command line made it.
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
