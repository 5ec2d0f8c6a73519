"""Taking an account's connection away: at the platform where that can be had, and here in any case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.accounts import store
from clipcast.accounts.credentials import opened, seal
from clipcast.accounts.discretion import discreet
from clipcast.accounts.history import note
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import with_app_credentials
from clipcast.accounts.refresh import Refresher
from clipcast.accounts.vault import CredentialError
from clipcast.errors import ClipcastError
from clipcast.log import get_logger, redact
from clipcast.platforms.base import Answer, AnyPlatform, Credentials, Request

log = get_logger(__name__)

_NOTHING: Final = Credentials({})


@dataclass(frozen=True, slots=True)
class Farewell:
    """Whether the platform withdrew our access. `sentence` says what is left for a person to do there; empty: nothing."""

    revoked: bool
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Disconnector:
    """Disconnects accounts. `send` performs one request and may raise a `WireError`."""

    refresher: Refresher
    live: Mapping[str, AnyPlatform]
    send: Callable[[Request], Answer]

    def revoke(self, account_id: str) -> Farewell:
        """Ask the platform to withdraw our access, before the credentials go; whatever it says, they may go.

        Where everything is simulated, nothing is asked: a database that was copied to try things holds the access of the original.

        Raises:
            NotFound: there is no such account.
        """
        db, vault = self.refresher.db, self.refresher.vault
        with db.reading() as session:
            account = store.get(session, account_id)
            try:
                stored = opened(account, vault)
            except CredentialError:
                return Farewell(revoked=False, sentence=f"The stored credentials cannot be read. {_by_hand(account)}")
            platform = self.live[account.platform]
            if stored.values and self.refresher.settings.simulation == "always":
                sentence = f"CLIPCAST_SIMULATION=always, so nothing was asked of {platform.name}. {_by_hand(account)}"
                return Farewell(revoked=False, sentence=sentence)
            if self._is_shared(session, account, platform, stored):
                sentence = "The consent is good for other accounts here too, so it was left at the platform until the last of them goes."
                return Farewell(revoked=False, sentence=sentence)
        if not stored.values:
            return Farewell(revoked=False)
        return self._asked(account, platform, self._alive(account, platform, stored))

    def _asked(self, account: SocialAccount, platform: AnyPlatform, credentials: Credentials) -> Farewell:
        request = platform.revocation(credentials)
        if request is None:
            return Farewell(revoked=False, sentence=f"There is no request that withdraws this access. {_by_hand(account)}")
        try:
            answer = self.send(request)
            with discreet(credentials, [answer]):
                platform.revoked(answer)
        except ClipcastError as error:
            log.warning("account.not_revoked", account_id=account.id, platform=account.platform, reason=str(error))
            return Farewell(revoked=False, sentence=f"{redact(str(error))} {_by_hand(account)}")
        return Farewell(revoked=True)

    def _alive(self, account: SocialAccount, platform: AnyPlatform, stored: Credentials) -> Credentials:
        """Credentials that the platform still listens to: a dead access token revokes nothing, so one that has run out is renewed."""
        credentials = with_app_credentials(stored, platform.name, self.refresher.settings)
        try:
            return self.refresher.refresh_if_needed(account.id, platform) or credentials
        except ClipcastError as error:
            log.info("account.not_renewed_for_farewell", account_id=account.id, reason=str(error))
            return credentials

    def _is_shared(self, session: Session, account: SocialAccount, platform: AnyPlatform, stored: Credentials) -> bool:
        others = store.others_connected(session, account)
        if account.external_id and any(other.external_id == account.external_id for other in others):
            return True  # the same account twice, from before that was refused: one of the two stays
        whose = platform.shares_consent(stored)
        return bool(whose) and any(platform.shares_consent(_readable(other, self.refresher)) == whose for other in others)


def disconnect(session: Session, account: SocialAccount, refresher: Refresher, farewell: Farewell, *, actor: str, scheduled: int) -> None:
    """Remove the account's credentials, which nothing brings back but a new consent. The account is the caller's, locked."""
    now = refresher.clock()
    _empty(account, refresher, now)
    details = {"revoked": farewell.revoked, "scheduled": scheduled}
    note(session, account, ledger.ACCOUNT_DISCONNECTED, now, actor=actor, **details)
    log.info("account.disconnected", account_id=account.id, platform=account.platform, **details)


def delete(session: Session, account: SocialAccount, now: datetime, *, actor: str) -> None:
    """Hide a disconnected account for good; its row and its history stay. The account is the caller's, locked."""
    account.deleted_at = account.updated_at = now
    account.main_account_id = None
    store.release_satellites(session, account.id)
    note(session, account, ledger.ACCOUNT_DELETED, now, actor=actor)
    log.info("account.deleted", account_id=account.id, platform=account.platform)


def _empty(account: SocialAccount, refresher: Refresher, now: datetime) -> None:
    seal(account, _NOTHING, refresher.vault)
    account.status, account.updated_at = "revoked", now
    account.refresh_lease_token = account.refresh_lease_until = account.refresh_again_at = None
    account.refresh_failures, account.warning = 0, None
    account.last_error = "Disconnected. Connect the account again to publish with it."


def _readable(account: SocialAccount, refresher: Refresher) -> Credentials:
    try:
        return opened(account, refresher.vault)
    except CredentialError:
        return _NOTHING


def _by_hand(account: SocialAccount) -> str:
    return f"The credentials are gone here; to be sure, remove the app in the settings of @{account.username} on {account.platform}."
