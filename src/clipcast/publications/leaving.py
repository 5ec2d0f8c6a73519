"""Disconnecting and deleting an account, with an eye on what is still to be published for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clipcast.accounts import disconnecting, store
from clipcast.accounts.disconnecting import Disconnector
from clipcast.accounts.models import SocialAccount
from clipcast.errors import Conflict
from clipcast.publications.models import DraftTarget, Publication
from clipcast.publications.states import FINAL, State

_NAMED: Final = 3
"""How many publications a sentence names; more are counted."""
_GONE: Final = " The platform has withdrawn our access, so the account is disconnected already: connect it again, or what waits will fail."


@dataclass(frozen=True, slots=True)
class Left:
    """What became of the account. `scheduled` publications wait still, and fail on their hour unless it is connected again before."""

    account: SocialAccount
    revoked: bool
    sentence: str
    scheduled: int


def disconnect(disconnector: Disconnector, account_id: str, *, actor: str) -> Left:
    """Have the platform withdraw our access, as far as it can be reached, and remove the account's credentials in any case.

    Raises:
        NotFound: there is no such account.
    """
    farewell = disconnector.revoke(account_id)
    refresher = disconnector.refresher
    with refresher.db.writing() as session:
        account = store.get_for_update(session, account_id)
        scheduled = len(_open(session, account_id))
        disconnecting.disconnect(session, account, refresher, farewell, actor=actor, scheduled=scheduled)
    return Left(account, farewell.revoked, farewell.sentence, scheduled)


def delete(disconnector: Disconnector, account_id: str, *, actor: str) -> Left:
    """Disconnect the account and hide it. What it published stays in the publish log and in the ledger.

    Raises:
        NotFound: there is no such account.
        Conflict: publications of it are under way or scheduled, or drafts are meant for it; names them. Where they came while the platform
            was asked, and it withdrew our access, the account is disconnected and not deleted.
    """
    refresher = disconnector.refresher
    with refresher.db.reading() as session:
        if hindrance := _hindrance(session, store.get(session, account_id)):
            raise Conflict(hindrance)
    farewell = disconnector.revoke(account_id)
    with refresher.db.writing() as session:
        account = store.get_for_update(session, account_id)
        hindrance = _hindrance(session, account)
        is_connected = account.credentials is not None or account.status != "revoked"
        if is_connected and (farewell.revoked or not hindrance):
            scheduled = len(_open(session, account_id))
            disconnecting.disconnect(session, account, refresher, farewell, actor=actor, scheduled=scheduled)
        if not hindrance:
            disconnecting.delete(session, account, refresher.clock(), actor=actor)
    if hindrance:  # after the commit: access that is gone at the platform must not pass for a connection here
        raise Conflict(hindrance + (_GONE if farewell.revoked else ""))
    return Left(account, farewell.revoked, farewell.sentence, 0)


def _hindrance(session: Session, account: SocialAccount) -> str:
    """Why the account cannot be deleted now, and what to do; empty when it can."""
    waiting = _open(session, account.id)
    busy = [one for one in waiting if one.state != State.SCHEDULED]
    if busy:
        return (
            f"@{account.username} cannot be deleted while it publishes: {_named(busy)}. Wait for the end, cancel it, or decide what "
            "waits for you, then delete the account."
        )
    if waiting:
        return f"@{account.username} cannot be deleted while posts wait for it: {_named(waiting)}. Cancel them first."
    if drafts := list(
        session.scalars(select(DraftTarget.post_id).where(DraftTarget.account_id == account.id).order_by(DraftTarget.post_id))
    ):
        named = ", ".join(drafts[:_NAMED]) + (f", {len(drafts) - _NAMED} more" if len(drafts) > _NAMED else "")
        return (
            f"@{account.username} cannot be deleted while drafts are meant for it: {named}. Cancel them, or give them other targets first."
        )
    return ""


def _open(session: Session, account_id: str) -> list[Publication]:
    """What is not over yet, the next one first."""
    query = select(Publication).where(Publication.social_account_id == account_id, Publication.state.not_in(FINAL))
    return list(session.scalars(query.order_by(Publication.scheduled_at, Publication.id)))


def _named(found: Sequence[Publication]) -> str:
    names = [f"{one.id} ({one.state}, {one.scheduled_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC)" for one in found[:_NAMED]]
    more = [f"{len(found) - _NAMED} more"] if len(found) > _NAMED else []
    return ", ".join(names + more)
