"""Token refresh: one in flight per account, across threads, processes and machines, and never a new token lost.

The lease on the account's row says who is asking the platform; it runs out by itself when its holder dies. What the platform answered is
saved only if the row still holds the credentials that were traded in: whoever replaced them meanwhile, a person or another refresh, wins.
Platforms may kill the old refresh token when they give out a new one, and count only the pair that they gave out last. So nothing is asked
so late that its answer might come after the lease, when somebody else may ask, too: whoever stood still until then sends nothing, and an
answer that is read late is older than what another refresh has saved. Where nobody has, it is saved however late it came. Where an answer
got lost, the lease stays on the row: should the next try be refused, the account can say why.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias
from uuid import uuid4

from clipcast import ledger
from clipcast.accounts import expiry, history, store
from clipcast.accounts.credentials import TOKENS, opened, seal
from clipcast.accounts.discretion import discreet
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import AccountInactive, with_app_credentials
from clipcast.accounts.vault import Vault
from clipcast.clock import Clock, boot_time_s
from clipcast.db.engine import Database
from clipcast.errors import (
    Busy,
    ClipcastError,
    ConfigurationError,
    NotFound,
    OutcomeUnknown,
    PlatformError,
    ReconnectRequired,
    ScopeLost,
    Throttled,
    Unavailable,
    WireError,
)
from clipcast.log import get_logger, redact
from clipcast.platforms.base import Answer, AnyPlatform, Credentials, Request
from clipcast.platforms.wire import unfenced
from clipcast.settings import Settings

LEASE: Final = timedelta(seconds=120)
"""Longer than `ASK_WITHIN` and the time that an answer may take (60 s)."""
ASK_WITHIN: Final = timedelta(seconds=50)
"""How long after the lease was written a request may still leave; finding and reaching the platform may take longer."""
MARGIN: Final = timedelta(minutes=10)
"""How long before its end a token is refreshed before a publish, so that it does not die between two requests."""
PASSING: Final = (WireError, Unavailable, Throttled, Busy)
"""Trouble that says nothing about the account, and that nobody has to do anything about."""
ACTOR: Final = "system:refresh"
"""Who did it, as the ledger names those who act."""
_SAVE_PAUSES_S: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, *[15.0] * 7)
"""Between the tries to save new tokens: in all as long as a lease, in which a database can be started anew."""
_LONGEST_SENTENCE: Final = 1000
_WARNING_CHARACTERS: Final = 850
_SCOPES_LOST: Final = "The owner or the platform took a permission away"

Result: TypeAlias = Literal["refreshed", "scope_lost", "not_needed", "someone_else", "cannot_be_renewed"]

log = get_logger(__name__)


def _unheard(_: str, __: str) -> None:
    """Nobody counts."""


class _TooLate(Exception):
    """We stood still before the request left: by its answer, somebody else may have the turn."""


class Sends(Protocol):
    """Performs one request; asks `check` right before anything leaves, and lets out what that raises."""

    def __call__(self, request: Request, /, *, check: Callable[[], None] = unfenced) -> Answer:
        """The platform's answer, whatever it says; raises a `WireError` where there is none."""


class LacksCredentials(ConfigurationError):
    """What the platform's API needs is neither set nor stored with the account, so that nothing can be sent for it."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What came of it: the credentials that the row holds now, without the app's; None while somebody else fetches new ones."""

    result: Result
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True)
class _Turn:
    """Ours to ask the platform: what to trade in, the lease that says so, and until when an earlier answer got lost, if one did.

    `asks_until_s` is when nothing may be asked any more, in seconds since the machine started.
    """

    stored: Credentials
    lease_token: str
    lost_until: datetime | None
    asks_until_s: float


@dataclass(frozen=True, slots=True)
class Refresher:
    """Trades refresh tokens for new access tokens. `send` may raise a `WireError`.

    `pause` waits so many seconds, and only where new tokens cannot be saved because the database is away.
    `heard` is told each request's platform and what came of it: `refreshed`, `refused`, `scope_lost`, `trouble` or `misconfigured`.
    """

    db: Database
    vault: Vault
    settings: Settings
    clock: Clock
    send: Sends
    jitter: Callable[[], float] = random.random
    heard: Callable[[str, str], None] = _unheard
    pause: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = field(default=boot_time_s, repr=False)

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
        if stored.expires_at > now and not expiry.renewable(platform, credentials):
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
        renewal = self._renew(account_id, platform, lambda stored: stored.get("access_token") != used_access_token)
        if renewal.credentials is None:
            return None
        return with_app_credentials(renewal.credentials, platform.name, self.settings)

    def renew(self, account_id: str, platform: AnyPlatform, margin: timedelta | None) -> Renewal:
        """Refresh a token that ends within `margin` (None: whenever it ends), unless it lives and cannot be renewed.

        Raises:
            LacksCredentials: nothing was sent; the account says what has to be set.
            and as `refresh`.
        """

        def is_good(stored: Credentials) -> bool:
            return expiry.lasts(platform, stored, self.clock(), margin)

        with self.db.reading() as session:
            account = store.get(session, account_id)
        stored = opened(account, self.vault)
        credentials = with_app_credentials(stored, platform.name, self.settings)
        if missing := platform.missing_credentials(credentials):
            raise self._lacking(account_id, platform, stored, missing)
        if not is_good(stored) and lives(stored, self.clock()) and not expiry.renewable(platform, credentials):
            return Renewal("cannot_be_renewed", stored)
        return self._renew(account_id, platform, is_good, is_early=_is_early(account, platform, self.clock()))

    def withdrawn(self, account_id: str, platform: AnyPlatform, used_access_token: str, error: ReconnectRequired) -> None:
        """The platform says, without being asked for a new token, that the owner took this one's access away: write it down.

        Somebody may have connected the account again meanwhile, or deleted it; then it stays as it is.
        """
        now = self.clock()
        with suppress(NotFound), self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            if account.status != "active" or opened(account, self.vault).get("access_token") != used_access_token:
                return
            account.status = "expired"
            _remember(account, error, now)
            history.note(session, account, ledger.ACCOUNT_EXPIRED, now, actor=ACTOR, reason=account.last_error)
            log.warning("account.expired", account_id=account_id, platform=platform.name, reason=str(error))

    def _renew(self, account_id: str, platform: AnyPlatform, is_good: Callable[[Credentials], bool], *, is_early: bool = False) -> Renewal:
        """`is_early`: the token has not begun to expire, so that no harm is done when a new one cannot be had (Instagram: too young)."""
        turn = self._take_turn(account_id, is_good)
        if isinstance(turn, Renewal):
            return turn
        try:
            fresh = self._ask(turn, platform)
        except _TooLate:
            return self._missed(account_id, turn)
        except ReconnectRequired as error:
            if isinstance(error, ScopeLost) and lives(turn.stored, self.clock()):
                self._troubled(account_id, turn, platform, error, is_early=False)
                raise
            return Renewal("someone_else", self._refused(account_id, turn, platform, error))
        except ClipcastError as error:
            self._troubled(account_id, turn, platform, error, is_early=is_early)
            raise
        self.heard(platform.name, "refreshed")
        return self._save(account_id, turn, platform, fresh)

    def _take_turn(self, account_id: str, is_good: Callable[[Credentials], bool]) -> _Turn | Renewal:
        """Our turn, unless the stored credentials are good by now or somebody else is at it."""
        now, asks_until_s = self.clock(), self.monotonic() + ASK_WITHIN.total_seconds()
        with self.db.writing() as session:
            account = store.lock_if_free(session, account_id)
            if account is None:
                return Renewal("someone_else")
            if account.status in {"disabled", "revoked"}:
                raise AccountInactive(f"The account @{account.username} is {account.status}; its token is not refreshed.")
            stored = opened(account, self.vault)
            if is_good(stored):
                return Renewal("not_needed", stored)
            if account.refresh_lease_until is not None and account.refresh_lease_until > now:
                return Renewal("someone_else")
            lost_until = account.refresh_lease_until if account.refresh_lease_token is not None else None
            account.refresh_lease_token, account.refresh_lease_until = str(uuid4()), now + LEASE
            return _Turn(stored, account.refresh_lease_token, lost_until, asks_until_s)

    def _ask(self, turn: _Turn, platform: AnyPlatform) -> Credentials:
        """What the platform gave: only the values that are new, and when they end; raises _TooLate when it was not asked."""

        def check() -> None:
            if self.monotonic() > turn.asks_until_s:
                raise _TooLate

        credentials = with_app_credentials(turn.stored, platform.name, self.settings)
        answer = self.send(platform.refresh_request(credentials), check=check)
        with discreet(credentials, [answer]):
            fresh = platform.refreshed(credentials, answer, self.clock())
        new = {name: value for name, value in fresh.values.items() if credentials.get(name) != value}
        return Credentials(new, expires_at=fresh.expires_at, refresh_expires_at=fresh.refresh_expires_at)

    def _missed(self, account_id: str, turn: _Turn) -> Renewal:
        """Nothing was asked, so nothing got lost: somebody else may have the turn, and has it perhaps."""
        with self.db.writing() as session:
            _give_back(store.get_for_update(session, account_id), turn, lost_at=turn.lost_until)
        log.warning("account.refresh_too_late", account_id=account_id)
        return Renewal("someone_else")

    def _save(self, account_id: str, turn: _Turn, platform: AnyPlatform, fresh: Credentials) -> Renewal:
        """Store the new tokens. Stubborn for as long as a lease, because the old refresh token may be dead already."""
        gives_up_at = self.clock() + LEASE
        for pause_s in _SAVE_PAUSES_S:
            try:
                return self._save_once(account_id, turn, platform, fresh)
            except Busy as error:
                if self.clock() + timedelta(seconds=pause_s) > gives_up_at:
                    raise
                log.warning("account.refresh_not_saved_yet", account_id=account_id, reason=str(error))
                self.pause(pause_s)
        return self._save_once(account_id, turn, platform, fresh)

    def _save_once(self, account_id: str, turn: _Turn, platform: AnyPlatform, fresh: Credentials) -> Renewal:
        now = self.clock()
        with self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            _give_back(account, turn)
            current = opened(account, self.vault)
            if not _same_tokens(current, turn.stored):
                log.warning("account.refresh_superseded", account_id=account_id)
                return Renewal("someone_else", current)
            saved = replace(fresh, values={**current.values, **fresh.values})
            seal(account, saved, self.vault)
            missing = platform.scopes_missing(saved)
            lost = sorted({*missing} - {*platform.scopes_missing(current)}) if current.scopes else []
            account.warning = scope_warning(lost or missing) if lost or (missing and _tells_of_scopes(account)) else None
            account.refresh_failures, account.refresh_again_at, account.last_error = 0, None, None
            account.last_refreshed = account.updated_at = now
            if account.status == "expired":
                account.status = "active"
                history.note(session, account, ledger.ACCOUNT_RECOVERED, now, actor=ACTOR)
        log.info("account.refreshed", account_id=account_id, platform=platform.name, expires_at=fresh.expires_at)
        return Renewal("scope_lost" if lost else "refreshed", saved)

    def _refused(self, account_id: str, turn: _Turn, platform: AnyPlatform, error: ReconnectRequired) -> Credentials:
        """Write down that the owner must connect again, unless somebody has brought newer credentials meanwhile: then those."""
        self.heard(platform.name, "refused")
        if turn.lost_until is not None:
            error = replace(error, sentence=f"{lost_answer(turn.lost_until)} {error.sentence}")
        now = self.clock()
        with self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            _give_back(account, turn)
            current = opened(account, self.vault)
            if not _same_tokens(current, turn.stored):
                return current
            account.refresh_again_at = account.warning = None
            _remember(account, error, now)
            if account.status == "active":
                account.status = "expired"
                history.note(session, account, ledger.ACCOUNT_EXPIRED, now, actor=ACTOR, reason=account.last_error)
        log.warning("account.expired", account_id=account_id, platform=platform.name, reason=str(error))
        raise error

    def _lacking(self, account_id: str, platform: AnyPlatform, stored: Credentials, missing: list[str]) -> LacksCredentials:
        """Write down what has to be set before anything can be sent, and when to look again, where it is time for a new token."""
        error = LacksCredentials(f"The account cannot be live, and its token is not renewed: {', '.join(missing)} is missing.")
        now = self.clock()
        with self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            is_busy = account.refresh_lease_until is not None and account.refresh_lease_until > now
            is_ours = not is_busy and _same_tokens(opened(account, self.vault), stored)
            if account.status == "active" and is_ours and not _is_early(account, platform, now):
                self._plan(account, error, now)
        return error

    def _plan(self, account: SocialAccount, error: ClipcastError, now: datetime) -> None:
        """Plan the next try, and tell the owner."""
        _remember(account, error, now)
        # A publish that asks in between, again and again, neither counts nor moves what was planned.
        if account.refresh_again_at is None or account.refresh_again_at <= now:
            account.refresh_failures += 1
            account.refresh_again_at = expiry.try_again_at(account.refresh_failures, error, now, self.jitter())
        account.warning = _failure_warning(account, error, now)

    def _troubled(self, account_id: str, turn: _Turn, platform: AnyPlatform, error: ClipcastError, *, is_early: bool) -> None:
        """Write down when to try again. The account keeps its state: whatever this is, its owner did nothing wrong."""
        now = self.clock()
        kind = "trouble" if isinstance(error, PASSING) else "scope_lost" if isinstance(error, ScopeLost) else "misconfigured"
        self.heard(platform.name, kind)
        with self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            _give_back(account, turn, lost_at=now if _may_have_worked(error) else turn.lost_until)
            if is_early or not _same_tokens(opened(account, self.vault), turn.stored):
                return  # who connected or disconnected the account meanwhile is not told of tokens that are gone
            self._plan(account, error, now)
            facts = {"failures": account.refresh_failures, "again_at": account.refresh_again_at}
        say = log.error if kind == "misconfigured" else log.warning
        say("account.refresh_failed", account_id=account_id, platform=platform.name, error=type(error).__name__, reason=str(error), **facts)


def scope_warning(lost: list[str]) -> str:
    """What to tell the owner of an account whose token works, though no longer for all that it was given for."""
    return f"{_SCOPES_LOST} ({', '.join(lost)}). Connect the account again and allow everything."


def _tells_of_scopes(account: SocialAccount) -> bool:
    """Whether its owner was told before, and has not connected it again since."""
    return account.warning is not None and _SCOPES_LOST in account.warning


def _give_back(account: SocialAccount, turn: _Turn, lost_at: datetime | None = None) -> None:
    """End the lease; what is left of it says that an answer got lost, and until when."""
    if account.refresh_lease_token == turn.lease_token:
        account.refresh_lease_token = turn.lease_token if lost_at else None
        account.refresh_lease_until = lost_at


def _remember(account: SocialAccount, error: ClipcastError, now: datetime) -> None:
    account.last_error = redact(str(error))[:_LONGEST_SENTENCE]
    account.updated_at = now


def _failure_warning(account: SocialAccount, error: ClipcastError, now: datetime) -> str:
    again = f" The next try is at {account.refresh_again_at:%Y-%m-%d %H:%M} UTC." if account.refresh_again_at else ""
    lives = account.expires_at is not None and account.expires_at > now
    until = f" Until {account.expires_at:%Y-%m-%d %H:%M} UTC the account works." if lives else ""
    earlier = f" {_SCOPES_LOST}, too: connect the account again." if _tells_of_scopes(account) else ""
    return redact(f"Its token could not be renewed at {now:%Y-%m-%d %H:%M} UTC: {error}{again}{until}")[:_WARNING_CHARACTERS] + earlier


def lost_answer(until: datetime) -> str:
    """Why an account may be refused that did nothing wrong."""
    return (
        f"The answer to an earlier renewal was lost shortly before {until:%Y-%m-%d %H:%M} UTC, because Clipcast was stopped or the "
        "connection broke, and with it perhaps the only valid token."
    )


def _may_have_worked(error: ClipcastError) -> bool:
    """Whether the platform may have given out new tokens that never reached us."""
    return isinstance(error, OutcomeUnknown) or (isinstance(error, PlatformError) and not error.refused)


def lives(credentials: Credentials, now: datetime) -> bool:
    """Whether the access token has not ended, as far as is known."""
    return credentials.expires_at is None or credentials.expires_at > now


def _is_early(account: SocialAccount, platform: AnyPlatform, now: datetime) -> bool:
    """Whether its token need not be renewed yet, so that no harm is done when that cannot be."""
    if account.expires_at is None:
        return platform.renews_by == "access_token" and (account.connected_at or account.created_at) > now - expiry.SETTLED
    return account.expires_at > now + platform.refresh_margin


def _same_tokens(one: Credentials, other: Credentials) -> bool:
    return all(one.get(name) == other.get(name) for name in TOKENS)
