"""The ledger: what is written stays, in order, and every later change is found and told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.db.engine import Database
from clipcast.ledger import Broken

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def note(session: Session, stream: str = "publication:1", event: str = ledger.PUBLISH_STARTED, **details: Any) -> None:
    ledger.record(session, stream=stream, event=event, entity_type="clip", entity_id="clip-1", now=NOW, details=details)


def written(db: Database, count: int, stream: str = "publication:1") -> None:
    with db.writing() as session:
        for number in range(count):
            note(session, stream, number=number)


def broken(db: Database) -> list[Broken]:
    with db.reading() as session:
        return ledger.verify(session)


@contextmanager
def tampering(db: Database) -> Iterator[Session]:
    """What someone with the rights of the database's owner can do: the triggers are out of the way."""
    with db.exclusive() as connection, Session(connection) as session:
        if db.is_sqlite:
            kept = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            for name, _ in kept:
                connection.execute(text(f"DROP TRIGGER {name}"))
            yield session
            session.flush()
            for _, sql in kept:
                connection.exec_driver_sql(sql)
            return
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield session


def test_events_are_numbered_and_chained(db: Database) -> None:
    written(db, 3)
    with db.reading() as session:
        newest_first = ledger.events(session, stream="publication:1")
    assert [event.sequence for event in newest_first] == [3, 2, 1]
    assert newest_first[0].previous_hash == newest_first[1].hash
    assert newest_first[0].occurred_at == NOW
    assert newest_first[0].details == {"number": 2}
    assert broken(db) == []


def written_and_refused(session: Session) -> None:
    note(session)
    note(session, thing=object())


def test_an_undone_transaction_leaves_no_event(db: Database) -> None:
    written(db, 1)
    with pytest.raises(ValueError, match="JSON"), db.writing() as session:
        written_and_refused(session)
    written(db, 1)
    with db.reading() as session:
        assert [event.sequence for event in ledger.events(session)] == [2, 1]
    assert broken(db) == []


def test_events_are_found_by_stream_clip_kind_and_page(db: Database) -> None:
    with db.writing() as session:
        note(session, "publication:1")
        note(session, "publication:2")
        note(session, "publication:2", ledger.PUBLISH_FAILED)
    with db.reading() as session:
        assert len(ledger.events(session, entity_id="clip-1")) == 3
        assert len(ledger.events(session, entity_id="clip-2")) == 0
        assert [event.stream for event in ledger.events(session, event=ledger.PUBLISH_FAILED)] == ["publication:2"]
        assert len(ledger.events(session, stream="publication:1")) == 1
        newest = ledger.events(session, limit=1)[0]
        assert [event.sequence for event in ledger.events(session, before=newest.id)] == [1, 1]


def test_writers_on_one_stream_take_turns(db: Database) -> None:
    """Eight threads, one stream and eight that all create: no number twice, none left out."""

    def write(worker: int) -> None:
        for number in range(10):
            with db.writing() as session:
                note(session, "publication:shared", worker=worker, number=number)
            with db.writing() as session:
                note(session, f"publication:{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    with db.reading() as session:
        assert [event.sequence for event in ledger.events(session, stream="publication:shared")] == list(range(80, 0, -1))
    assert broken(db) == []


@pytest.mark.parametrize(
    "change",
    [
        "event = 'publish_failed'",
        "entity_id = 'clip-2'",
        "entity_type = 'post'",
        "occurred_at = '2026-03-01 12:00:00.123457+00'",
        """metadata = '{"number": 7}'""",
        "id = 'other'",
    ],
)
def test_an_altered_event_is_found(db: Database, change: str) -> None:
    written(db, 3)
    written(db, 3, "publication:untouched")
    change = change.replace("+00'", "'") if db.is_sqlite else change
    with tampering(db) as session:
        session.execute(text(f"UPDATE ledger_events SET {change} WHERE stream = 'publication:1' AND sequence = 2"))
    found = broken(db)
    assert [(item.stream, item.sequence) for item in found] == [("publication:1", 2)]
    assert "was altered after it was written" in found[0].sentence


def test_an_altered_event_with_a_hash_of_its_own_is_found(db: Database) -> None:
    """Whoever recomputes one hash breaks the next event's."""
    written(db, 3)
    with tampering(db) as session:
        session.execute(text("UPDATE ledger_events SET hash = 'f' WHERE sequence = 2"))
    assert any("does not follow the event before it" in item.sentence for item in broken(db))


def test_events_taken_out_of_the_middle_are_found(db: Database) -> None:
    written(db, 5)
    with tampering(db) as session:
        session.execute(text("DELETE FROM ledger_events WHERE sequence IN (2, 3)"))
    assert [item.sentence for item in broken(db)] == ["Missing: events 2 to 3 of publication:1."]


def test_events_cut_off_the_end_are_found(db: Database) -> None:
    written(db, 5)
    with tampering(db) as session:
        session.execute(text("DELETE FROM ledger_events WHERE sequence = 5"))
    assert [item.sentence for item in broken(db)] == ["Missing: event 5 of publication:1, at its end."]


def test_a_stream_whose_events_are_all_gone_is_found(db: Database) -> None:
    written(db, 2)
    with tampering(db) as session:
        session.execute(text("DELETE FROM ledger_events"))
    assert [item.sentence for item in broken(db)] == ["Missing: events 1 to 2 of publication:1: all of it."]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE ledger_heads SET hash = 'f'", "was altered: it does not name event 2, the last one."),
        ("UPDATE ledger_heads SET sequence = 1", "was altered: it does not name event 2, the last one."),
        ("DELETE FROM ledger_heads", "The record of where publication:1 ends was removed."),
    ],
)
def test_an_altered_head_is_found(db: Database, change: str, sentence: str) -> None:
    written(db, 2)
    with db.writing() as session:
        session.execute(text(change))
    assert [item.sentence.endswith(sentence) for item in broken(db)] == [True]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.just(NOW),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(details=st.dictionaries(st.text(), JSON, max_size=4))
def test_any_details_verify_after_either_database_gave_them_back(db: Database, details: dict[str, Any]) -> None:
    """Huge and tiny numbers, whole floats, NUL, broken surrogates, keys in any order: the hash does not care who stored them."""
    with db.writing() as session:
        ledger.record(session, stream="publication:1", event="publish_failed", entity_type="clip", entity_id="c", now=NOW, details=details)
    assert broken(db) == []


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_json_is_refused_and_nothing_is_written(db: Database, number: float) -> None:
    with pytest.raises(ValueError, match="JSON"), db.writing() as session:
        note(session, number=number)
    with pytest.raises(ValueError, match="JSON"), db.writing() as session:
        note(session, thing=object())
    with db.reading() as session:
        assert ledger.events(session) == []
    assert broken(db) == []


def test_a_secret_that_a_caller_lets_through_is_masked(db: Database) -> None:
    with db.writing() as session:
        note(session, error="PUT https://x.tiktokapis.com/upload?upload_id=1&upload_token=s3cret failed with act.example12345")
    with db.reading() as session:
        stored = str(ledger.events(session)[0].details)
    assert "s3cret" not in stored
    assert "example12345" not in stored
    assert "upload_id=1" in stored


def test_the_names_of_the_events_are_public_and_stay() -> None:
    assert set(ledger.EVENTS) >= {
        "publish_started",
        "publish_provider_ready",
        "publish_provider_fallback",
        "publish_successful",
        "publish_failed",
    }
