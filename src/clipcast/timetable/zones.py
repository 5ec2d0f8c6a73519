"""From a wall clock's time in a zone to the moment it means, and what to say where that is not plain.

Twice a year, where clocks are changed, a local time does not exist or exists twice. One that does not exist is the same distance after the
change (02:30, skipped, becomes 03:30); of two equal ones it is the first, unless `fold` asks for the second.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

Fold = Literal[0, 1]

_NOT_ZONES: Final = frozenset({"localtime", "Factory"})
"""In some systems' databases beside the zones: they mean another place on each machine, or none."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The moment that a local time means, aware in UTC; `remark` is a sentence where it is not the plain one, else empty."""

    at: datetime
    remark: str


@cache
def names() -> frozenset[str]:
    """Every IANA zone that this machine knows."""
    return frozenset(available_timezones()) - _NOT_ZONES


def known(name: str) -> str:
    """That name, if it is a zone's.

    Raises:
        ValueError: it is not; says what may have been meant.

    >>> known("Europe/Berln")
    Traceback (most recent call last):
    ValueError: there is no time zone 'Europe/Berln'; did you mean Europe/Berlin?
    """
    if name in names():
        return name
    near = _near(name)
    advice = f"did you mean {' or '.join(near)}?" if near else "name one of the IANA database, such as Europe/Berlin or UTC"
    raise ValueError(f"there is no time zone {name[:64]!r}; {advice}")


def _near(name: str) -> list[str]:
    """Zones of the same spelling in another case, of that city, or almost of that name; two at most."""
    wanted = name.strip().replace(" ", "_").lower()
    spelled = {zone.lower(): zone for zone in sorted(names())}
    if wanted in spelled:
        return [spelled[wanted]]
    cities = {zone.rpartition("/")[2]: zone for zone in spelled if "/" in zone and not zone.startswith(("etc/", "posix/", "right/"))}
    close = [cities[city] for city in get_close_matches(wanted.rpartition("/")[2], cities, n=2, cutoff=0.8)]
    whole = get_close_matches(wanted, spelled, n=1, cutoff=0.8)
    return [spelled[zone] for zone in dict.fromkeys([*whole, *close])][: 1 if whole else 2]


def meant(local: datetime, zone: str, fold: Fold = 0) -> Meant:
    """The moment of this local time, which has no offset, in a known zone.

    Raises:
        ValueError: it lies outside of the calendar.

    >>> meant(datetime(2026, 3, 29, 2, 30), "Europe/Berlin").at.isoformat()
    '2026-03-29T01:30:00+00:00'
    >>> meant(datetime(2026, 10, 25, 2, 30), "Europe/Berlin", fold=1).at.isoformat()
    '2026-10-25T01:30:00+00:00'
    """
    first, second = (local.replace(tzinfo=ZoneInfo(zone), fold=each) for each in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None
    assert after is not None
    if before == after:
        return Meant(_utc(first), "")
    if before < after:
        at = _utc(first)
        instead = _clock(local_time(at, zone))
        return Meant(at, f"{_clock(local)} does not exist in {zone}, where clocks go forward; it is {instead} instead.")
    which, other = ("second", "first") if fold else ("first", "second")
    remark = f"{_clock(local)} comes twice in {zone}, where clocks go back; it is the {which}, send fold: {1 - fold} for the {other}."
    return Meant(_utc(second if fold else first), remark)


def local_time(at: datetime, zone: str) -> datetime:
    """What the clocks of that zone show at this moment, with their offset."""
    return at.astimezone(ZoneInfo(zone))


def remark_on(at: datetime, asked_for: datetime, zone: str) -> str:
    """What a person should know about a moment that was decided when somebody asked for this local time; empty when all is plain.

    A zone's rules may have changed since then: the moment stays what was promised, and this says so.
    """
    both = [meant(asked_for, zone, fold) for fold in (0, 1)]
    for each in both:
        if each.at == at:
            return each.remark
    return (
        f"The rules of {zone} have changed since {_clock(asked_for)} was asked for: it goes out at {_clock(local_time(at, zone))} there. "
        "Set its time again to follow the new rules."
    )


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC).replace(fold=0)
    except OverflowError:
        raise ValueError("it lies outside of the calendar") from None


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment.second == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"
