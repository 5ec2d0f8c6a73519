"""Every query on social accounts. A deleted account is not there, except for `any_of` and for those who bring it back."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clipcast.accounts.models import PendingLink, SocialAccount
from clipcast.errors import Conflict, InvalidRequest, NotFound

_THERE: Final = SocialAccount.deleted_at.is_(None)


def find(session: Session, account_id: str) -> SocialAccount | None:
    """The account, or None."""
    return session.scalar(select(SocialAccount).where(SocialAccount.id == account_id, _THERE))


def any_of(session: Session, account_id: str) -> SocialAccount | None:
    """The account even if it was deleted, for those who tell history."""
    return session.get(SocialAccount, account_id)


def get(session: Session, account_id: str) -> SocialAccount:
    """The account.

    Raises:
        NotFound: no such account.
    """
    account = find(session, account_id)
    if account is None:
        raise _unknown(account_id)
    return account


def get_for_update(session: Session, account_id: str) -> SocialAccount:
    """The account, locked until the transaction ends.

    Raises:
        NotFound: no such account.
    """
    account = session.scalar(select(SocialAccount).where(SocialAccount.id == account_id, _THERE).with_for_update())
    if account is None:
        raise _unknown(account_id)
    return account


def lock_if_free(session: Session, account_id: str) -> SocialAccount | None:
    """The account, locked until the transaction ends; None when another transaction has it locked right now.

    Raises:
        NotFound: no such account.
    """
    account = session.scalar(select(SocialAccount).where(SocialAccount.id == account_id, _THERE).with_for_update(skip_locked=True))
    if account is None and session.scalar(select(SocialAccount.id).where(SocialAccount.id == account_id, _THERE)) is None:
        raise _unknown(account_id)
    return account


def by_username(session: Session, platform: str, username: str) -> SocialAccount | None:
    """The account of that name on that platform, in whatever case it is written; or None.

    Raises:
        InvalidRequest: several differ in nothing but the case, and none is written like this; names them.
    """
    found = named(session, platform, username)
    if len(found) > 1 and found[0].username != username:
        names = " and ".join(f"@{one.username}" for one in found)
        raise InvalidRequest(f"@{username} may be any of {names} on {platform}: write the name as it is listed.")
    return found[0] if found else None


def named(session: Session, platform: str, username: str) -> list[SocialAccount]:
    """The accounts of that name, whose case no platform minds: one, or several from before that was looked at; as it is written first."""
    query = select(SocialAccount).where(SocialAccount.platform == platform, _has_name(username), _THERE)
    return list(session.scalars(query.order_by(*_as_written_first(username))))


def check_name_free(session: Session, platform: str, username: str) -> None:
    """Raises Conflict when there is an account of that name, and names it as it is written here."""
    for taken in named(session, platform, username):
        raise Conflict(f"There is already an account @{taken.username} on {platform} ({taken.id}). Change it instead.")


def deleted_named(session: Session, platform: str, username: str) -> SocialAccount | None:
    """The deleted account of that name, locked until the transaction ends; or None."""
    query = select(SocialAccount).where(SocialAccount.platform == platform, _has_name(username), SocialAccount.deleted_at.is_not(None))
    return session.scalars(query.order_by(*_as_written_first(username)).limit(1).with_for_update()).first()


def is_same_name(one: str, other: str) -> bool:
    """Whether two usernames are the same account's at its platform."""
    return one.lower() == other.lower()


def _has_name(username: str) -> ColumnElement[bool]:
    # SQLite lowers only ASCII: a name beyond it is found at least as it is written.
    return or_(SocialAccount.username == username, func.lower(SocialAccount.username) == username.lower())


def _as_written_first(username: str) -> tuple[Any, ...]:
    return case((SocialAccount.username == username, 0), else_=1), SocialAccount.created_at, SocialAccount.id


def concerned(session: Session, platform: str, *, external_id: str, username: str, account_id: str | None) -> list[SocialAccount]:
    """Every account of the platform, deleted or not, with that identity, that name or that id; locked, oldest first."""
    meant = or_(SocialAccount.external_id == external_id, _has_name(username), SocialAccount.id == account_id)
    query = select(SocialAccount).where(SocialAccount.platform == platform, meant).order_by(SocialAccount.created_at, SocialAccount.id)
    return list(session.scalars(query.with_for_update()))


def main_account(session: Session, platform: str) -> SocialAccount | None:
    """The account that is meant when none is named: the oldest main account of the platform, if there is one, whatever its status.

    While it cannot publish, no other one takes its place: that may be somebody else's.
    """
    query = select(SocialAccount).where(SocialAccount.platform == platform, SocialAccount.kind == "main", _THERE)
    return session.scalars(query.order_by(SocialAccount.created_at, SocialAccount.id).limit(1)).first()


def satellites_of(session: Session, account_id: str) -> list[SocialAccount]:
    """The active satellites of a main account, by name."""
    query = select(SocialAccount).where(SocialAccount.main_account_id == account_id, SocialAccount.status == "active", _THERE)
    return list(session.scalars(query.order_by(SocialAccount.platform, SocialAccount.username)))


def listed(session: Session, *, platform: str | None = None, status: str | None = None) -> list[SocialAccount]:
    """All accounts, by platform and name; of one platform or status when given."""
    query = select(SocialAccount).where(_THERE).order_by(SocialAccount.platform, SocialAccount.username)
    if platform is not None:
        query = query.where(SocialAccount.platform == platform)
    if status is not None:
        query = query.where(SocialAccount.status == status)
    return list(session.scalars(query))


def add(session: Session, account: SocialAccount) -> None:
    """Store a new account.

    Raises:
        Conflict: there is one of that name on that platform; it is left as it is.
    """
    session.add(account)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"There is already an account @{account.username} on {account.platform}. Change it instead.") from error


def expiring(
    session: Session,
    platform: str,
    ends_by: datetime,
    now: datetime,
    *,
    paused_too: bool = False,
    after: SocialAccount | None = None,
    limit: int = 256,
) -> list[SocialAccount]:
    """Active accounts whose token ends by then and whose next try is due, the first to end first; `after` is the last of the page before.

    `paused_too`: also those whose next try is not due. Those that somebody is refreshing right now are left out.
    """
    wanted = [*_ending(ends_by, after), *_awaiting_refresh(now, paused_too=paused_too)]
    query = select(SocialAccount).where(SocialAccount.platform == platform, *wanted)
    return list(session.scalars(query.order_by(SocialAccount.expires_at, SocialAccount.id).limit(limit)))


def of_unknown_end(
    session: Session,
    platform: str,
    held_since: datetime,
    now: datetime,
    *,
    paused_too: bool = False,
    after: SocialAccount | None = None,
    limit: int = 256,
) -> list[SocialAccount]:
    """Active accounts whose token, stored or renewed by then, ends nobody knows when; the rest as for `expiring`."""
    stored_at = func.coalesce(SocialAccount.connected_at, SocialAccount.created_at)
    is_held = and_(stored_at <= held_since, or_(SocialAccount.last_refreshed.is_(None), SocialAccount.last_refreshed <= held_since))
    wanted = [*_connected(), SocialAccount.expires_at.is_(None), is_held, *_awaiting_refresh(now, paused_too=paused_too)]
    if after is not None:
        wanted.append(SocialAccount.id > after.id)
    query = select(SocialAccount).where(SocialAccount.platform == platform, *wanted)
    return list(session.scalars(query.order_by(SocialAccount.id).limit(limit)))


def ended(session: Session, now: datetime, *, after: SocialAccount | None = None, limit: int = 256) -> list[SocialAccount]:
    """Active accounts whose access token has ended, the first to end first; `after` is the last of the page before."""
    query = select(SocialAccount).where(*_ending(now, after))
    return list(session.scalars(query.order_by(SocialAccount.expires_at, SocialAccount.id).limit(limit)))


def _connected() -> list[ColumnElement[bool]]:
    return [SocialAccount.status == "active", _THERE, SocialAccount.credentials.is_not(None)]


def _awaiting_refresh(now: datetime, *, paused_too: bool) -> list[ColumnElement[bool]]:
    """Its next try is due, or that does not matter; and nobody is at it right now."""
    is_due = or_(SocialAccount.refresh_again_at.is_(None), SocialAccount.refresh_again_at <= now)
    is_free = or_(SocialAccount.refresh_lease_until.is_(None), SocialAccount.refresh_lease_until <= now)
    return [is_free] if paused_too else [is_due, is_free]


def _ending(ends_by: datetime, after: SocialAccount | None) -> list[ColumnElement[bool]]:
    wanted = [*_connected(), SocialAccount.expires_at <= ends_by]
    if after is not None:
        same_end = and_(SocialAccount.expires_at == after.expires_at, SocialAccount.id > after.id)
        wanted.append(or_(SocialAccount.expires_at > after.expires_at, same_end))
    return wanted


def count_by_status(session: Session) -> dict[tuple[str, str], int]:
    """How many accounts of each platform and status there are."""
    query = select(SocialAccount.platform, SocialAccount.status, func.count()).where(_THERE)
    return {
        (platform, status): count
        for platform, status, count in session.execute(query.group_by(SocialAccount.platform, SocialAccount.status))
    }


def possible_twins(session: Session, account: SocialAccount, external_id: str) -> list[SocialAccount]:
    """All other accounts of the platform with that identity, or with credentials that may hold it; oldest first."""
    may_be = and_(SocialAccount.external_id.is_(None), SocialAccount.credentials.is_not(None))
    query = select(SocialAccount).where(SocialAccount.platform == account.platform, SocialAccount.id != account.id, _THERE)
    query = query.where(or_(SocialAccount.external_id == external_id, may_be))
    return list(session.scalars(query.order_by(SocialAccount.created_at, SocialAccount.id)))


def others_connected(session: Session, account: SocialAccount) -> list[SocialAccount]:
    """All other accounts of the platform that hold credentials."""
    query = select(SocialAccount).where(SocialAccount.platform == account.platform, SocialAccount.credentials.is_not(None), _THERE)
    return list(session.scalars(query.where(SocialAccount.id != account.id)))


def forget_links(session: Session, ended_before: datetime) -> int:
    """Drop the consents that ended before then, finished or not, with what they hold; gives how many."""
    return len(list(session.scalars(delete(PendingLink).where(PendingLink.expires_at <= ended_before).returning(PendingLink.id))))


def is_followed(session: Session, account_id: str) -> bool:
    """Whether any account, active or not, is a satellite of this one."""
    return session.scalar(select(exists().where(SocialAccount.main_account_id == account_id, _THERE))) is True


def release_satellites(session: Session, account_id: str) -> None:
    """Have nobody follow this account any more."""
    followers = update(SocialAccount).where(SocialAccount.main_account_id == account_id).values(main_account_id=None)
    session.execute(followers.execution_options(synchronize_session=False))


def _unknown(account_id: str) -> NotFound:
    return NotFound(f"There is no account {account_id}.")
