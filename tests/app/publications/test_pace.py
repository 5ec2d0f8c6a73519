"""Limits are counted in the database: what is full says when it is free again."""

from datetime import UTC, datetime, timedelta

import pytest

from clipcast.db.engine import Database
from clipcast.platforms.base import Rate
from clipcast.publications import pace

NOW = datetime(2026, 3, 8, 9, 30, tzinfo=UTC)
KEYS: pace.Keys = {"account": "tiktok:1", "app": "tiktok:app"}
TWO_A_MINUTE = (Rate(("init",), 2, 60),)


def reserve(
    db: Database, now: datetime, *, label: str = "init", rates: tuple[Rate, ...] = TWO_A_MINUTE, keys: pace.Keys = KEYS
) -> pace.Use | None:
    with db.writing() as session:
        return pace.reserve(session, label, rates, keys, now)


def test_the_third_request_of_a_minute_waits_for_the_first_to_leave_the_window(db: Database) -> None:
    assert reserve(db, NOW) is None
    assert reserve(db, NOW + timedelta(seconds=10)) is None

    full = reserve(db, NOW + timedelta(seconds=20))

    assert full is not None
    assert full.free_at == NOW + timedelta(seconds=60)
    assert reserve(db, full.free_at) is None


def test_what_had_to_wait_is_not_counted(db: Database) -> None:
    for _ in range(2):
        reserve(db, NOW)
    for _ in range(5):
        assert reserve(db, NOW + timedelta(seconds=1)) is not None

    with db.reading() as session:
        assert pace.use_of(session, TWO_A_MINUTE[0], KEYS, NOW + timedelta(seconds=1)).used == 2


def test_accounts_are_counted_apart_and_an_app_together(db: Database) -> None:
    per_app = (Rate(("init",), 1, 60, per="app"),)
    other = {**KEYS, "account": "tiktok:2"}

    assert reserve(db, NOW, rates=per_app) is None

    assert reserve(db, NOW, rates=per_app, keys=other) is not None
    assert reserve(db, NOW, rates=TWO_A_MINUTE, keys=other) is None


def test_labels_without_a_limit_never_wait(db: Database) -> None:
    assert [reserve(db, NOW, label="upload.chunk") for _ in range(50)] == [None] * 50


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        pytest.param(datetime(2026, 1, 15, 12, 0, tzinfo=UTC), datetime(2026, 1, 16, 8, 0, tzinfo=UTC), id="winter"),
        pytest.param(datetime(2026, 7, 15, 12, 0, tzinfo=UTC), datetime(2026, 7, 16, 7, 0, tzinfo=UTC), id="summer"),
        pytest.param(datetime(2026, 3, 8, 9, 30, tzinfo=UTC), datetime(2026, 3, 9, 7, 0, tzinfo=UTC), id="the night the clocks go forward"),
        pytest.param(datetime(2026, 11, 1, 8, 30, tzinfo=UTC), datetime(2026, 11, 2, 8, 0, tzinfo=UTC), id="the night they go back"),
    ],
)
def test_a_calendar_day_ends_at_its_own_midnight(db: Database, now: datetime, midnight: datetime) -> None:
    daily = (Rate(("init",), 1, day_in="America/Los_Angeles"),)
    assert reserve(db, now, rates=daily) is None

    full = reserve(db, now + timedelta(hours=1), rates=daily)

    assert full is not None
    assert full.free_at == midnight
    assert reserve(db, midnight, rates=daily) is None


def test_what_no_window_looks_back_to_is_forgotten(db: Database) -> None:
    reserve(db, NOW)

    with db.writing() as session:
        pace.forget(session, NOW + pace.REMEMBERED + timedelta(seconds=1))

    with db.reading() as session:
        assert pace.use_of(session, Rate(("init",), 9, 10**6), KEYS, NOW).used == 0


def test_some_requests_cost_more_than_others(db: Database) -> None:
    units = (Rate(("list", "set"), 100, costs=(("list", 1), ("set", 50))),)
    for label in ("set", "list", "set"):
        assert reserve(db, NOW, label=label, rates=units) is None

    full = reserve(db, NOW, label="list", rates=units)

    assert full is not None
    assert full.used == 101


def test_a_limit_that_only_the_platform_knows_is_counted_and_holds_nothing_back(db: Database) -> None:
    estimate = (Rate(("init",), 1, enforced=False),)

    assert [reserve(db, NOW, rates=estimate) for _ in range(3)] == [None] * 3

    with db.reading() as session:
        use = pace.use_of(session, estimate[0], KEYS, NOW)
    assert (use.used, use.left) == (3, 0)
