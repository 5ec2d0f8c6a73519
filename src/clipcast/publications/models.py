"""Tables of the heart: publications (the publish log and the driver's state in one row), accounts of drafts, keys, counted requests."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from clipcast.db.base import Base, JsonColumn, UtcDateTime, Words, new_id
from clipcast.publications.states import State

_STATES = ", ".join(f"'{state}'" for state in State)
_DUE = text("next_action_at IS NOT NULL")
_OUT = text("lease_token IS NULL AND lease_until IS NOT NULL")
_TAKEN = text("slot_at IS NOT NULL AND state <> 'cancelled'")


class Publication(Base):
    """One post going to one account: the row is the job, and its state is the truth."""

    __tablename__ = "publications"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("platform IN ('instagram', 'tiktok', 'youtube')", name="platform"),
        Index("ix_publications_due", "next_action_at", postgresql_where=_DUE, sqlite_where=_DUE),
        Index("ix_publications_due_by_platform", "platform", "next_action_at", postgresql_where=_DUE, sqlite_where=_DUE),
        Index("ix_publications_out", "next_action_at", postgresql_where=_OUT, sqlite_where=_OUT),
        Index("ix_publications_account", "social_account_id", "next_action_at"),
        Index(
            "ix_publications_lease_owner",
            "lease_owner",
            postgresql_where=text("lease_owner IS NOT NULL"),
            sqlite_where=text("lease_owner IS NOT NULL"),
        ),
        Index("ix_publications_clip", "clip_id", "requested_at"),
        Index("ix_publications_content", "content_sha256", "requested_at"),
        Index("uq_publications_slot", "social_account_id", "slot_at", unique=True, postgresql_where=_TAKEN, sqlite_where=_TAKEN),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id"), index=True)
    clip_id: Mapped[str] = mapped_column(ForeignKey("clips.id"))
    platform: Mapped[str] = mapped_column(String(20))
    social_account_id: Mapped[str | None] = mapped_column(ForeignKey("social_accounts.id"))
    #: What is asked of the platform: clip ids, caption, privacy and so on (`OrderForm`).
    order: Mapped[dict[str, Any]] = mapped_column("order_form", JsonColumn)
    #: Of the media and the caption: the same content to the same account twice within a day is probably a mistake.
    content_sha256: Mapped[str | None] = mapped_column(String(64))

    state: Mapped[str] = mapped_column(String(20), default=State.SCHEDULED)
    simulated: Mapped[bool | None]
    external_post_id: Mapped[str | None] = mapped_column(String(200))
    external_url: Mapped[str | None] = mapped_column(String(2000))
    #: The platform's handle of the unfinished post (`publish_id`).
    reference: Mapped[str | None] = mapped_column(String(500), index=True)
    error_code: Mapped[str | None] = mapped_column(Words(100))
    error_message: Mapped[str | None] = mapped_column(Words)
    #: What a person should know although nothing is wrong ("TikTok shows no link for private posts"), or why it waits.
    note: Mapped[str | None] = mapped_column(Words)

    scheduled_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: The slot of its account's queue that it takes; nobody else gets it, unless this is cancelled or moved.
    slot_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Until when it may begin, and what happens afterwards: `skip` or `ask`.
    start_by: Mapped[datetime | None] = mapped_column(UtcDateTime)
    if_missed: Mapped[str | None] = mapped_column(String(10))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When the first byte of its media left for the platform, and when the platform had all that it wanted.
    first_byte_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    #: The platform's flow state, as the platform dumped it; None before the driver began.
    flow: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    #: Set with the intention of the step after which the post may become visible; cancellation ends here.
    irreversible_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    total_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Failures in a row and when the first of them was; both end with the next answer that is a yes.
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(default=1)

    #: When somebody must look at this row next; None when it is final or waits for a person.
    next_action_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None] = mapped_column(String(36))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str | None] = mapped_column(String(100))


class DraftTarget(Base):
    """An account that a draft is meant for. Nothing is published of a draft, but the account must not be deleted under it."""

    __tablename__ = "draft_targets"

    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("social_accounts.id"), primary_key=True, index=True)


class IdempotencyKey(Base):
    """The post that a caller's `Idempotency-Key` created, and the hash of the request it came with."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PacedRequest(Base):
    """A request that a platform's documented limit counts, remembered for as long as its window lasts."""

    __tablename__ = "paced_requests"
    __table_args__ = (Index("ix_paced_requests_window", "pace_key", "label", "sent_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    pace_key: Mapped[str] = mapped_column(String(200))
    label: Mapped[str] = mapped_column(String(60))
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
