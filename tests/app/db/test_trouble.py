"""What a database says when it cannot be used now: trouble that passes, and not an error that nobody expects."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from traceback import format_exception

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from clipcast.clock import system_clock
from clipcast.db.engine import Database
from clipcast.db.turns import take_turn
from clipcast.errors import Busy

PASTED = "act.pasted-by-mistake"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_takes_no_writes_is_busy(database_url: str) -> None:
    """As a standby after a switch, or a server whose disk is full."""
    url = make_url(database_url).update_query_dict({"options": "-c default_transaction_read_only=on"})
    standby = Database(url.render_as_string(hide_password=False))

    with closing(standby), pytest.raises(Busy, match="cannot take this now"), standby.writing() as session:
        session.execute(text("CREATE TABLE written (id integer)"))


def test_a_clock_is_compared_with_the_databases(database_url: str) -> None:
    """SQLite's is our own."""
    with closing(Database(database_url)) as database:
        ahead_s = database.ahead_by(lambda: system_clock() + timedelta(seconds=9)).total_seconds()

    assert ahead_s == (0 if database.is_sqlite else pytest.approx(9, abs=2))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_stands_still_within_a_transaction_loses_what_it_holds(database_url: str) -> None:
    """As a machine that is frozen or gone: others would wait for its rows for hours."""
    url = make_url(database_url)
    hasty = url.update_query_dict({"options": f"{url.query['options']} -c idle_in_transaction_session_timeout=300ms"})
    frozen, other = Database(hasty.render_as_string(hide_password=False)), Database(database_url)

    def stand_still() -> None:
        with frozen.writing() as session:
            take_turn(session, "limits")
            with other.writing() as waiting:
                take_turn(waiting, "limits")
            session.execute(text("SELECT 1"))

    with closing(frozen), closing(other), pytest.raises(Busy, match="idle-in-transaction"):
        stand_still()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_every_connection_has_its_limits(db: Database) -> None:
    with db.reading() as session:
        limits = [session.execute(text(f"SHOW {name}")).scalar_one() for name in ("idle_in_transaction_session_timeout", "lock_timeout")]
    assert limits == ["30s", "45s"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_many_writers_wait_together_and_not_one_after_the_other(database_url: str) -> None:
    """The tenth in line would hear after ten times as long that it has to come back."""

    def write() -> None:
        with pytest.raises(Busy, match="others' writes"), database.writing():
            raise AssertionError("somebody else is writing")

    with closing(Database(database_url, busy_timeout_s=0.2)) as database, ThreadPoolExecutor(8) as crowd, database.writing():
        waiting = [crowd.submit(write) for _ in range(8)]
        for one in waiting:
            one.result(timeout=60)


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("SELECT :value FROM social_accounts WHERE no_such_column = :value", "no_such_column"),
        ("INSERT INTO ledger_heads (stream, sequence, hash) VALUES (:value, NULL, 'hash')", "sequence"),
    ],
)
def test_an_error_that_nobody_expects_keeps_the_values_to_itself(database_url: str, statement: str, wrong: str) -> None:
    """Its text goes into the log, and a token pasted into the wrong field is among the values. PostgreSQL repeats the whole row."""
    with closing(Database(database_url)) as database, pytest.raises(DBAPIError) as raised, database.writing() as session:
        session.execute(text(statement), {"value": PASTED})

    told = "".join(format_exception(raised.value))
    assert wrong in told
    assert PASTED not in told
