"""Token refresh: one in flight per account, across threads and processes, and never a new token lost.

The lease on the account's row says who is asking the platform; it runs out by itself when its holder dies. What the platform answered is
saved only if the row still holds the credentials that were traded in: whoever replaced them meanwhile, a person or another refresh, wins.
Platforms may kill the old refresh token when they give out a new one, so an answer is never dropped for having come late.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from clipcast.accounts import store
from clipcast.accounts.credentials import opened, seal
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import AccountInactive, with_app_credentials
from clipcast.accounts.vault import Vault
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import Busy, ClipcastError, ReconnectRequired
from clipcast.log import get_logger, redact
from clipcast.platforms.base import Answer, AnyPlatform, Credentials, Request
from clipcast.settings import Settings

LEASE: Final = timedelta(seconds=120)
"""Longer than a request and its answer may take (30 s to connect, 60 s for the answer)."""
MARGIN: Final = timedelta(minutes=10)
"""How long before its end a token is refreshed before a publish, so that it does not die between two requests."""
_TRIES_TO_SAVE: Final = 3
_LAST_ERROR_CHARACTERS: Final = 1000

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Ours to ask the platform: what to trade in, and the lease that says so."""

    stored: Credentials
    lease_token: str


@dataclass(frozen=True, slots=True)
class Refresher:
    """Trades refresh tokens for new access tokens. `send` performs one request and may raise a `WireError`. Nothing sleeps."""

    db: Database
    vault: Vault
    settings: Settings
    clock: Clock
    send: Callable[[Request], Answer]

    def refresh_if_needed(self, account_id: str, platform: AnyPlatform, margin: timedelta = MARGIN) -> Credentials | None:
        """Credentials good for `margin`: the stored ones if they are, otherwise refreshed; None while somebody else refreshes them.

        Stored ones are also returned when they cannot be refreshed but still live.

        Raises:
            as `refresh`.
        """
        with self.db.reading() as session:
            stored = opened(store.get(session, account_id), self.vault)
        credentials = with_app_credentials(stored, platform.name, self.settings)
        now = self.clock()
        if stored.expires_at is None or stored.expires_at > now + margin:
            return credentials
        if stored.expires_at > now and not _renewable(platform, credentials):
            return credentials
        return self.refresh(account_id, platform, stored.get("access_token"))

    def refresh(self, account_id: str, platform: AnyPlatform, used_access_token: str) -> Credentials | None:
        """Credentials with another access token than the one that failed; None while somebody else is asking for it: look again soon.

        Raises:
            ReconnectRequired: the platform refused, or there is no refresh token; the account is `expired` now and says why.
            AccountInactive: the account is disabled or was revoked.
            CredentialError: the stored credentials cannot be decrypted.
            WireError, PlatformError: trouble that may pass; the account keeps its state and remembers the sentence.
        """
        turn = self._take_turn(account_id, used_access_token)
        if turn is None:
            return None
        if isinstance(turn, Credentials):
            return with_app_credentials(turn, platform.name, self.settings)
        try:
            fresh = self._ask(turn.stored, platform)
        except ReconnectRequired as error:
            return self._refused(account_id, turn, platform, error)
        except ClipcastError as error:
            self._troubled(account_id, turn, error)
            raise
        return with_app_credentials(self._save(account_id, turn, fresh), platform.name, self.settings)

    def withdrawn(self, account_id: str, platform: AnyPlatform, used_access_token: str, error: ReconnectRequired) -> None:
        """The platform says, without being asked for a new token, that the owner took this one's access away: write it down.

        Somebody may have connected the account again meanwhile; then it stays as it is.
        """
        with self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            if account.status != "active" or opened(account, self.vault).get("access_token") != used_access_token:
                return
            account.status = "expired"
            _remember(account, error, self.clock())
        log.warning("account.expired", account_id=account_id, platform=platform.name, reason=str(error))

    def _take_turn(self, account_id: str, used_access_token: str) -> _Turn | Credentials | None:
        """Our turn, or the credentials that somebody else has fetched already, or None while somebody else is at it."""
        now = self.clock()
        with self.db.writing() as session:
            account = store.lock_if_free(session, account_id)
            if account is None:
                return None
            if account.status in {"disabled", "revoked"}:
                raise AccountInactive(f"The account @{account.username} is {account.status}; its token is not refreshed.")
            stored = opened(account, self.vault)
            if stored.get("access_token") != used_access_token:
                return stored
            if account.refresh_lease_until is not None and account.refresh_lease_until > now:
                return None
            account.refresh_lease_token, account.refresh_lease_until = str(uuid4()), now + LEASE
            return _Turn(stored, account.refresh_lease_token)

    def _ask(self, stored: Credentials, platform: AnyPlatform) -> Credentials:
        """What the platform gave: only the values that are new, and when they end."""
        credentials = with_app_credentials(stored, platform.name, self.settings)
        answer = self.send(platform.refresh_request(credentials))
        fresh = platform.refreshed(credentials, answer, self.clock())
        new = {name: value for name, value in fresh.values.items() if credentials.get(name) != value}
        return Credentials(new, expires_at=fresh.expires_at, refresh_expires_at=fresh.refresh_expires_at)

    def _save(self, account_id: str, turn: _Turn, fresh: Credentials) -> Credentials:
        """Store the new tokens; returns what the row holds then. Stubborn, because the old refresh token may be dead already."""
        for _ in range(_TRIES_TO_SAVE - 1):
            try:
                return self._save_once(account_id, turn, fresh)
            except Busy as error:
                log.warning("account.refresh_not_saved_yet", account_id=account_id, reason=str(error))
        return self._save_once(account_id, turn, fresh)

    def _save_once(self, account_id: str, turn: _Turn, fresh: Credentials) -> Credentials:
        now = self.clock()
        with self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            _give_back(account, turn)
            current = opened(account, self.vault)
            if not _same_tokens(current, turn.stored):
                log.warning("account.refresh_superseded", account_id=account_id)
                return current
            saved = replace(fresh, values={**current.values, **fresh.values})
            seal(account, saved, self.vault)
            account.last_refreshed = account.updated_at = now
            account.last_error = None
            if account.status == "expired":
                account.status = "active"
        log.info("account.refreshed", account_id=account_id, expires_at=fresh.expires_at)
        return saved

    def _refused(self, account_id: str, turn: _Turn, platform: AnyPlatform, error: ReconnectRequired) -> Credentials:
        """Write down that the owner must connect again, unless somebody has brought newer credentials meanwhile: then those."""
        with self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            _give_back(account, turn)
            current = opened(account, self.vault)
            if not _same_tokens(current, turn.stored):
                return with_app_credentials(current, platform.name, self.settings)
            if account.status == "active":
                account.status = "expired"
            _remember(account, error, self.clock())
        log.warning("account.expired", account_id=account_id, platform=platform.name, reason=str(error))
        raise error

    def _troubled(self, account_id: str, turn: _Turn, error: ClipcastError) -> None:
        with self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            _give_back(account, turn)
            _remember(account, error, self.clock())
        log.warning("account.refresh_failed", account_id=account_id, error=type(error).__name__, reason=str(error))


def _give_back(account: SocialAccount, turn: _Turn) -> None:
    if account.refresh_lease_token == turn.lease_token:
        account.refresh_lease_token = account.refresh_lease_until = None


def _remember(account: SocialAccount, error: ClipcastError, now: datetime) -> None:
    account.last_error = redact(str(error))[:_LAST_ERROR_CHARACTERS]
    account.updated_at = now


def _same_tokens(one: Credentials, other: Credentials) -> bool:
    return all(one.get(name) == other.get(name) for name in ("access_token", "refresh_token"))


def _renewable(platform: AnyPlatform, credentials: Credentials) -> bool:
    """Whether there is anything to trade in; the platform knows what it takes."""
    try:
        platform.refresh_request(credentials)
    except ReconnectRequired:
        return False
    return True
