"""Limits that many workers share, counted in the database and in Redis: the same answers, and never one request too many."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from clipcast.db.engine import Database
from clipcast.platforms.base import Rate
from clipcast.publications import pace, shared_limits
from clipcast.publications.shared_limits import SharedLimits, open_limits
from process.brokers import RedisServer, redis_server

NOW = datetime(2026, 3, 8, 9, 30, tzinfo=UTC)
KEYS: pace.Keys = {"account": "tiktok:1", "app": "tiktok:app"}
TWO_A_MINUTE = (Rate(("init",), 2, 60),)
EACH = 60
LIMIT = 40

HAMMER = """
import sys
from datetime import UTC, datetime, timedelta
from clipcast.db.engine import Database
from clipcast.platforms.base import Rate
from clipcast.publications import pace
from clipcast.publications.shared_limits import open_limits

database, redis = Database(sys.argv[1]), sys.argv[2]
reserve = open_limits(redis).reserve if redis else pace.reserve
rates, keys = (Rate(("init",), int(sys.argv[3]), 3600, per="app"),), {"account": "tiktok:" + sys.argv[5], "app": "tiktok:app"}
granted = 0
for number in range(int(sys.argv[4])):
    with database.writing(hasty=True) as session:
        granted += reserve(session, "init", rates, keys, datetime(2026, 3, 8, tzinfo=UTC) + timedelta(seconds=number)) is None
print(granted)
"""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def limits(redis: RedisServer) -> Iterator[SharedLimits]:
    opened = open_limits(redis.url)
    yield opened
    opened.close()


@pytest.mark.parametrize("counted_in", ["database", "redis"])
def test_two_processes_take_no_more_than_there_is(database_url: str, redis: RedisServer, counted_in: str) -> None:
    """Both hammer one app's limit at once; together they get exactly what it allows."""
    arguments = [database_url, redis.url if counted_in == "redis" else "", str(LIMIT), str(EACH)]
    processes = [
        subprocess.Popen([sys.executable, "-c", HAMMER, *arguments, account], stdout=subprocess.PIPE, text=True) for account in ("1", "2")
    ]

    granted = [int(process.communicate()[0]) for process in processes]

    assert sum(granted) == LIMIT


def test_redis_and_the_database_give_the_same_answers(db: Database, limits: SharedLimits) -> None:
    """Windows that slide, days of another time zone, costs, and limits that are only watched."""
    day = Rate(("insert", "cover"), 150, 86_400, per="app", day_in="America/Los_Angeles", costs=(("insert", 100), ("cover", 50)))
    rates = (*TWO_A_MINUTE, day, Rate(("init",), 1, 3600, enforced=False))
    script = [("init", 0), ("init", 10), ("init", 20), ("init", 61), ("insert", 62), ("cover", 63), ("cover", 64), ("insert", 86_400)]

    for label, seconds in script:
        now = NOW + timedelta(seconds=seconds)
        with db.writing() as session:
            expected = pace.reserve(session, label, rates, KEYS, now)
            session.rollback()
        with db.writing() as session:
            assert limits.reserve(session, label, rates, KEYS, now) == expected, (label, seconds)


def test_redis_begins_with_what_the_database_knows(db: Database, limits: SharedLimits, redis: RedisServer) -> None:
    """It may be new, or have forgotten everything when it was restarted."""
    for reserve in (pace.reserve, limits.reserve):
        with db.writing() as session:
            assert reserve(session, "init", TWO_A_MINUTE, KEYS, NOW) is None
    redis.kill()
    redis.start()

    with db.writing() as session:
        assert limits.reserve(session, "init", TWO_A_MINUTE, KEYS, NOW) is not None


def test_what_others_count_without_redis_is_heard(db: Database, limits: SharedLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that cannot reach Redis counts in the database alone; those that can are told of it soon."""
    monkeypatch.setattr(shared_limits, "TOLD_AGAIN_EVERY_S", 0.0)  # soon is now
    for reserve in (limits.reserve, pace.reserve):
        with db.writing() as session:
            assert reserve(session, "init", TWO_A_MINUTE, KEYS, NOW) is None

    with db.writing() as session:
        assert limits.reserve(session, "init", TWO_A_MINUTE, KEYS, NOW) is not None


def test_without_redis_the_database_counts(db: Database, limits: SharedLimits, redis: RedisServer) -> None:
    """What Redis has counted before is not forgotten, and the log says that it is away."""
    with db.writing() as session:
        limits.reserve(session, "init", TWO_A_MINUTE, KEYS, NOW)
    redis.kill()

    answers = []
    with capture_logs() as said:
        for _ in range(2):
            with db.writing() as session:
                answers.append(limits.reserve(session, "init", TWO_A_MINUTE, KEYS, NOW + timedelta(seconds=1)))

    assert answers[0] is None
    assert answers[1] is not None
    assert [event["event"] for event in said] == ["limits.redis_away"]
