"""Every query about publications except claiming."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.errors import LeaseLost, NotFound
from clipcast.people.access import acting
from clipcast.publications.leases import LEASE, Lease
from clipcast.publications.models import IdempotencyKey, Publication
from clipcast.publications.states import FINAL, State


def get(session: Session, publication_id: str) -> Publication:
    """That publication.

    Raises:
        NotFound: there is none with that id.
    """
    publication = session.get(Publication, publication_id)
    if publication is None:
        raise NotFound(f"There is no publication {publication_id}.")
    return publication


def locked(session: Session, publication_id: str) -> Publication:
    """That publication, kept from being changed by anybody else until the transaction ends.

    Raises:
        NotFound: there is none with that id.
    """
    publication = session.get(Publication, publication_id, with_for_update=True, populate_existing=True)
    if publication is None:
        raise NotFound(f"There is no publication {publication_id}.")
    return publication


def held(session: Session, lease: Lease) -> Publication:
    """The publication that this lease is for.

    Raises:
        LeaseLost: it is somebody else's now, or was cancelled.
    """
    publication = get(session, lease.publication_id)
    if publication.lease_token != lease.token:
        lease.lose()
        raise LeaseLost(f"Publication {lease.publication_id} is no longer ours.")
    return publication


def write_held(session: Session, lease: Lease, now: datetime, values: Mapping[str, Any], *, release: bool = False) -> None:
    """Write `values` to the row of this lease and renew it, or give it back with `release`.

    Raises:
        LeaseLost: the row is somebody else's now, or was cancelled; nothing was written.
    """
    tenure = {"lease_token": None, "lease_until": None, "lease_owner": None} if release else {"lease_until": now + LEASE}
    asked_at_s = lease.monotonic()
    changed = (
        update(Publication)
        .where(Publication.id == lease.publication_id, Publication.lease_token == lease.token)
        .values(**values, **tenure, updated_at=now)
        .returning(Publication.id)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(changed) is None:
        lease.lose()
        raise LeaseLost(f"Publication {lease.publication_id} is no longer ours.")
    lease.renewed(asked_at_s)


def note(session: Session, publication: Publication, event: str, now: datetime, **details: Any) -> None:
    """Append what happened to the ledger, and who asked for it. `details` are chosen fields only: never a caption, a token or a URL."""
    actor = acting.get()
    ledger.record(
        session,
        stream=f"publication:{publication.id}",
        event=event,
        entity_type="clip",
        entity_id=publication.clip_id,
        now=now,
        details={
            "platform": publication.platform,
            "social_account_id": publication.social_account_id,
            "publish_log_id": publication.id,
            **({"actor": actor} if actor else {}),
            **details,
        },
    )


def logs_of_clip(session: Session, clip_id: str) -> list[Publication]:
    """Every publication of this clip, newest first."""
    query = select(Publication).where(Publication.clip_id == clip_id)
    return list(session.scalars(query.order_by(Publication.requested_at.desc(), Publication.id.desc())))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which publications to list; None means any. `before` is the id that the previous page ended with."""

    state: State | None = None
    platform: str | None = None
    social_account_id: str | None = None
    clip_id: str | None = None
    before: str | None = None


def listed(session: Session, wanted: Filter, *, limit: int) -> list[Publication]:
    """Publications newest first, `limit` at most."""
    query = select(Publication).order_by(Publication.id.desc()).limit(limit)
    for name in ("state", "platform", "social_account_id", "clip_id"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(Publication, name) == value)
    if wanted.before is not None:
        query = query.where(Publication.id < wanted.before)
    return list(session.scalars(query))


def by_ids(session: Session, publication_ids: Sequence[str]) -> list[Publication]:
    """These publications, oldest first."""
    return list(session.scalars(select(Publication).where(Publication.id.in_(publication_ids)).order_by(Publication.id)))


def unfinished(session: Session, publication_ids: Sequence[str]) -> list[str]:
    """Those of `publication_ids` whose question "did it work?" is still open and that do not wait for a person."""
    query = select(Publication.id).where(
        Publication.id.in_(publication_ids), Publication.state.not_in(FINAL), Publication.next_action_at.is_not(None)
    )
    return list(session.scalars(query))


def count_by_state(session: Session) -> dict[State, int]:
    """How many publications are in each state."""
    rows = session.execute(select(Publication.state, func.count()).group_by(Publication.state))
    return {State(state): count for state, count in rows}


def keyed(session: Session, key: str) -> IdempotencyKey | None:
    """What this Idempotency-Key was used for, if it was."""
    return session.get(IdempotencyKey, key)
