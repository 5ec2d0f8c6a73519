"""Rules of recurrence: the same times as a second reading of RFC 5545, and an answer in bounded time to any rule."""

import time
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clipcast.errors import InvalidRequest
from clipcast.schedules.rules import WEEKDAYS, expand, parse

START = datetime.fromisoformat("2026-01-07T09:30")


def first(text: str, count: int) -> list[datetime]:
    return list(islice(expand(parse(text), START, START + timedelta(days=36_500)), count))


def rules(**parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Rules of these parts, each of which may be absent where its strategy gives nothing."""
    return st.fixed_dictionaries(parts).map(lambda given: ";".join(f"{name}={value}" for name, value in given.items() if value))


def some(values: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), st.lists(values, min_size=1, max_size=most, unique=True).map(lambda each: ",".join(map(str, each))))


def every(most: int) -> st.SearchStrategy[str]:
    return st.integers(1, most).map(str)


MONTHS, MONTH_DAYS, HOURS = some(st.integers(1, 12)), some(st.integers(-31, 31).filter(bool)), some(st.integers(0, 23))
DAYS = some(st.sampled_from(WEEKDAYS))
# Numbered or not, but no mixture: there, the second reader wants both to hold, where RFC 5545 wants either.
NUMBERED = DAYS | some(st.tuples(st.sampled_from(["1", "2", "-1", "-2", "5"]), st.sampled_from(WEEKDAYS)).map("".join))
RULES = st.one_of(
    rules(FREQ=st.just("DAILY"), INTERVAL=every(40), BYMONTH=MONTHS, BYDAY=DAYS, BYMONTHDAY=MONTH_DAYS, BYHOUR=HOURS),
    rules(FREQ=st.just("WEEKLY"), INTERVAL=every(9), BYDAY=DAYS, BYMONTH=MONTHS, WKST=st.sampled_from(WEEKDAYS), BYHOUR=HOURS),
    rules(FREQ=st.just("MONTHLY"), INTERVAL=every(14), BYDAY=NUMBERED, BYMONTHDAY=MONTH_DAYS, BYHOUR=HOURS),
    rules(FREQ=st.just("MONTHLY"), BYDAY=st.just("MO,TU,WE,TH,FR"), BYSETPOS=some(st.sampled_from([1, 2, -1, -3, 20]), 2)),
    rules(FREQ=st.just("YEARLY"), INTERVAL=every(4), BYMONTH=MONTHS, BYDAY=NUMBERED, BYMONTHDAY=MONTH_DAYS),
)
STARTS = st.datetimes(START.replace(year=1999), START.replace(year=2031)).map(lambda each: each.replace(microsecond=0))


@settings(deadline=None, max_examples=60)
@given(RULES, STARTS, st.sampled_from(["", ";COUNT=7"]))
def test_every_rule_means_what_a_second_reader_says(text: str, start: datetime, count: str) -> None:
    """For four years from any start; what never comes in them is left out, because that reader would look until the year 9999."""
    end = start + timedelta(days=4 * 365)
    found = list(expand(parse(text + count), start, end))
    assume(found)

    reader = rrulestr(text + count, dtstart=start)

    assert found == list(takewhile(lambda at: at <= end, reader))


@settings(deadline=None, max_examples=60)
@given(RULES, st.integers(0, 1500))
def test_beginning_later_gives_the_rest_of_the_same_times(text: str, days: int) -> None:
    end, after = START + timedelta(days=2000), START + timedelta(days=days)

    whole = [at for at in expand(parse(text), START, end) if at > after]

    assert list(expand(parse(text), START, end, after=after)) == whole


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "NAME=VALUE"),
        ("hello", "NAME=VALUE"),
        ("FREQ=SECONDLY", "FREQ=DAILY with BYHOUR"),
        ("FREQ=HOURLY;INTERVAL=2", "FREQ=DAILY with BYHOUR"),
        ("INTERVAL=2", "FREQ must be"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be a whole number from 1"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=99999999999999999999", "COUNT must be a whole number from 1 to 10000"),
        ("FREQ=DAILY;COUNT=\u0661", "COUNT"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "do not go together"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL must look like"),
        ("FREQ=DAILY;UNTIL=20261399", "UNTIL must look like"),
        ("FREQ=DAILY;FREQ=DAILY", "stands twice"),
        ("FREQ=DAILY;BYSECOND=1", "BYSECOND is not supported"),
        ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO is not supported"),
        ("FREQ=DAILY;BYEASTER=0", "BYEASTER"),
        ("FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=0,1,2", "more than 48 times a day"),
        ("FREQ=WEEKLY;BYDAY=XX", "is no day"),
        ("FREQ=WEEKLY;BYDAY=1MO", "needs FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "use FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "cannot be 0"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "from -31 to 31"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs another"),
        ("FREQ=WEEKLY;WKST=ZZ", "WKST"),
        ("FREQ=DAILY;" + "X" * 500, "longer than 400"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_rule_that_cannot_be_used_says_why(text: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^The rule cannot be used: .*\.$") as caught:
        parse(text)
    assert words in str(caught.value)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """It is a rule, or there is a sentence."""
    with suppress(InvalidRequest):
        assert parse(text).freq


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300",
        "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=4;COUNT=9999",
    ],
)
def test_a_rule_that_never_comes_is_found_out_at_once(text: str) -> None:
    """A library that looks until the year 9999 takes many seconds for these."""
    began_s = time.process_time()

    assert list(expand(parse(text), START, START + timedelta(days=3653))) == []

    assert time.process_time() - began_s < 0.5


def test_an_old_start_costs_no_more_than_a_new_one() -> None:
    old = START.replace(year=1970)
    began_s = time.process_time()

    found = list(expand(parse("FREQ=DAILY;INTERVAL=3"), old, START, after=START - timedelta(days=7)))

    assert {(at.date() - old.date()).days % 3 for at in found} == {0}
    assert time.process_time() - began_s < 0.05


def test_until_and_count_end_a_rule() -> None:
    assert first("FREQ=DAILY;UNTIL=20260108", 9) == [START, START + timedelta(days=1)]
    assert first("FREQ=WEEKLY;COUNT=2", 9) == [START, START + timedelta(weeks=1)]
