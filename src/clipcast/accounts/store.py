"""Every query on social accounts."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clipcast.accounts.models import SocialAccount
from clipcast.errors import Conflict, NotFound


def find(session: Session, account_id: str) -> SocialAccount | None:
    """The account, or None."""
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
    account = session.scalar(select(SocialAccount).where(SocialAccount.id == account_id).with_for_update())
    if account is None:
        raise _unknown(account_id)
    return account


def lock_if_free(session: Session, account_id: str) -> SocialAccount | None:
    """The account, locked until the transaction ends; None when another transaction has it locked right now.

    Raises:
        NotFound: no such account.
    """
    account = session.scalar(select(SocialAccount).where(SocialAccount.id == account_id).with_for_update(skip_locked=True))
    if account is None and session.scalar(select(SocialAccount.id).where(SocialAccount.id == account_id)) is None:
        raise _unknown(account_id)
    return account


def by_username(session: Session, platform: str, username: str) -> SocialAccount | None:
    """The account of that name on that platform, or None."""
    return session.scalar(select(SocialAccount).where(SocialAccount.platform == platform, SocialAccount.username == username))


def main_account(session: Session, platform: str) -> SocialAccount | None:
    """The account that publishes when none is named: the oldest active main account of the platform, if there is one."""
    query = select(SocialAccount).where(SocialAccount.platform == platform, SocialAccount.kind == "main", SocialAccount.status == "active")
    return session.scalars(query.order_by(SocialAccount.created_at, SocialAccount.id).limit(1)).first()


def satellites_of(session: Session, account_id: str) -> list[SocialAccount]:
    """The active satellites of a main account, by name."""
    query = select(SocialAccount).where(SocialAccount.main_account_id == account_id, SocialAccount.status == "active")
    return list(session.scalars(query.order_by(SocialAccount.platform, SocialAccount.username)))


def listed(session: Session, *, platform: str | None = None, status: str | None = None) -> list[SocialAccount]:
    """All accounts, by platform and name; of one platform or status when given."""
    query = select(SocialAccount).order_by(SocialAccount.platform, SocialAccount.username)
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


def _unknown(account_id: str) -> NotFound:
    return NotFound(f"There is no account {account_id}.")
