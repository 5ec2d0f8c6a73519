"""Handing out what is due to workers that are told of it by messages.

A hand-out is a `lease_until` without a `lease_token`: nobody holds the row and whoever comes first may claim it, but it is not handed out
again before then. So a row is told of once, a message that got lost is sent again after a while, and a doubled one finds nothing to do.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from sqlalchemy import ColumnElement, case, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from clipcast.publications.leases import LEASE
from clipcast.publications.models import Publication
from clipcast.publications.states import State

AGAIN_AFTER: Final = LEASE
"""When a publication that was handed out and that nobody has taken is handed out once more."""

SOON: Final = timedelta(seconds=5)
"""The same for one that was taken and found no place. Whoever gets done may take it up before."""

PER_PLATFORM: Final = 200
"""So many publications of a platform and lane are handed out at once, at most."""


class Lane(StrEnum):
    """What kind of work a publication waits for: bytes that may take half an hour, or a question that takes a moment."""

    UPLOADS = "uploads"
    POLLS = "polls"


_Moment: TypeAlias = ColumnElement[datetime | None] | InstrumentedAttribute[datetime | None]

_UPLOADING: Final = (State.SCHEDULED, State.UPLOADING)
_STATES: Final = {Lane.UPLOADS: _UPLOADING, Lane.POLLS: tuple(state for state in State if state not in _UPLOADING)}


def waiting(session: Session, now: datetime, lane: Lane, limit: int) -> list[str]:
    """What to hand out next in this lane: the platforms in turn, each platform's oldest due first. Changes nothing.

    No more than `PER_PLATFORM` of a platform are out at once: where the workers do not keep up, the rest waits here.
    Of an account's uploads only the oldest is taken: the next one's turn comes when that one is with the platform or waits for something.
    So an account's posts begin in the order in which they are due, and no account crowds out the others.
    """
    order = (Publication.next_action_at, Publication.id)
    account = func.coalesce(Publication.social_account_id, Publication.id) if lane is Lane.UPLOADS else Publication.id
    place = func.row_number().over(partition_by=account, order_by=order).label("place")
    columns = (Publication.id, Publication.platform, Publication.next_action_at, Publication.lease_until, place)
    due = select(*columns).where(*_due(now, lane)).subquery()
    turn = func.row_number().over(partition_by=due.c.platform, order_by=(due.c.next_action_at, due.c.id)).label("turn")
    firsts = select(due.c.id, due.c.platform, due.c.next_action_at, turn)
    first = firsts.where(due.c.place == 1, _not_out(due.c.lease_until, now)).subquery()
    room = {platform: PER_PLATFORM - count for platform, count in _out(session, now, lane).items()}
    has_room = first.c.turn <= (case(room, value=first.c.platform, else_=PER_PLATFORM) if room else PER_PLATFORM)
    return list(session.scalars(select(first.c.id).where(has_room).order_by(first.c.turn, first.c.next_action_at).limit(limit)))


def turned_away(session: Session, now: datetime, lanes: Sequence[Lane], platforms: Collection[str]) -> str | None:
    """The oldest due publication of these platforms that was taken back until `SOON`, of the first lane that has any."""
    states = [state for lane in lanes for state in _STATES[lane]]
    theirs = (Publication.platform.in_(platforms), Publication.next_action_at <= now, Publication.state.in_(states))
    place = case({state: number for number, lane in enumerate(lanes) for state in _STATES[lane]}, value=Publication.state)
    query = select(Publication.id).where(*theirs, *_is_out(now), Publication.lease_until <= now + SOON)
    return session.scalar(query.order_by(place, Publication.next_action_at, Publication.id).limit(1)) if platforms else None


def is_any_waiting(session: Session, now: datetime, lane: Lane) -> bool:
    """Whether `waiting` may find something in this lane; a much cheaper question."""
    return bool(session.scalar(select(exists().where(*_due(now, lane), _not_out(Publication.lease_until, now)))))


def next_of_account(session: Session, now: datetime, publication_id: str) -> str | None:
    """The upload whose turn comes when this publication of the same account has stepped aside, if one is due."""
    account = select(Publication.social_account_id).where(Publication.id == publication_id).scalar_subquery()
    theirs = select(Publication).where(Publication.social_account_id == account, *_due(now, Lane.UPLOADS))
    first = session.scalars(theirs.order_by(Publication.next_action_at, Publication.id).limit(1)).first()
    return None if first is None or (first.lease_until is not None and first.lease_until > now) else first.id


def hand_out(session: Session, now: datetime, publication_ids: Collection[str]) -> list[str]:
    """Mark these as handed out, in this order; answers those that were due and that nobody else handed out or took meanwhile."""
    still = (Publication.id.in_(publication_ids), Publication.next_action_at <= now, _not_out(Publication.lease_until, now))
    free = select(Publication.id).where(*still).with_for_update(skip_locked=True)
    changed = (
        update(Publication)
        .where(Publication.id.in_(free))
        .values(lease_token=None, lease_owner=None, lease_until=now + AGAIN_AFTER)
        .returning(Publication.id)
    )
    done = set(session.scalars(changed.execution_options(synchronize_session=False)))
    return [publication_id for publication_id in publication_ids if publication_id in done]


def take_back(session: Session, publication_ids: Collection[str], *, until: datetime | None = None) -> None:
    """These were handed out in vain: the next round, or the first one after `until`, hands out again what nobody holds and is due."""
    nobodys = (Publication.id.in_(publication_ids), Publication.lease_token.is_(None))
    session.execute(update(Publication).where(*nobodys).values(lease_until=until).execution_options(synchronize_session=False))


def held_by(session: Session, now: datetime, crew: str) -> Counter[str]:
    """How many publications of each platform the processes hold whose owner's name begins with `crew`."""
    held = select(Publication.lease_owner, Publication.platform).where(Publication.lease_owner.is_not(None), Publication.lease_until > now)
    return Counter(platform for owner, platform in session.execute(held) if owner and owner.startswith(crew))


def platforms_waiting(session: Session, now: datetime) -> set[str]:
    """The platforms for which something is due that nobody holds."""
    free = or_(Publication.lease_token.is_(None), Publication.lease_until <= now)
    query = select(Publication.platform).where(Publication.next_action_at <= now, free).distinct()
    return set(session.scalars(query))


def _due(now: datetime, lane: Lane) -> list[ColumnElement[bool]]:
    return [Publication.next_action_at.is_not(None), Publication.next_action_at <= now, Publication.state.in_(_STATES[lane])]


def _out(session: Session, now: datetime, lane: Lane) -> dict[str, int]:
    """How many of each platform are handed out in this lane and taken by nobody."""
    count = select(Publication.platform, func.count()).where(*_due(now, lane), *_is_out(now)).group_by(Publication.platform)
    return {str(platform): number for platform, number in session.execute(count)}


def _is_out(now: datetime) -> tuple[ColumnElement[bool], ...]:
    # The first two are the index's; they are said for SQLite's sake, which would not conclude them from the third.
    return (Publication.lease_token.is_(None), Publication.lease_until.is_not(None), Publication.lease_until > now)


def _not_out(lease_until: _Moment, now: datetime) -> ColumnElement[bool]:
    return or_(lease_until.is_(None), lease_until <= now)
