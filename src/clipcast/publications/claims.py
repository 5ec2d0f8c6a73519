"""Claiming what is due, renewing, and giving back: the queries that decide who works on a publication."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, union_all, update
from sqlalchemy.orm import Session

from clipcast.publications.leases import LEASE, Lease
from clipcast.publications.models import Publication


def _due(now: datetime, only: Collection[str] | None) -> list[ColumnElement[bool]]:
    free = or_(Publication.lease_token.is_(None), Publication.lease_until.is_(None), Publication.lease_until <= now)
    conditions = [Publication.next_action_at.is_not(None), Publication.next_action_at <= now, free]
    return conditions if only is None else [*conditions, Publication.id.in_(only)]


def is_anything_due(session: Session, now: datetime, *, only: Collection[str] | None = None) -> bool:
    """Whether `claim` would find something; a cheap read, so that an idle worker never takes the write lock."""
    return bool(session.scalar(select(exists().where(*_due(now, only)))))


def platform_of_due(session: Session, now: datetime, publication_id: str) -> str | None:
    """The platform of this publication, if `claim` would find it."""
    return session.scalar(select(Publication.platform).where(*_due(now, [publication_id])))


def oldest_due(
    session: Session, now: datetime, platforms: Collection[str], limit: int, *, only: Collection[str] | None = None
) -> list[tuple[str, str]]:
    """The ids of up to `limit` due publications of each of these platforms, each with its platform, oldest due first. Changes nothing."""
    oldest = select(Publication.id, Publication.platform, Publication.next_action_at).where(*_due(now, only))
    oldest = oldest.order_by(Publication.next_action_at).limit(limit)
    # Row by row of the index of its platform, however long the others' lines are.
    together = union_all(*(select(oldest.where(Publication.platform == platform).subquery()) for platform in platforms)).subquery()
    rows = session.execute(select(together.c.id, together.c.platform).order_by(together.c.next_action_at, together.c.id))
    return [(publication_id, platform) for publication_id, platform in rows]


def next_due_at(session: Session, now: datetime, *, only: Collection[str] | None = None) -> datetime | None:
    """The next moment after `now` at which something becomes due, or None."""
    query = select(func.min(Publication.next_action_at)).where(Publication.next_action_at > now)
    return session.scalar(query if only is None else query.where(Publication.id.in_(only)))


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for a worker now, and what workers hold.

    `oldest_due_at` leaves out what waits for an earlier post of its account, which is under way: no worker would take that up.
    """

    due: int
    held: int
    oldest_due_at: datetime | None


def queue(session: Session, now: datetime) -> Queue:
    """How long the line is; both counts use the small indexes of what is due and what is held."""
    due = session.scalar(select(func.count()).where(*_due(now, None)))
    is_held = (Publication.lease_owner.is_not(None), Publication.lease_until > now)
    held = session.scalar(select(func.count()).where(*is_held))
    busy = select(Publication.social_account_id).where(*is_held, Publication.social_account_id.is_not(None))
    account = Publication.social_account_id
    oldest_due_at = select(func.min(Publication.next_action_at)).where(*_due(now, None), or_(account.is_(None), account.not_in(busy)))
    return Queue(due or 0, held or 0, session.scalar(oldest_due_at))


def claim(session: Session, now: datetime, limit: int, *, owner: str, only: Collection[str] | None = None) -> list[Lease]:
    """Take up to `limit` due publications that nobody holds, oldest due first, in one statement.

    `owner` names the worker process, so that its leases can be given back at once when it is found dead.
    """
    token = str(uuid4())
    changed = (
        update(Publication)
        .where(Publication.id.in_(_candidates(now, limit, only)))
        .values(lease_token=token, lease_until=now + LEASE, lease_owner=owner)
        .returning(Publication.id, Publication.next_action_at)
        .execution_options(synchronize_session=False)
    )
    rows = sorted(session.execute(changed), key=lambda row: (row[1], row[0]))
    return [Lease(publication_id, token) for publication_id, _ in rows]


def _candidates(now: datetime, limit: int, only: Collection[str] | None) -> Select[str]:
    query = select(Publication.id).where(*_due(now, only)).order_by(Publication.next_action_at).limit(limit)
    return query.with_for_update(skip_locked=True)


def renew(session: Session, now: datetime, leases: Sequence[Lease]) -> set[str]:
    """Extend these leases; answers the ids of those still held."""
    if not leases:
        return set()
    mine = or_(*((Publication.id == lease.publication_id) & (Publication.lease_token == lease.token) for lease in leases))
    changed = update(Publication).where(mine).values(lease_until=now + LEASE).returning(Publication.id)
    return set(session.scalars(changed.execution_options(synchronize_session=False)))


def owners(session: Session) -> set[str]:
    """The worker processes that hold leases now."""
    return {
        owner for owner in session.scalars(select(Publication.lease_owner).where(Publication.lease_owner.is_not(None)).distinct()) if owner
    }


def release_of(session: Session, dead_owners: Collection[str]) -> int:
    """Give back everything that these dead processes held; answers how many publications that were."""
    changed = (
        update(Publication)
        .where(Publication.lease_owner.in_(dead_owners))
        .values(lease_token=None, lease_until=None, lease_owner=None)
        .returning(Publication.id)
    )
    return len(list(session.scalars(changed.execution_options(synchronize_session=False))))
