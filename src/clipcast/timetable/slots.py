"""When an account's slots are, as people say it: "weekdays 9:00 and 17:30, Europe/Berlin"."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from clipcast.timetable.zones import local_time, meant

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {"weekdays": DAYS[:5], "weekends": DAYS[5:], "daily": DAYS}
AHEAD: Final = timedelta(days=366)
"""How far ahead a free slot is looked for: a queue that is full for a year is a mistake."""

_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Week:
    """Slots by the day of the week (0: Monday), each day's times sorted, by the clocks of one zone."""

    times: tuple[tuple[time, ...], ...]
    timezone: str

    @classmethod
    def of(cls, slots: Sequence[Mapping[str, Sequence[str]]], timezone: str) -> "Week":
        """The week that these lines of days and times make; what stands twice is one slot.

        Raises:
            ValueError: a day or a time is none; says what one looks like.

        >>> [len(day) for day in Week.of([{"days": ["weekdays"], "times": ["9:00", "17:30"]}], "Europe/Berlin").times]
        [2, 2, 2, 2, 2, 0, 0]
        """
        days: list[set[time]] = [set() for _ in DAYS]
        for line in slots:
            times = {time_of(text) for text in line["times"]}
            for day in days_of(line["days"]):
                days[day] |= times
        return cls(tuple(tuple(sorted(day)) for day in days), timezone)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every slot later than that moment, in order, in UTC, for a year ahead.

        Where clocks go forward over a slot it is the same distance after the change; where they go back over one it comes once.
        """
        first, seen = local_time(moment, self.timezone).date(), moment
        for number in range(-1, AHEAD.days):
            day = first + timedelta(days=number)
            for at in sorted(meant(datetime.combine(day, each), self.timezone).at for each in self.times[day.weekday()]):
                if at > seen:
                    seen = at
                    yield at


def days_of(names: Sequence[str]) -> list[int]:
    """The days of the week that these names mean, from 0 for Monday.

    >>> days_of(["weekends", "mon"])
    [0, 5, 6]
    """
    found: set[int] = set()
    for name in names:
        spelled = name.strip().lower()
        group = GROUPS.get(spelled, (spelled[:3],) if spelled else ())
        if not group or any(day not in DAYS for day in group):
            raise ValueError(f"{name[:20]!r} is no day; write mon, tue, wed, thu, fri, sat, sun, weekdays, weekends or daily")
        found |= {DAYS.index(day) for day in group}
    return sorted(found)


def time_of(text: str) -> time:
    """That time of a day.

    >>> time_of("9:05")
    datetime.time(9, 5)
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:20]!r} is no time of a day; write hours and minutes, such as 09:00 or 17:30")
    return time(int(match[1]), int(match[2]))


def split_line(text: str) -> dict[str, list[str]]:
    """Days and times as one says them in a line.

    >>> split_line("mon, thu 9:00 and 17:30")
    {'days': ['mon', 'thu'], 'times': ['09:00', '17:30']}
    """
    words = [word for word in re.split(r"[\s,]+", text.strip()) if word and word.lower() != "and"]
    times = [word for word in words if ":" in word]
    days = [word.lower() for word in words if ":" not in word]
    days_of(days)
    if not times or not days:
        raise ValueError(f"{text[:40]!r} names no days and times; write for example 'weekdays 9:00 17:30'")
    return {"days": days, "times": [f"{time_of(each):%H:%M}" for each in times]}
