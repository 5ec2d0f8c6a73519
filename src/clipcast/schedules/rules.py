"""Rules of recurrence (RFC 5545, section 3.3.10), in bounded time.

A rule is expanded over the clocks of its zone, so that 9:00 stays 9:00 all year. We expand rules ourselves: a general library looks for the
next match until the year 9999, and a rule that never matches would keep it busy for many seconds. What we do not support is refused with
a sentence: frequencies finer than a day, BYSECOND, BYYEARDAY and BYWEEKNO.

>>> rule = parse("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3")
>>> [each.isoformat() for each in expand(rule, datetime(2026, 1, 1, 9), datetime(2027, 1, 1))]
['2026-01-30T09:00:00', '2026-02-27T09:00:00', '2026-03-27T09:00:00']
"""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from clipcast.errors import InvalidRequest

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MAX_COUNT: Final = 10_000
MAX_INTERVAL: Final = 1_000
MAX_A_DAY: Final = 48
"""More times of a day than one every half hour is a mistake, and no platform would take them."""
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9000

_UNSUPPORTED: Final = ("BYSECOND", "BYYEARDAY", "BYWEEKNO")
_BY_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL: Final = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSETPOS": (-366, 366),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's parts as RFC 5545 names them; an empty tuple where a part is absent.

    `until` is local; where it ended with Z it is aware, a moment that only a zone turns into local time.
    """

    freq: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    #: Weekdays from 0 for Monday, each with its number within the month or year (0: every one).
    days: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    def allows(self, at: datetime) -> bool:
        """Whether that moment, aware, is not past an `until` that is a moment itself."""
        return self.until is None or self.until.tzinfo is None or at <= self.until


# Reading


def parse(text: str) -> Rule:
    """The rule that this text says, with or without `RRULE:` before it.

    Raises:
        InvalidRequest: it is no rule, or one that we do not support; says what to change.
    """
    parts = _parts(text)
    freq = parts.pop("FREQ", "")
    if freq not in FREQUENCIES:
        raise _bad(f"FREQ must be {', '.join(FREQUENCIES)}; for several times a day, use FREQ=DAILY with BYHOUR and BYMINUTE")
    rule = Rule(
        freq=freq,
        interval=_number("INTERVAL", parts.pop("INTERVAL", "1"), 1, MAX_INTERVAL),
        count=_number("COUNT", parts.pop("COUNT"), 1, MAX_COUNT) if "COUNT" in parts else None,
        until=_until(parts.pop("UNTIL")) if "UNTIL" in parts else None,
        days=_days(parts.pop("BYDAY", ""), freq),
        week_start=_weekday(parts.pop("WKST", "MO")),
        months=_numbers("BYMONTH", parts),
        month_days=_numbers("BYMONTHDAY", parts),
        hours=_numbers("BYHOUR", parts),
        minutes=_numbers("BYMINUTE", parts),
        positions=_numbers("BYSETPOS", parts),
    )
    if parts:
        raise _bad(f"{next(iter(parts))[:20]} is not a part that Clipcast supports")
    return _sensible(rule)


def _parts(text: str) -> dict[str, str]:
    body = text.strip().upper().removeprefix("RRULE:").rstrip(";")
    if len(body) > 400:
        raise _bad("it is longer than 400 characters")
    found: dict[str, str] = {}
    for part in body.split(";"):
        name, is_there, value = part.partition("=")
        if not is_there or not value or not re.fullmatch("[A-Z]+", name):
            raise _bad(f"{part[:30]!r} is not NAME=VALUE")
        if name in found:
            raise _bad(f"{name[:20]} stands twice")
        if name in _UNSUPPORTED:
            raise _bad(f"{name} is not supported; say it with BYMONTH, BYMONTHDAY, BYDAY, BYHOUR and BYMINUTE")
        found[name] = value
    return found


def _sensible(rule: Rule) -> Rule:
    if rule.count is not None and rule.until is not None:
        raise _bad("COUNT and UNTIL do not go together; keep one")
    if rule.freq == "WEEKLY" and rule.month_days:
        raise _bad("BYMONTHDAY does not go with FREQ=WEEKLY; use FREQ=MONTHLY")
    if max(1, len(rule.hours)) * max(1, len(rule.minutes)) > MAX_A_DAY:
        raise _bad(f"it comes more than {MAX_A_DAY} times a day")
    if rule.positions and not (rule.days or rule.month_days or rule.months or rule.hours or rule.minutes):
        raise _bad("BYSETPOS needs another BY part to choose from")
    return rule


def _numbers(name: str, parts: dict[str, str]) -> tuple[int, ...]:
    if name not in parts:
        return ()
    low, high = _RANGES[name]
    found = {_number(name, each, low, high) for each in parts.pop(name).split(",")}
    if low < 0 and 0 in found:
        raise _bad(f"{name} cannot be 0; count from 1, or from -1 backwards")
    return tuple(sorted(found))


def _number(name: str, text: str, low: int, high: int) -> int:
    if re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII) and low <= int(text) <= high:
        return int(text)
    raise _bad(f"{name} must be a whole number from {low} to {high}")


def _days(text: str, freq: str) -> tuple[tuple[int, int], ...]:
    found = set()
    for each in text.split(",") if text else ():
        match = _BY_DAY.fullmatch(each)
        if match is None:
            raise _bad(f"{each[:20]!r} is no day; BYDAY takes {', '.join(WEEKDAYS)}, and -1FR for the last Friday")
        number = int(match[1] or 0)
        if match[1] and (number == 0 or abs(number) > 53 or freq not in {"MONTHLY", "YEARLY"}):
            raise _bad(f"{each} needs FREQ=MONTHLY or FREQ=YEARLY, and a number from 1 to 53")
        found.add((WEEKDAYS.index(match[2]), number))
    return tuple(sorted(found))


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise _bad(f"WKST must be one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(text)


def _until(text: str) -> datetime:
    match = _UNTIL.fullmatch(text)
    try:
        assert match is not None
        found = datetime.strptime(match[1] + (match[2] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007  # local, unless Z says otherwise
        return datetime.fromisoformat(found.isoformat() + "+00:00") if match[3] else found
    except (AssertionError, ValueError):
        raise _bad("UNTIL must look like 20261231, 20261231T235959 or 20261231T225959Z") from None


def _bad(why: str) -> InvalidRequest:
    return InvalidRequest(f"The rule cannot be used: {why}.")


# Expanding


def expand(rule: Rule, start: datetime, end: datetime, *, after: datetime | None = None) -> Iterator[datetime]:
    """Every time of the rule from `start` up to and including `end`, in order; later than `after` alone, if it is given. All local.

    `start` is the first time only if the rule matches it. Work is bounded by the days between: from `start` where there is a COUNT, else
    from shortly before `after`. Where `until` is a moment, up to a day more may come: who knows the zone asks `rule.allows`.
    """
    last = _last(rule, end)
    skipped = 0 if rule.count is not None or after is None else _periods_before(rule, start, after)
    filled, counted = _filled(rule, start), 0
    for days in _periods(rule, start.date(), skipped):
        if datetime.combine(days[0], time.min) > last:
            return
        for at in _times(filled, days, start):
            counted += 1
            if at < start:
                counted -= 1
            elif at > last or (rule.count is not None and counted > rule.count):
                return
            elif after is None or at > after:
                yield at


def _last(rule: Rule, end: datetime) -> datetime:
    """The last local time that may come; no clocks are more than a day from UTC."""
    if rule.until is None:
        return end
    if rule.until.tzinfo is None:
        return min(end, rule.until)
    return min(end - timedelta(days=1), rule.until.replace(tzinfo=None)) + timedelta(days=1)


def _filled(rule: Rule, start: datetime) -> Rule:
    """The rule with what it leaves open taken from its start."""
    months, month_days, days = rule.months, rule.month_days, rule.days
    if not month_days and not days:
        match rule.freq:
            case "YEARLY":
                months, month_days = months or (start.month,), (start.day,)
            case "MONTHLY":
                month_days = (start.day,)
            case "WEEKLY":
                days = ((start.weekday(), 0),)
    return Rule(
        freq=rule.freq,
        months=months,
        month_days=month_days,
        days=days,
        hours=rule.hours or (start.hour,),
        minutes=rule.minutes or (start.minute,),
        positions=rule.positions,
    )


def _periods_before(rule: Rule, start: datetime, after: datetime) -> int:
    """How many periods from the start certainly end before `after`."""
    days = max(0, (after - start).days)
    longest = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}[rule.freq] * rule.interval
    return max(0, days // longest - 1)


def _periods(rule: Rule, first: date, skipped: int) -> Iterator[Sequence[date]]:
    """The days of each period that the rule's interval hits, from the one of `first` on, without the first few of them."""
    begins = {"DAILY": _day, "WEEKLY": _week, "MONTHLY": _month, "YEARLY": _year}[rule.freq]
    number = skipped * rule.interval
    while True:
        days = begins(first, number, rule.week_start)
        if days[-1].year > LAST_YEAR:
            return
        yield days
        number += rule.interval


def _day(first: date, number: int, _: int) -> Sequence[date]:
    return [first + timedelta(days=number)]


def _week(first: date, number: int, week_start: int) -> Sequence[date]:
    monday = first - timedelta(days=(first.weekday() - week_start) % 7) + timedelta(weeks=number)
    return [monday + timedelta(days=day) for day in range(7)]


def _month(first: date, number: int, _: int) -> Sequence[date]:
    years, month = divmod(first.month - 1 + number, 12)
    year = first.year + years
    return [date(year, month + 1, day + 1) for day in range(calendar.monthrange(year, month + 1)[1])]


def _year(first: date, number: int, _: int) -> Sequence[date]:
    begin = date(first.year + number, 1, 1)
    return [begin + timedelta(days=day) for day in range(366 if calendar.isleap(begin.year) else 365)]


def _times(rule: Rule, days: Sequence[date], start: datetime) -> list[datetime]:
    """What the rule chooses of one period, sorted."""
    chosen = [day for day in days if all(fits(rule, day) for fits in _FILTERS)]
    clock = [time(hour, minute, start.second) for hour in rule.hours for minute in rule.minutes]
    times = [datetime.combine(day, each) for day in chosen for each in clock]
    if not rule.positions:
        return times
    places = {position - 1 if position > 0 else len(times) + position for position in rule.positions}
    return [times[place] for place in sorted(places) if 0 <= place < len(times)]


def _fits_month(rule: Rule, day: date) -> bool:
    return not rule.months or day.month in rule.months


def _fits_month_day(rule: Rule, day: date) -> bool:
    if not rule.month_days:
        return True
    return day.day in rule.month_days or day.day - calendar.monthrange(day.year, day.month)[1] - 1 in rule.month_days


def _fits_day(rule: Rule, day: date) -> bool:
    meant = [number for weekday, number in rule.days if weekday == day.weekday()]
    return not rule.days or any(number == 0 or _is_numbered(rule, day, number) for number in meant)


def _is_numbered(rule: Rule, day: date, number: int) -> bool:
    """Whether it is that one of its weekdays: of the month, or of the year where a yearly rule names no months."""
    if rule.freq == "YEARLY" and not rule.months:
        place, length = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
    else:
        place, length = day.day, calendar.monthrange(day.year, day.month)[1]
    return (place - 1) // 7 + 1 == number if number > 0 else (length - place) // 7 + 1 == -number


_FILTERS: Final[tuple[Callable[[Rule, date], bool], ...]] = (_fits_month, _fits_day, _fits_month_day)
