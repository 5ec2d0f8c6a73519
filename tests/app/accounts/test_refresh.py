"""Refresh: exactly one per account, whoever asks, and no new token is ever lost."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from clipcast.accounts import store
from clipcast.accounts.credentials import get_account_credentials, set_account_credentials
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import AccountInactive
from clipcast.accounts.refresh import ASK_WITHIN, LEASE, Refresher
from clipcast.accounts.vault import CredentialError, Vault
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import Busy, NotFound, NotSent, OutcomeUnknown, ReconnectRequired, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form, Request
from clipcast.platforms.tiktok import TikTok
from clipcast.platforms.wire import unfenced
from clipcast.settings import load_settings

VAULT = Vault([b"k" * 32])
PLATFORM = TikTok()


@dataclass
class TokenServer:
    """TikTok's token endpoint at its strictest: each refresh kills the refresh token that was traded in."""

    living: str = "rft.0"
    requests: list[dict[str, str]] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def send(self, request: Request) -> Answer:
        assert isinstance(request.body, Form)
        with self._turn:
            self.requests.append(dict(request.body.fields))
            if request.body.fields["refresh_token"] != self.living:
                return _answer(400, error="invalid_grant", error_description="Refresh token is invalid or expired.")
            self.living = f"rft.{len(self.requests)}"
            return _answer(200, **_tokens(len(self.requests)), expires_in=86400, refresh_expires_in=31536000)


def _answer(status: int, **body: Any) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())


def _tokens(number: int) -> dict[str, str]:
    return {"access_token": f"act.{number}", "refresh_token": f"rft.{number}"}


APP = {"client_key": "ck", "client_secret": "cs"}


@pytest.fixture
def server() -> TokenServer:
    return TokenServer()


@pytest.fixture
def account_id(db: Database, clock: Clock) -> str:
    row = SocialAccount(
        id="account-1", platform="tiktok", username="maker", kind="main", status="active", created_at=clock(), updated_at=clock()
    )
    with db.writing() as session:
        store.add(session, row)
    credentials = Credentials(_tokens(0), expires_at=clock() + timedelta(hours=1))
    set_account_credentials(db, "account-1", credentials, VAULT, clock())
    return "account-1"


@pytest.fixture
def refresher(db: Database, clock: Clock, server: TokenServer) -> Refresher:
    return refresher_with(db, clock, server.send)


def refresher_with(db: Database, clock: Clock, send: Callable[[Request], Answer]) -> Refresher:
    settings = load_settings(data_dir=Path("unused"), tiktok_client_key="ck", tiktok_client_secret="cs")

    def checked(request: Request, *, check: Callable[[], None] = unfenced) -> Answer:
        check()
        return send(request)

    return Refresher(db, VAULT, settings, clock, checked)


def row_of(db: Database, account_id: str) -> SocialAccount:
    with db.reading() as session:
        return store.get(session, account_id)


def stored(db: Database, account_id: str) -> Credentials:
    return get_account_credentials(db, account_id, VAULT)


def test_a_refresh_stores_the_new_tokens_and_gives_them_back(
    db: Database, refresher: Refresher, account_id: str, server: TokenServer, clock: Clock
) -> None:
    fresh = refresher.refresh(account_id, PLATFORM, "act.0")
    assert fresh is not None
    assert fresh.values == {**_tokens(1), **APP}
    assert server.requests == [{**APP, "refresh_token": "rft.0", "grant_type": "refresh_token"}]
    row = row_of(db, account_id)
    assert row.expires_at == clock() + timedelta(days=1)
    assert row.last_refreshed == clock()
    assert (row.status, row.last_error, row.refresh_lease_until, row.refresh_lease_token) == ("active", None, None, None)


def test_what_the_settings_lent_is_not_stored_with_the_account(db: Database, refresher: Refresher, account_id: str) -> None:
    refresher.refresh(account_id, PLATFORM, "act.0")
    assert stored(db, account_id).values == _tokens(1)


def test_a_token_that_somebody_else_fetched_costs_no_request(refresher: Refresher, account_id: str, server: TokenServer) -> None:
    refresher.refresh(account_id, PLATFORM, "act.0")
    again = refresher.refresh(account_id, PLATFORM, "act.0")
    assert again is not None
    assert again.get("access_token") == "act.1"
    assert len(server.requests) == 1


@pytest.mark.usefixtures("many_connections")
@pytest.mark.timeout(600)  # it may have to wait for another with many connections
def test_fifty_threads_make_one_request(db: Database, database_url: str, clock: Clock, account_id: str, server: TokenServer) -> None:
    """On two sets of connections, as in two processes: each thread gets the new token or is told to look again, none to connect again."""
    other = Database(database_url)
    refreshers = [refresher_with(each, clock, server.send) for each in (db, other)]
    with ThreadPoolExecutor(50) as threads:
        results = list(threads.map(lambda number: refreshers[number % 2].refresh(account_id, PLATFORM, "act.0"), range(50)))
    other.close()
    assert len(server.requests) == 1
    assert {result.get("access_token") for result in results if result is not None} == {"act.1"}
    assert stored(db, account_id).values == _tokens(1)


def test_while_one_asks_the_others_are_told_to_wait(db: Database, clock: Clock, account_id: str, server: TokenServer) -> None:
    seen: list[Credentials | None] = []

    def send(request: Request) -> Answer:
        seen.append(refresher_with(db, clock, server.send).refresh(account_id, PLATFORM, "act.0"))
        return server.send(request)

    assert refresher_with(db, clock, send).refresh(account_id, PLATFORM, "act.0") is not None
    assert seen == [None]
    assert len(server.requests) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_locked_row_is_skipped_on_postgresql(db: Database, refresher: Refresher, account_id: str, server: TokenServer) -> None:
    """On SQLite the lock is the whole database's, and short; there one waits."""
    with db.writing() as session:
        store.get_for_update(session, account_id)
        assert refresher.refresh(account_id, PLATFORM, "act.0") is None
    assert server.requests == []


def test_a_dead_holder_is_replaced_when_its_lease_has_run_out(db: Database, clock: Any, account_id: str, server: TokenServer) -> None:
    """Killed between taking its turn and asking: nobody asks for two minutes, then somebody does."""

    class Killed(BaseException):
        pass

    def die(_: Request) -> Answer:
        raise Killed

    with pytest.raises(Killed):
        refresher_with(db, clock, die).refresh(account_id, PLATFORM, "act.0")
    successor = refresher_with(db, clock, server.send)
    clock.advance(LEASE.total_seconds() - 1)
    assert successor.refresh(account_id, PLATFORM, "act.0") is None
    clock.advance(1)
    assert successor.refresh(account_id, PLATFORM, "act.0") is not None
    assert len(server.requests) == 1


def test_an_answer_that_came_late_is_kept_while_nobody_else_was_answered(
    db: Database, clock: Any, account_id: str, server: TokenServer
) -> None:
    """The lease ran out and another one took its turn: whoever is answered first has the good tokens, and both give them back."""
    late = refresher_with(db, clock, server.send)

    def overtaken(request: Request) -> Answer:
        clock.advance(LEASE.total_seconds() + 1)
        assert late.refresh(account_id, PLATFORM, "act.0") is not None
        return server.send(request)

    fresh = refresher_with(db, clock, overtaken).refresh(account_id, PLATFORM, "act.0")
    assert fresh is not None
    assert fresh.get("access_token") == stored(db, account_id).get("access_token") == "act.1"
    assert row_of(db, account_id).status == "active"


@pytest.mark.parametrize("stands_still", [ASK_WITHIN, LEASE], ids=["until the answer might be late", "until its lease is over"])
def test_who_stood_still_before_asking_asks_nothing(
    db: Database, clock: Any, account_id: str, server: TokenServer, stands_still: timedelta
) -> None:
    """A frozen process, a closed lid: another one has new tokens by then, and asking with the old ones once more might kill them."""
    boot_s, asked = [0.0], len(server.requests)

    def frozen(request: Request, *, check: Callable[[], None] = unfenced) -> Answer:
        boot_s[0] += stands_still.total_seconds() + 1
        clock.advance(stands_still.total_seconds() + 1)
        if stands_still >= LEASE:
            assert refresher_with(db, clock, server.send).refresh(account_id, PLATFORM, "act.0") is not None
        check()
        return server.send(request)

    late = replace(refresher_with(db, clock, server.send), send=frozen, monotonic=lambda: boot_s[0])
    assert late.refresh(account_id, PLATFORM, "act.0") is None

    assert len(server.requests) == asked + (stands_still >= LEASE)
    row = row_of(db, account_id)
    assert (row.status, row.refresh_failures, row.refresh_lease_token, row.refresh_lease_until) == ("active", 0, None, None)
    assert f"rft.{len(server.requests)}" == stored(db, account_id).get("refresh_token") == server.living


def impatient(url: str) -> Database:
    """The same database, where waiting for somebody else's lock ends at once."""
    return Database(url.replace("options=", "options=-clock_timeout%3D10%20"), busy_timeout_s=0.01)


@dataclass
class Occupied:
    """Somebody else holds the account's row from the platform's answer on, for so many pauses of ours."""

    db: Database
    clock: Any
    server: TokenServer
    pauses: int
    paused_s: list[float] = field(default_factory=list)
    _other: ExitStack = field(default_factory=ExitStack)

    def send(self, request: Request) -> Answer:
        store.get_for_update(self._other.enter_context(self.db.writing()), "account-1")
        return self.server.send(request)

    def pause(self, seconds: float) -> None:
        self.paused_s.append(seconds)
        self.clock.advance(seconds)
        if len(self.paused_s) == self.pauses:
            self.leave()

    def leave(self) -> None:
        self._other.close()


def test_a_busy_database_does_not_cost_the_new_tokens(
    db: Database, database_url: str, clock: Any, account_id: str, server: TokenServer
) -> None:
    """The old refresh token is dead by then, and a database that is started anew is away for longer than a moment."""
    other, ours = Occupied(db, clock, server, pauses=8), impatient(database_url)
    refresher = replace(refresher_with(ours, clock, other.send), pause=other.pause)
    assert refresher.refresh(account_id, PLATFORM, "act.0") is not None
    ours.close()
    assert stored(db, account_id).values == _tokens(1)
    assert other.paused_s == sorted(other.paused_s)
    assert len(other.paused_s) == 8
    assert sum(other.paused_s) > 30


def test_a_database_that_stays_away_is_given_up_with_the_lease(
    db: Database, database_url: str, clock: Any, account_id: str, server: TokenServer
) -> None:
    other, ours = Occupied(db, clock, server, pauses=-1), impatient(database_url)
    refresher = replace(refresher_with(ours, clock, other.send), pause=other.pause)
    with pytest.raises(Busy):
        refresher.refresh(account_id, PLATFORM, "act.0")
    other.leave()
    ours.close()
    assert LEASE.total_seconds() * 0.8 < sum(other.paused_s) <= LEASE.total_seconds()


def test_tokens_that_a_person_brought_meanwhile_win(db: Database, clock: Clock, account_id: str, server: TokenServer) -> None:
    brought = Credentials({"access_token": "act.new", "refresh_token": "rft.new"})

    def send(request: Request) -> Answer:
        set_account_credentials(db, account_id, brought, VAULT, clock())
        return server.send(request)

    fresh = refresher_with(db, clock, send).refresh(account_id, PLATFORM, "act.0")
    assert fresh is not None
    assert fresh.get("access_token") == "act.new"
    assert stored(db, account_id).values == brought.values


def test_another_value_changed_meanwhile_does_not_cost_the_new_tokens(
    db: Database, clock: Clock, account_id: str, server: TokenServer
) -> None:
    def send(request: Request) -> Answer:
        set_account_credentials(db, account_id, Credentials({**_tokens(0), "open_id": "-000"}), VAULT, clock())
        return server.send(request)

    refresher_with(db, clock, send).refresh(account_id, PLATFORM, "act.0")
    assert stored(db, account_id).values == {**_tokens(1), "open_id": "-000"}


def test_another_value_changed_meanwhile_lets_nobody_ask_a_second_time(
    db: Database, clock: Clock, account_id: str, server: TokenServer
) -> None:
    """The refresh token that is being traded in is still the one that is stored."""
    seen: list[Credentials | None] = []

    def send(request: Request) -> Answer:
        set_account_credentials(db, account_id, Credentials({**_tokens(0), "open_id": "-000"}), VAULT, clock())
        seen.append(refresher_with(db, clock, server.send).refresh(account_id, PLATFORM, "act.0"))
        return server.send(request)

    refresher_with(db, clock, send).refresh(account_id, PLATFORM, "act.0")
    assert seen == [None]
    assert len(server.requests) == 1


def test_a_refusal_marks_the_account_expired_with_the_reason(
    db: Database, refresher: Refresher, account_id: str, server: TokenServer
) -> None:
    server.living = "rft.somewhere-else"
    with pytest.raises(ReconnectRequired) as caught:
        refresher.refresh(account_id, PLATFORM, "act.0")
    row = row_of(db, account_id)
    assert row.status == "expired"
    assert row.last_error == str(caught.value)
    assert row.refresh_lease_token is None
    assert stored(db, account_id).values == _tokens(0)


def test_connecting_again_makes_an_expired_account_active(db: Database, refresher: Refresher, account_id: str, server: TokenServer) -> None:
    server.living = "rft.9"
    with pytest.raises(ReconnectRequired):
        refresher.refresh(account_id, PLATFORM, "act.0")
    set_account_credentials(db, account_id, Credentials(_tokens(9)), VAULT, refresher.clock())
    row = row_of(db, account_id)
    assert (row.status, row.last_error) == ("active", None)
    assert refresher.refresh(account_id, PLATFORM, "act.9") is not None


def raising(error: Exception) -> Callable[[Request], Answer]:
    def send(_: Request) -> Answer:
        raise error

    return send


@pytest.mark.parametrize(
    ("send", "error"),
    [
        (lambda _: _answer(503), Unavailable),
        (lambda _: _answer(200, error="server_error"), Unavailable),
        (raising(NotSent("no connection with act.secret0000")), NotSent),
        (raising(OutcomeUnknown("the answer was lost")), OutcomeUnknown),
    ],
)
def test_passing_trouble_never_disconnects(
    db: Database, clock: Clock, account_id: str, server: TokenServer, *, send: Callable[[Request], Answer], error: type[Exception]
) -> None:
    with pytest.raises(error):
        refresher_with(db, clock, send).refresh(account_id, PLATFORM, "act.0")
    row = row_of(db, account_id)
    assert row.status == "active"
    assert row.last_error
    assert "secret0000" not in row.last_error
    assert stored(db, account_id).values == _tokens(0)
    assert refresher_with(db, clock, server.send).refresh(account_id, PLATFORM, "act.0") is not None
    assert row_of(db, account_id).last_error is None


def test_a_lost_answer_ends_as_reconnect_needed_when_the_old_token_died(
    db: Database, clock: Clock, account_id: str, server: TokenServer
) -> None:
    """The platform gave new tokens to nobody: the next try is refused, and the account says so. Never silently broken."""

    def lose(request: Request) -> Answer:
        server.send(request)
        raise OutcomeUnknown("the answer was lost")

    with pytest.raises(OutcomeUnknown):
        refresher_with(db, clock, lose).refresh(account_id, PLATFORM, "act.0")
    with pytest.raises(ReconnectRequired):
        refresher_with(db, clock, server.send).refresh(account_id, PLATFORM, "act.0")
    assert row_of(db, account_id).status == "expired"


@pytest.mark.parametrize("status", ["disabled", "revoked"])
def test_inactive_accounts_are_left_out(db: Database, refresher: Refresher, account_id: str, server: TokenServer, status: str) -> None:
    with db.writing() as session:
        store.get_for_update(session, account_id).status = status
    with pytest.raises(AccountInactive):
        refresher.refresh(account_id, PLATFORM, "act.0")
    assert server.requests == []


def test_unreadable_credentials_are_told_apart(db: Database, refresher: Refresher, account_id: str, server: TokenServer) -> None:
    with db.writing() as session:
        store.get_for_update(session, account_id).credentials = b"damaged"
    with pytest.raises(CredentialError):
        refresher.refresh(account_id, PLATFORM, "act.0")
    assert server.requests == []


def test_an_unknown_account_is_not_found(refresher: Refresher) -> None:
    with pytest.raises(NotFound):
        refresher.refresh("nobody", PLATFORM, "act.0")


@pytest.mark.parametrize(("after_s", "requests"), [(0, 0), (3600 - 601, 0), (3600 - 599, 1), (7200, 1)])
def test_a_token_is_refreshed_ten_minutes_before_its_end(
    refresher: Refresher, account_id: str, server: TokenServer, *, clock: Any, after_s: float, requests: int
) -> None:
    clock.advance(after_s)
    credentials = refresher.refresh_if_needed(account_id, PLATFORM)
    assert credentials is not None
    assert credentials.get("access_token") == f"act.{requests}"
    assert credentials.get("client_key") == "ck"
    assert len(server.requests) == requests


def test_without_a_refresh_token_the_access_token_is_used_to_its_end(
    db: Database, refresher: Refresher, account_id: str, clock: Any
) -> None:
    """Nothing to trade in is no reason to disconnect an account whose token still lives."""
    token = Credentials({"access_token": "act.0"}, expires_at=clock() + timedelta(minutes=5))
    set_account_credentials(db, account_id, token, VAULT, clock())
    assert refresher.refresh_if_needed(account_id, PLATFORM) is not None
    clock.advance(301)
    with pytest.raises(ReconnectRequired):
        refresher.refresh_if_needed(account_id, PLATFORM)
    assert row_of(db, account_id).status == "expired"


def test_a_ciphertext_moved_to_another_account_does_not_decrypt(db: Database, account_id: str, clock: Clock) -> None:
    thief = SocialAccount(
        id="account-2", platform="tiktok", username="thief", kind="main", status="active", created_at=clock(), updated_at=clock()
    )
    with db.writing() as session:
        store.add(session, thief)
        session.execute(
            text("UPDATE social_accounts SET credentials = (SELECT credentials FROM social_accounts WHERE id = :id)"), {"id": account_id}
        )
    with pytest.raises(CredentialError, match="another account"):
        stored(db, "account-2")
    assert stored(db, account_id).values == _tokens(0)
