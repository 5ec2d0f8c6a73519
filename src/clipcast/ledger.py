"""The append-only ledger: what happened, in an order that nobody can rewrite unnoticed.

The events of one stream (a publication, an account) are numbered from 1, and each one's hash covers the event and the hash before it;
`LedgerHead` holds the last number and hash. The database refuses UPDATE and DELETE, and `verify` finds what was changed by someone who
got around that: an altered event, one taken out of the middle, events cut off the end, an altered head. What it cannot find is a stream
removed together with its head, or rewritten as a whole by someone who recomputes every hash: keep copies of the heads elsewhere for that.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, cast

from sqlalchemy import RowMapping, String, Table, UniqueConstraint, bindparam, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from clipcast.db.base import Base, JsonColumn, UtcDateTime, new_id
from clipcast.log import redacted

PUBLISH_STARTED: Final = "publish_started"
PUBLISH_PROVIDER_READY: Final = "publish_provider_ready"
PUBLISH_PROVIDER_FALLBACK: Final = "publish_provider_fallback"
PUBLISH_UPLOADING: Final = "publish_uploading"
PUBLISH_PROCESSING: Final = "publish_processing"
PUBLISH_UNCERTAIN: Final = "publish_uncertain"
PUBLISH_RETRY_SCHEDULED: Final = "publish_retry_scheduled"
PUBLISH_SUCCESSFUL: Final = "publish_successful"
PUBLISH_FAILED: Final = "publish_failed"
PUBLISH_CANCELLED: Final = "publish_cancelled"
PUBLISH_LINK_FOUND: Final = "publish_link_found"
PUBLISH_STARTED_OVER: Final = "publish_started_over"
PUBLISH_MISSED: Final = "publish_missed"
OCCURRENCE_MISSED: Final = "occurrence_missed"

ACCOUNT_ADDED: Final = "account_added"
ACCOUNT_CHANGED: Final = "account_changed"
ACCOUNT_LINKED: Final = "account_linked"
ACCOUNT_RELINKED: Final = "account_relinked"
ACCOUNT_DISCONNECTED: Final = "account_disconnected"
ACCOUNT_DELETED: Final = "account_deleted"
ACCOUNT_EXPIRED: Final = "account_expired"
ACCOUNT_RECOVERED: Final = "account_recovered"
PERSON_INVITED: Final = "person_invited"
INVITATION_WITHDRAWN: Final = "invitation_withdrawn"
PASSWORD_LINK_MADE: Final = "password_link_made"  # noqa: S105  # the name of an event
PERSON_CREATED: Final = "person_created"
PERSON_CHANGED: Final = "person_changed"
PERSON_DELETED: Final = "person_deleted"
PERSON_SIGNED_IN: Final = "person_signed_in"
SIGN_IN_REFUSED: Final = "sign_in_refused"
API_KEY_CREATED: Final = "api_key_created"
API_KEY_REVOKED: Final = "api_key_revoked"

EVENTS: Final = (
    PUBLISH_STARTED,
    PUBLISH_PROVIDER_READY,
    PUBLISH_PROVIDER_FALLBACK,
    PUBLISH_UPLOADING,
    PUBLISH_PROCESSING,
    PUBLISH_UNCERTAIN,
    PUBLISH_RETRY_SCHEDULED,
    PUBLISH_SUCCESSFUL,
    PUBLISH_FAILED,
    PUBLISH_CANCELLED,
    PUBLISH_LINK_FOUND,
    PUBLISH_STARTED_OVER,
    PUBLISH_MISSED,
    OCCURRENCE_MISSED,
    ACCOUNT_ADDED,
    ACCOUNT_CHANGED,
    ACCOUNT_LINKED,
    ACCOUNT_RELINKED,
    ACCOUNT_DISCONNECTED,
    ACCOUNT_DELETED,
    ACCOUNT_EXPIRED,
    ACCOUNT_RECOVERED,
    PERSON_INVITED,
    INVITATION_WITHDRAWN,
    PASSWORD_LINK_MADE,
    PERSON_CREATED,
    PERSON_CHANGED,
    PERSON_DELETED,
    PERSON_SIGNED_IN,
    SIGN_IN_REFUSED,
    API_KEY_CREATED,
    API_KEY_REVOKED,
)

_BEGINNING: Final = "0" * 64
"""What stands for the hash before a stream's first event."""
_ROWS_AT_ONCE: Final = 1000
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""NUL and halves of surrogate pairs, which JSONB refuses; they come in with broken answers of others."""


class LedgerEvent(Base):
    """What happened, for ever: the database itself refuses UPDATE and DELETE (see the migration's triggers).

    The events of one `stream` form a chain: each `hash` covers the event and the hash before it.
    """

    __tablename__ = "ledger_events"
    __table_args__ = (UniqueConstraint("stream", "sequence"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    stream: Mapped[str] = mapped_column(String(80))
    sequence: Mapped[int]
    event: Mapped[str] = mapped_column(String(60), index=True)
    entity_type: Mapped[str] = mapped_column(String(20))
    entity_id: Mapped[str] = mapped_column(String(36), index=True)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JsonColumn)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class LedgerHead(Base):
    """Where each stream ends, so that events cut off its end are missed too; locked while one is appended."""

    __tablename__ = "ledger_heads"

    stream: Mapped[str] = mapped_column(String(80), primary_key=True)
    sequence: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


# Built once: an event is written at every turn of a publication, and building a statement costs more than running it.
_EVENTS: Final = cast("Table", LedgerEvent.__table__)
_HEADS: Final = cast("Table", LedgerHead.__table__)
_NEXT_PLACE: Final = {
    dialect: upsert(_HEADS)
    .values(stream=bindparam("stream"), sequence=1, hash=_BEGINNING)
    .on_conflict_do_update(index_elements=["stream"], set_={"sequence": _HEADS.c.sequence + 1})
    .returning(_HEADS.c.sequence, _HEADS.c.hash)
    for dialect, upsert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_APPEND: Final = insert(_EVENTS)
_MOVE_HEAD: Final = update(_HEADS).where(_HEADS.c.stream == bindparam("moved_stream"))


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that is not as it was written; `sentence` is for a person."""

    stream: str
    sequence: int
    sentence: str


def record(
    session: Session,
    *,
    stream: str,
    event: str,
    entity_type: str,
    entity_id: str,
    now: datetime,
    details: Mapping[str, Any],
) -> None:
    """Append one event, as part of the caller's writing transaction.

    `details` are fields that the caller chose one by one (ids, platform, codes, sentences): never a caption, a token, a signed URL or a
    platform's whole answer. Whatever has the shape of a secret all the same is masked before it is written.

    Raises:
        ValueError: `details` hold something that is not JSON (an infinite number, an object).
    """
    # The stream's head stays locked until the transaction ends, so that writers on one stream take turns.
    sequence, previous_hash = session.execute(_NEXT_PLACE[session.get_bind().dialect.name], {"stream": stream}).one()
    row = {
        "id": new_id(),
        "stream": stream,
        "sequence": sequence,
        "event": event,
        "entity_type": entity_type,
        "entity_id": entity_id,
        "occurred_at": now,
        "metadata": redacted(_plain(details)),
        "previous_hash": previous_hash,
    }
    row["hash"] = _hash(row)
    session.execute(_APPEND, row)
    session.execute(_MOVE_HEAD, {"moved_stream": stream, "hash": row["hash"]})


def events(
    session: Session,
    *,
    stream: str | None = None,
    entity_id: str | None = None,
    event: str | None = None,
    before: str | None = None,
    limit: int = 100,
) -> list[LedgerEvent]:
    """Events newest first; of one stream, one clip (`entity_id`), one kind, or all. `before` is the id that ended the previous page."""
    # Within a stream the numbers are the truth; between streams ids sort by age.
    query = select(LedgerEvent).order_by(LedgerEvent.id.desc() if stream is None else LedgerEvent.sequence.desc())
    for column, value in ((LedgerEvent.stream, stream), (LedgerEvent.entity_id, entity_id), (LedgerEvent.event, event)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(LedgerEvent.id < before)
    return list(session.scalars(query.limit(limit)))


def verify(session: Session) -> list[Broken]:
    """Everything in the ledger that is not as it was written; empty when all is well. Reads each event once, a thousand at a time."""
    query = (
        select(_EVENTS, LedgerHead.sequence.label("head_sequence"), LedgerHead.hash.label("head_hash"))
        .outerjoin(LedgerHead, LedgerHead.stream == LedgerEvent.stream)
        .order_by(LedgerEvent.stream, LedgerEvent.sequence)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    rows = session.execute(query).mappings()
    streams = groupby(rows, key=lambda row: str(row["stream"]))
    return [broken for stream, group in streams for broken in _check_stream(stream, group)] + _emptied(session)


def _check_stream(stream: str, rows: Iterable[RowMapping]) -> Iterator[Broken]:
    sequence, previous_hash, head = 0, _BEGINNING, None
    for row in rows:
        for sentence in _check_event(row, sequence, previous_hash):
            yield Broken(stream, row["sequence"], sentence)
        sequence, previous_hash = row["sequence"], row["hash"]
        head = (row["head_sequence"], row["head_hash"])
    if head != (sequence, previous_hash):
        yield Broken(stream, sequence, _about_head(stream, sequence, head))


def _check_event(row: RowMapping, last_sequence: int, last_hash: str) -> Iterator[str]:
    name = f"Event {row['sequence']} ({row['event']}) of {row['stream']}"
    if row["sequence"] != last_sequence + 1:
        yield f"{_missing(last_sequence + 1, row['sequence'] - 1)} of {row['stream']}."
    elif row["previous_hash"] != last_hash:
        yield f"{name} does not follow the event before it: one of the two was replaced."
    if _hash(row) != row["hash"]:
        yield f"{name} was altered after it was written."


def _about_head(stream: str, sequence: int, head: tuple[int | None, str | None] | None) -> str:
    """What is wrong where the head does not name the last event."""
    recorded = head[0] if head else None
    if recorded is None:
        return f"The record of where {stream} ends was removed."
    if recorded > sequence:
        return f"{_missing(sequence + 1, recorded)} of {stream}, at its end."
    return f"The record of where {stream} ends was altered: it does not name event {sequence}, the last one."


def _missing(first: int, last: int) -> str:
    return f"Missing: event {first}" if first == last else f"Missing: events {first} to {last}"


def _emptied(session: Session) -> list[Broken]:
    """Streams whose head is there but none of whose events are."""
    has_events = exists().where(LedgerEvent.stream == LedgerHead.stream)
    heads = session.execute(select(LedgerHead.stream, LedgerHead.sequence).where(~has_events).execution_options(yield_per=_ROWS_AT_ONCE))
    return [Broken(stream, 0, f"{_missing(1, sequence)} of {stream}: all of it.") for stream, sequence in heads]


def _hash(row: Mapping[Any, Any]) -> str:
    """SHA-256 over the event in one fixed spelling: the same before it is written and after either database gave it back."""
    names = ("id", "stream", "sequence", "event", "entity_type", "entity_id", "occurred_at", "metadata", "previous_hash")
    spelled = json.dumps(_plain({name: row[name] for name in names}), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(spelled.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """The value as both databases give it back: JSON without times, whole numbers spelled as floats, or what JSONB refuses."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case str():
            return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case Mapping():
            return {_plain(str(name)): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    raise ValueError(f"the ledger holds JSON only, and {type(value).__name__} is none")
