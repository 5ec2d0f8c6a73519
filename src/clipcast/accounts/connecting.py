"""What a consent does to the accounts: which row it is for, and what becomes of it.

An account is the platform's lasting id, not its name: names change and are taken over by others. A simulated consent has no say about an
account that was ever connected to the platform itself (docs/decisions/0016).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.accounts import store
from clipcast.accounts.credentials import identity_of, merged, opened, replace
from clipcast.accounts.history import note
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.pending import Wish
from clipcast.accounts.vault import CredentialError, Vault
from clipcast.db.base import new_id
from clipcast.errors import Conflict, InvalidRequest, NotFound
from clipcast.platforms.base import Credentials
from clipcast.platforms.consent import Linkable

NO_CREDENTIALS = Credentials({})


class WrongAccount(Conflict):
    """The owner consented with another account than the one that was to be connected again."""

    code = "wrong_account"


@dataclass(frozen=True, slots=True)
class Connecting:
    """Connects what consents are for. `app` is the app's own id and secret, without which a refresh token is worth nothing."""

    session: Session
    vault: Vault
    wish: Wish
    app: Credentials
    actor: str
    now: datetime
    simulated: bool

    def connect(self, found: Linkable) -> SocialAccount:
        """The account of this consent: a new one, or the one that was there, with its id and its history.

        Raises:
            WrongAccount: another one was to be connected again; nothing was changed.
            Conflict: a simulated consent is for an account of the platform itself; or the main account to follow is gone meanwhile.
        """
        rows = store.concerned(
            self.session, self.wish.platform, external_id=found.external_id, username=found.username, account_id=self.wish.account_id
        )
        row = self._meant(rows, found)
        is_new = row is None
        row = row or self._new(found)
        if self.simulated:
            self._refuse_if_real(row)
        for other in rows:
            if other is not row and self._is_in_the_way(other, found):
                self._give_up_name(other)
        revived = row.deleted_at is not None
        self._fill(row, found)
        if is_new:
            store.add(self.session, row)
        details = {"simulated": self.simulated, "login": self.wish.login} | ({"revived": True} if revived else {})
        note(
            self.session,
            row,
            ledger.ACCOUNT_LINKED if is_new else ledger.ACCOUNT_RELINKED,
            self.now,
            actor=self.actor,
            **{name: value for name, value in details.items() if value != ""},
        )
        return row

    def _meant(self, rows: list[SocialAccount], found: Linkable) -> SocialAccount | None:
        asked = next((row for row in rows if row.id == self.wish.account_id), None)
        same = [row for row in rows if not self.simulated and self._identity(row) == found.external_id]
        same.sort(key=lambda row: row.deleted_at is not None)
        if asked is not None:
            if not self.is_of(asked, found) or (same and asked not in same):
                raise self.wrong_account(asked, [found])
            return asked
        named = [row for row in rows if store.is_same_name(row.username, found.username) and self.is_of(row, found)]
        named.sort(key=lambda row: row.username != found.username)
        return next(iter(same or named), None)

    def is_of(self, row: SocialAccount, found: Linkable) -> bool:
        """Whether this consent is for this account: by its lasting id, or by its name where none is known yet."""
        identity = None if self.simulated else self._identity(row)
        return identity == found.external_id if identity else store.is_same_name(row.username, found.username)

    def _is_in_the_way(self, other: SocialAccount, found: Linkable) -> bool:
        """Whether it has this name, which is not its own any more; a twin from before may keep another case of it."""
        if other.username == found.username:
            return True
        return store.is_same_name(other.username, found.username) and (self.simulated or self._identity(other) != found.external_id)

    def wrong_account(self, asked: SocialAccount, found: Sequence[Linkable]) -> WrongAccount:
        """What to tell whoever consented with another account."""
        others = " and ".join(f"@{one.username}" for one in found)
        return WrongAccount(
            f"The consent is for {others}, but @{asked.username} was to be connected again, so nothing was changed. Sign in "
            f"at the platform as @{asked.username} and begin anew, or connect {others} without naming an account."
        )

    def _identity(self, row: SocialAccount) -> str | None:
        return identity_of(row, self.vault)

    def _stored(self, row: SocialAccount) -> Credentials:
        try:
            return opened(row, self.vault)
        except CredentialError:
            return NO_CREDENTIALS

    def _new(self, found: Linkable) -> SocialAccount:
        try:
            check_main(self.session, self.wish.kind, self.wish.main_account_id)  # again: a consent takes minutes
        except (InvalidRequest, NotFound) as error:
            raise Conflict(
                f"The account that @{found.username} was to follow was deleted meanwhile, or is no main account any more, so nothing was "
                "connected. Begin anew with another main account, or with none."
            ) from error
        return SocialAccount(
            id=new_id(),
            platform=self.wish.platform,
            username=found.username,
            kind=self.wish.kind,
            main_account_id=self.wish.main_account_id,
            created_at=self.now,
        )

    def _refuse_if_real(self, row: SocialAccount) -> None:
        if row.credentials is None and row.external_id is None:
            return
        raise Conflict(
            f"@{row.username} belongs to the platform itself, so a consent at the simulator changes nothing about it. Set the app's id and "
            "secret to connect it again for real, or consent under another name."
        )

    def _give_up_name(self, other: SocialAccount) -> None:
        """Somebody else has this name now: the platform renamed the other account, and we do not know to what."""
        other.warning = f"The name @{other.username} belongs to another account now. Connect this one again, to learn its new name."
        other.username = f"{other.username[:80]}#{other.id[-12:]}"
        other.updated_at = self.now
        self.session.flush()

    def _fill(self, row: SocialAccount, found: Linkable) -> None:
        replace(row, NO_CREDENTIALS if self.simulated else self._fresh(row, found), self.vault, self.now)
        row.external_id = None if self.simulated else found.external_id
        row.username, row.status = found.username, "active"
        row.connected_at, row.deleted_at, row.last_error = self.now, None, None

    def _fresh(self, row: SocialAccount, found: Linkable) -> Credentials:
        """What the consent gave. Of the old credentials only a refresh token of the same app, where no other came, is worth keeping."""
        new, old = found.credentials, self._stored(row)
        is_same_app = all(old.get(name) in {"", value} for name, value in self.app.values.items())
        refresh_token = old.get("refresh_token") if is_same_app else ""
        kept = Credentials({"refresh_token": refresh_token} if refresh_token else {}, refresh_expires_at=old.refresh_expires_at)
        return merged(kept, new.values, new.expires_at, new.refresh_expires_at)


def check_main(session: Session, kind: str, main_account_id: str | None) -> None:
    """A satellite follows a main account, and nobody else follows anybody. The main account stays locked until the transaction ends.

    Raises:
        InvalidRequest, NotFound: it is not so; says what to send.
    """
    if main_account_id is None:
        return
    if kind != "satellite":
        raise InvalidRequest("Only a satellite follows a main account: send kind: satellite, or leave main_account_id out.")
    if store.get_for_update(session, main_account_id).kind != "main":
        raise InvalidRequest("main_account_id names an account that is not a main account.")
