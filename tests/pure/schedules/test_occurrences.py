"""The times at which a recurrence comes, where clocks are changed and where it ends."""

import time
from datetime import UTC, datetime
from itertools import islice, takewhile

import pytest

from clipcast.schedules import recurring
from clipcast.schedules.models import Recurrence

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def recurrence(rule: str, starts_at: str, zone: str = "Europe/Berlin", created_at: datetime = LONG_AGO) -> Recurrence:
    return Recurrence(rule=rule, starts_at=datetime.fromisoformat(starts_at), timezone=zone, created_at=created_at)


def locals_of(row: Recurrence, day: str, after: str = "T00:00:00") -> list[datetime]:
    """Its local times of that day later than that one."""
    start = datetime.fromisoformat(day + after)
    return list(takewhile(lambda local: local.date() == start.date(), recurring.times(row, start)))


def moments(row: Recurrence, day: str, after: str = "T00:00:00") -> list[str]:
    """The same in UTC."""
    return [f"{recurring.moment(row, local).at:%d %H:%M}" for local in locals_of(row, day, after)]


@pytest.mark.parametrize(
    ("rule", "zone", "day", "expected"),
    [
        ("BYHOUR=2,3;BYMINUTE=30", "Europe/Berlin", "2026-03-29", "29 01:30"),
        ("BYHOUR=2,3;BYMINUTE=0,30", "Europe/Berlin", "2026-03-29", "29 01:00, 29 01:30"),
        ("BYHOUR=1,2,3,4;BYMINUTE=0,30", "Europe/Berlin", "2026-03-29", "29 00:00, 29 00:30, 29 01:00, 29 01:30, 29 02:00, 29 02:30"),
        ("BYHOUR=2,3;BYMINUTE=15,45", "Europe/Berlin", "2026-03-29", "29 01:15, 29 01:45"),
        ("BYHOUR=2;BYMINUTE=0,10,20,30,40,50", "Australia/Lord_Howe", "2026-10-04", "03 15:30, 03 15:40, 03 15:50"),
        ("BYHOUR=1,2,3;BYMINUTE=0,30", "Europe/Berlin", "2026-10-25", "24 23:00, 24 23:30, 25 00:00, 25 00:30, 25 02:00, 25 02:30"),
    ],
)
def test_no_moment_comes_twice_where_clocks_are_changed(rule: str, zone: str, day: str, expected: str) -> None:
    """Wherever one looks from: what is made in two goes is the same as what is made in one."""
    row = recurrence(f"FREQ=DAILY;{rule}", "2026-01-01T00:00:00", zone)

    found = moments(row, day)

    assert ", ".join(found) == expected
    assert all(moments(row, day, f"T{local:%H:%M:%S}") == found[number + 1 :] for number, local in enumerate(locals_of(row, day)))


def test_a_day_that_is_left_out_comes_with_the_next() -> None:
    """Samoa had no 30 December 2011: its posts are those of the thirty-first."""
    row = recurrence("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0", "2011-12-01T09:00:00", "Pacific/Apia", datetime(2011, 12, 1, tzinfo=UTC))

    assert moments(row, "2011-12-30") == ["30 19:00", "31 03:00"]
    assert moments(row, "2011-12-31") == []
    assert moments(row, "2012-01-01") == ["31 19:00", "01 03:00"]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260327T080000Z", "27 09:00"),
        ("20260327T075959Z", "26 09:00"),
        ("20260329T065959Z", "28 09:00"),
        ("20260329T070000Z", "29 09:00"),
        ("20260329T080000", "28 09:00"),
        ("20260329T090000", "29 09:00"),
        ("20260329", "29 09:00"),
    ],
)
def test_until_with_z_is_a_moment_and_without_it_local_time(until: str, last: str) -> None:
    """Nine in Berlin is eight in UTC, and from 29 March on seven."""
    row = recurrence(f"FREQ=DAILY;UNTIL={until}", "2026-03-20T09:00:00")

    assert f"{list(recurring.times(row, LONG_AGO.replace(tzinfo=None)))[-1]:%d %H:%M}" == last


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("20260329T011500Z", "29 01:00"),  # clocks show 3:15, and 2:30 means 3:30, which is later
        ("20260329T013000Z", "29 01:00, 29 01:30"),
        ("20261025T001500Z", "25 00:00"),
        ("20261025T011500Z", "25 00:00, 25 00:30"),  # clocks show 2:15 again, and 2:30 has been
    ],
)
def test_until_is_a_moment_where_clocks_are_changed_too(until: str, expected: str) -> None:
    row = recurrence(f"FREQ=DAILY;BYHOUR=2;BYMINUTE=0,30;UNTIL={until}", "2026-01-01T00:00:00")

    assert ", ".join(moments(row, f"{until[:4]}-{until[4:6]}-{until[6:8]}")) == expected


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
@pytest.mark.parametrize(("until", "comes"), [("99991231T235959Z", True), ("99991231", True), ("00010101T000000Z", False)])
def test_until_at_the_ends_of_the_calendar_is_no_trouble(zone: str, until: str, *, comes: bool) -> None:
    row = recurrence(f"FREQ=DAILY;UNTIL={until}", "2026-03-20T09:00:00", zone)

    assert bool(locals_of(row, "2026-03-21")) is comes


@pytest.mark.parametrize(
    ("clock", "created_at", "expected"),
    [
        ("02:45", "2026-10-25T00:10:00", "25 00:45, 26 01:45"),  # 2:10 for the first time
        ("02:45", "2026-10-25T01:10:00", "26 01:45, 27 01:45"),  # 2:10 for the second time: the only 2:45 that counts has been
        ("02:30", "2026-03-29T01:10:00", "29 01:30, 30 00:30"),  # 3:10, and 2:30 means 3:30
        ("02:05", "2026-03-29T01:10:00", "30 00:05, 31 00:05"),
        ("09:00", "2026-03-29T07:00:00", "30 07:00, 31 07:00"),  # the very moment
    ],
)
def test_it_begins_after_it_was_made_also_while_clocks_are_changed(clock: str, created_at: str, expected: str) -> None:
    """What the clocks show does not decide, the moment does."""
    row = recurrence("FREQ=DAILY", f"2026-03-01T{clock}:00", created_at=datetime.fromisoformat(created_at).replace(tzinfo=UTC))

    times = islice(recurring.times(row, datetime.fromisoformat("2026-01-01")), 2)

    assert ", ".join(f"{recurring.moment(row, local).at:%d %H:%M}" for local in times) == expected


def test_an_old_start_costs_no_more_than_a_new_one() -> None:
    """Nobody waits for 56 years of every half hour."""
    row = recurrence(f"FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE=0,30", "1970-01-01T00:00:00")
    began_s = time.process_time()

    assert next(recurring.times(row, datetime.fromisoformat("1970-01-01"))).year == 2020

    assert time.process_time() - began_s < 0.05
