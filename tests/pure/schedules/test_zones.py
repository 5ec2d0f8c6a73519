"""What a local time means where clocks are changed: both ways, in both hemispheres, and in zones with ways of their own."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clipcast.timetable.slots import Week
from clipcast.timetable.zones import known, local_time, meant, names, remark_on

GAPS = [  # zone, a local time that clocks skip, what they show instead, the moment
    ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T03:30", "2026-03-29T01:30"),
    ("America/New_York", "2026-03-08T02:15", "2026-03-08T03:15", "2026-03-08T07:15"),
    ("Australia/Sydney", "2026-10-04T02:30", "2026-10-04T03:30", "2026-10-03T16:30"),
    ("America/Santiago", "2026-09-06T00:30", "2026-09-06T01:30", "2026-09-06T04:30"),
    ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-04T02:40", "2026-10-03T15:40"),
    ("Africa/Casablanca", "2025-04-06T02:30", "2025-04-06T03:30", "2025-04-06T02:30"),
    ("Pacific/Apia", "2011-12-30T12:00", "2011-12-31T12:00", "2011-12-30T22:00"),  # a whole day, when the island changed sides
]
OVERLAPS = [  # zone, a local time that comes twice, its first and its second moment
    ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T01:30"),
    ("America/New_York", "2026-11-01T01:15", "2026-11-01T05:15", "2026-11-01T06:15"),
    ("Australia/Sydney", "2026-04-05T02:30", "2026-04-04T15:30", "2026-04-04T16:30"),
    ("America/Santiago", "2026-04-04T23:30", "2026-04-05T02:30", "2026-04-05T03:30"),
    ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45", "2026-04-04T15:15"),
    ("Africa/Casablanca", "2025-02-23T02:30", "2025-02-23T01:30", "2025-02-23T02:30"),
]
ZONES = st.sampled_from(sorted({zone for zone, *_ in GAPS} | {"UTC", "Asia/Kolkata", "America/Sao_Paulo", "Asia/Tehran", "Pacific/Apia"}))
LOCAL = st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2037-12-31"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("zone", "asked", "shown", "moment"), GAPS)
def test_a_time_that_clocks_skip_is_as_much_later(zone: str, asked: str, shown: str, moment: str) -> None:
    for fold in (0, 1):
        found = meant(datetime.fromisoformat(asked), zone, 0 if fold == 0 else 1)
        assert found.at == utc(moment)
        assert local_time(found.at, zone).replace(tzinfo=None) == datetime.fromisoformat(shown)
        assert (
            found.remark
            == f"{asked.replace('T', ' ')} does not exist in {zone}, where clocks go forward; it is {shown.replace('T', ' ')} instead."
        )


@pytest.mark.parametrize(("zone", "asked", "first", "second"), OVERLAPS)
def test_a_time_that_comes_twice_is_the_first_unless_the_second_is_asked_for(zone: str, asked: str, first: str, second: str) -> None:
    local = datetime.fromisoformat(asked)

    assert (meant(local, zone).at, meant(local, zone, 1).at) == (utc(first), utc(second))
    assert "it is the first, send fold: 1 for the second" in meant(local, zone).remark
    assert "it is the second, send fold: 0 for the first" in meant(local, zone, 1).remark


@settings(deadline=None)
@given(LOCAL, ZONES)
def test_every_other_time_is_what_the_clocks_show(local: datetime, zone: str) -> None:
    """The moment, read from a clock in that zone, is the time asked for; and there is no other such moment."""
    found = meant(local, zone)
    assume(not found.remark)

    assert local_time(found.at, zone).replace(tzinfo=None) == local
    assert meant(local, zone, 1).at == found.at


@settings(deadline=None)
@given(LOCAL, ZONES)
def test_a_remarked_time_is_skipped_or_repeated(local: datetime, zone: str) -> None:
    found = meant(local, zone)
    shown = local_time(found.at, zone).replace(tzinfo=None, fold=0)

    assert shown >= local
    assert (shown > local) == ("does not exist" in found.remark)
    assert ("comes twice" in found.remark) == (shown == local and meant(local, zone, 1).at > found.at)


def test_a_promise_stays_when_the_rules_change() -> None:
    """The moment was promised under other rules than today's: it stays, and people are told."""
    asked = datetime.fromisoformat("2026-07-01T09:00")
    today = meant(asked, "Africa/Casablanca").at

    assert remark_on(today, asked, "Africa/Casablanca") == ""
    assert "have changed since 2026-07-01 09:00 was asked for: it goes out at 2026-07-01 10:00 there" in remark_on(
        today + timedelta(hours=1), asked, "Africa/Casablanca"
    )


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("Berlin", "did you mean Europe/Berlin?"),
        ("America/New York", "did you mean America/New_York?"),
        ("new york", "did you mean America/New_York?"),
        ("Mars/Olympus", "name one of the IANA database"),
        ("+02:00", "name one of the IANA database"),
        ("../../etc/passwd", "name one of the IANA database"),
        ("", "name one of the IANA database"),
        ("localtime", "time zone 'localtime'"),
    ],
)
def test_an_unknown_zone_comes_with_a_suggestion(name: str, suggestion: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone") as caught:
        known(name)
    assert suggestion in str(caught.value)


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Asia/Kolkata", "EST5EDT"])
def test_zones_of_the_database_are_known(name: str) -> None:
    assert known(name) == name
    assert len(names()) > 400


@settings(deadline=None)
@given(ZONES, st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2030-01-01"), timezones=st.just(UTC)))
def test_slots_follow_the_clocks_and_never_come_twice(zone: str, moment: datetime) -> None:
    week = Week.of([{"days": ["daily"], "times": ["2:30", "3:30", "17:30"]}], zone)

    found = [at for at in week.after(moment) if at < moment + timedelta(days=60)]

    assert found == sorted(set(found))
    assert all(at > moment for at in found)
    at_half_past_five = [at for at in found if local_time(at, zone).hour == 17]
    assert len(at_half_past_five) in {59, 60, 61}
    clocks = {f"{local_time(at, zone):%H:%M}" for at in found}
    assert clocks <= {"02:30", "03:30", "17:30", "03:00", "04:30"}
