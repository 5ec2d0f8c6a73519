"""Tokens that stay alive: every expiring one is refreshed in time, every dead one is called dead. Several machines may do this at once."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clipcast import ledger
from clipcast.accounts import expiry, history, store
from clipcast.accounts.credentials import opened
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.outcomes import SENTENCES, Outcome, Report, Result
from clipcast.accounts.provider import AccountInactive
from clipcast.accounts.refresh import ACTOR, PASSING, LacksCredentials, Refresher, lost_answer
from clipcast.accounts.vault import CredentialError
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import (
    Busy,
    ClipcastError,
    ConfigurationError,
    InvalidRequest,
    NotFound,
    ProtocolError,
    Rejected,
    ScopeLost,
    Throttled,
    Unavailable,
    WireError,
)
from clipcast.log import get_logger
from clipcast.platforms.base import AnyPlatform

CONCURRENCY: Final = 16
"""How many refreshes are under way at once: they wait for the platforms, and hardly work."""
PATIENCE: Final = 8
"""After so many failures in a row that befall all, the platform is left alone until the next round."""
_BEFALL_ALL: Final = (WireError, Unavailable, Rejected, ConfigurationError, ProtocolError)
_INACTIVE: Final = frozenset({"disabled", "revoked"})

log = get_logger(__name__)


@dataclass(frozen=True)
class Upkeep:
    """Looks after the tokens of all accounts, through one `Refresher`. `concurrency` requests at a time."""

    db: Database
    clock: Clock
    refresher: Refresher
    platforms: Mapping[str, AnyPlatform]
    concurrency: int = CONCURRENCY

    def refresh_expiring(self, *, dry_run: bool = False, paused_too: bool = False, stopped: Callable[[], bool] = lambda: False) -> Report:
        """Refresh every token that ends within its platform's margin and whose next try is due; what fails, fails alone.

        So is, once a day, a token of which nobody knows when it ends, where there is something to trade in. Whoever asks by hand wants
        those `paused_too` whose last try failed a moment ago.

        A dry run sends and changes nothing. Once `stopped` says so, nothing new is begun. With CLIPCAST_SIMULATION=always nothing is
        refreshed: whoever tries things out on a copy of the database must not use up the tokens of those who publish.
        """
        outcomes: list[Outcome] = []
        left_alone: list[str] = []
        for platform in self.platforms.values() if self._is_live else ():
            failures = 0
            accounts = self._expiring(platform, paused_too=paused_too)
            for outcome in self._each(accounts, dry_run=dry_run, stopped=lambda: stopped() or failures >= PATIENCE):  # noqa: B023  # asked within this turn of the loop
                outcomes.append(outcome)
                failures = failures + 1 if outcome.befalls_all else 0
            if failures >= PATIENCE:
                left_alone.append(platform.name)
                log.error("accounts.platform_left_alone", platform=platform.name, reason=outcomes[-1].sentence)
        return Report(tuple(outcomes), dry_run=dry_run, left_alone=tuple(left_alone))

    def refresh_one(self, account_id: str, *, dry_run: bool = False) -> Outcome:
        """Refresh this account's token, even if it is good for long yet.

        Raises:
            NotFound: no such account.
            AccountInactive: it is disabled or was revoked.
            InvalidRequest: it publishes to the simulator, so that there is nothing to refresh.
        """
        with self.db.reading() as session:
            account = store.get(session, account_id)
        if account.status in _INACTIVE:
            raise AccountInactive(f"The account @{account.username} is {account.status}; its token is not refreshed.")
        if account.credentials is None or account.platform not in self.platforms:
            raise InvalidRequest(f"The account @{account.username} publishes to the simulator: it has no credentials to refresh.")
        if not self._is_live:
            raise InvalidRequest("CLIPCAST_SIMULATION=always: no account publishes live here, so no token is refreshed.")
        return self._kept(account, None, dry_run=dry_run)

    def clean_up(self) -> Report:
        """Call dead what has died: accounts whose access token has ended and cannot be renewed. Drop consents that nobody finished."""
        now = self.clock()
        pages = _pages(lambda after: self._read_ended(now, after))
        outcomes = [self._buried(account, now) for account in pages if self._is_over(account, now)]
        with self.db.writing() as session:
            dropped = store.forget_links(session, now)
        return Report(tuple(outcome for outcome in outcomes if outcome is not None), links_dropped=dropped)

    @property
    def _is_live(self) -> bool:
        return self.refresher.settings.simulation != "always"

    def _expiring(self, platform: AnyPlatform, *, paused_too: bool) -> Iterator[SocialAccount]:
        now = self.clock()

        def page(after: SocialAccount | None) -> list[SocialAccount]:
            with self.db.reading() as session:
                return store.expiring(session, platform.name, now + platform.refresh_margin, now, paused_too=paused_too, after=after)

        def page_of_unknown_end(after: SocialAccount | None) -> list[SocialAccount]:
            with self.db.reading() as session:
                return store.of_unknown_end(session, platform.name, now - expiry.SETTLED, now, paused_too=paused_too, after=after)

        yield from _pages(page)
        yield from (account for account in _pages(page_of_unknown_end) if self._is_renewable(account, platform))

    def _is_renewable(self, account: SocialAccount, platform: AnyPlatform) -> bool:
        """Whether it has anything to trade in: a Page token has no end, and nobody needs to hear of what cannot be renewed."""
        try:
            return expiry.renewable(platform, opened(account, self.refresher.vault))
        except CredentialError:
            return True  # which is told where it is tried

    def _read_ended(self, now: datetime, after: SocialAccount | None) -> list[SocialAccount]:
        with self.db.reading() as session:
            return store.ended(session, now, after=after)

    def _each(self, accounts: Iterator[SocialAccount], *, dry_run: bool, stopped: Callable[[], bool]) -> Iterator[Outcome]:
        """What became of each, in the order in which they end; no more than `concurrency` are under way."""
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="clipcast-refresh") as threads:
            under_way: set[Future[Outcome]] = set()
            while not stopped() and (account := next(accounts, None)) is not None:
                margin = self.platforms[account.platform].refresh_margin
                under_way.add(threads.submit(self._kept, account, margin, dry_run=dry_run))
                if len(under_way) == self.concurrency:
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            yield from (future.result() for future in under_way)

    def _kept(self, account: SocialAccount, margin: timedelta | None, *, dry_run: bool) -> Outcome:
        platform = self.platforms[account.platform]
        try:
            if dry_run:
                return self._foreseen(account, platform, margin)
            renewal = self.refresher.renew(account.id, platform, margin)
            if renewal.result == "cannot_be_renewed":
                self._leave_to_end(account.id)
        except ClipcastError as error:
            return self._failed(account, error)
        except Exception as error:  # a bug met by one account must not cost the others their tokens
            log.exception("account.refresh_bug", account_id=account.id, platform=account.platform)
            return _outcome(account, "retry_later", f"A bug of Clipcast's ({type(error).__name__}); please report it with the log.")
        ends_at = renewal.credentials.expires_at if renewal.credentials else account.expires_at
        return _outcome(account, renewal.result, SENTENCES[renewal.result], expires_at=ends_at)

    def _foreseen(self, account: SocialAccount, platform: AnyPlatform, margin: timedelta | None) -> Outcome:
        """What would become of it, by what is stored."""
        now = self.clock()
        stored = opened(account, self.refresher.vault)
        expected = expiry.forecast(platform, stored)
        if account.refresh_lease_until is not None and account.refresh_lease_until > now:
            return _outcome(account, "someone_else", SENTENCES["someone_else"])
        if expected.is_over(now):
            return _outcome(account, "reconnect_needed", _over(account, now))
        if expiry.lasts(platform, stored, now, margin):
            return _outcome(account, "not_needed", SENTENCES["not_needed"])
        if not expected.renewable:
            return _outcome(account, "cannot_be_renewed", SENTENCES["cannot_be_renewed"])
        return _outcome(account, "refreshed", "A new token would be asked for.")

    def _failed(self, account: SocialAccount, error: ClipcastError) -> Outcome:
        """The outcome of trouble, which the refresher has written down already as far as it concerns the account."""
        if isinstance(error, AccountInactive | NotFound):
            return _outcome(account, "not_needed", str(error))
        if isinstance(error, CredentialError | ConfigurationError):
            log.error("account.not_refreshed", account_id=account.id, platform=account.platform, reason=str(error))
        now_stored = self._as_stored(account)
        told_at = self.clock() + timedelta(seconds=error.retry_after_s) if isinstance(error, Throttled) else None
        again_at = now_stored.refresh_again_at or told_at
        if now_stored.status == "expired":
            return _outcome(now_stored, "reconnect_needed", str(error))
        result: Result = "scope_lost" if isinstance(error, ScopeLost) else "retry_later" if isinstance(error, PASSING) else "misconfigured"
        befalls_all = isinstance(error, _BEFALL_ALL) and not isinstance(error, LacksCredentials)  # for which nothing was sent
        return _outcome(now_stored, result, str(error), again_at=again_at, befalls_all=befalls_all)

    def _as_stored(self, account: SocialAccount) -> SocialAccount:
        """What the refresher has written down; the account at hand where it is gone, or the database away as well."""
        try:
            with self.db.reading() as session:
                return store.find(session, account.id) or account
        except Busy as error:
            log.warning("account.not_read_back", account_id=account.id, platform=account.platform, reason=str(error))
            return account

    def _leave_to_end(self, account_id: str) -> None:
        """Look at it again when it has ended, and not every half hour until then."""
        with self.db.writing() as session:
            account = store.get_for_update(session, account_id)
            if account.expires_at is not None and account.refresh_again_at != account.expires_at:
                account.refresh_again_at = account.expires_at
                account.warning = (
                    f"Its access ends at {account.expires_at:%Y-%m-%d %H:%M} UTC and cannot be renewed: connect the account again before."
                )

    def _is_over(self, account: SocialAccount, now: datetime) -> bool:
        platform = self.platforms.get(account.platform)
        try:
            stored = opened(account, self.refresher.vault)
        except CredentialError:
            return False  # nobody can say; the missing key may come back
        return platform is not None and expiry.forecast(platform, stored).is_over(now)

    def _buried(self, account: SocialAccount, now: datetime) -> Outcome | None:
        """Mark it as expired, unless somebody changed or refreshes it meanwhile."""
        with self.db.writing() as session:
            row = store.get_for_update(session, account.id)
            is_busy = row.refresh_lease_until is not None and row.refresh_lease_until > now
            if row.status != "active" or row.credentials != account.credentials or is_busy:
                return None
            reason = _over(row, now)
            row.status, row.last_error, row.warning, row.refresh_again_at, row.updated_at = "expired", reason, None, None, now
            history.note(session, row, ledger.ACCOUNT_EXPIRED, now, actor=ACTOR, reason=reason)
        log.warning("account.expired", account_id=account.id, platform=account.platform, reason=reason)
        return _outcome(row, "reconnect_needed", reason)


def _pages(read: Callable[[SocialAccount | None], list[SocialAccount]]) -> Iterator[SocialAccount]:
    """All rows, of which only one page is in memory; each page is read when it is needed."""
    page = read(None)
    while page:
        yield from page
        page = read(page[-1])


def _outcome(
    account: SocialAccount,
    result: Result,
    sentence: str,
    *,
    expires_at: datetime | None = None,
    again_at: datetime | None = None,
    befalls_all: bool = False,
) -> Outcome:
    return Outcome(
        account.id,
        account.platform,
        account.username,
        result,
        sentence,
        expires_at or account.expires_at,
        again_at,
        befalls_all=befalls_all,
    )


def _over(account: SocialAccount, now: datetime) -> str:
    """Why nothing can be done any more, for the owner."""
    was_lost = account.refresh_lease_token is not None and account.refresh_lease_until is not None and account.refresh_lease_until <= now
    why = f"{lost_answer(account.refresh_lease_until)} " if was_lost and account.refresh_lease_until else ""
    return f"{why}Its access ended at {account.expires_at:%Y-%m-%d %H:%M} UTC and cannot be renewed any more: connect the account again."
