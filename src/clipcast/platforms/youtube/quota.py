"""When a day's quota is full again: at midnight in California, whatever the season."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from clipcast.platforms.youtube.limits import QUOTA_SLACK_S, QUOTA_ZONE

_PACIFIC: Final = ZoneInfo(QUOTA_ZONE)


def next_reset(now: datetime) -> datetime:
    """The next midnight in California, in UTC. Days of 23 and 25 hours included: the clocks there change at two in the morning.

    >>> next_reset(datetime(2026, 7, 1, 6, 59, tzinfo=UTC)).isoformat()
    '2026-07-01T07:00:00+00:00'
    >>> next_reset(datetime(2026, 12, 1, 8, 0, tzinfo=UTC)).isoformat()
    '2026-12-02T08:00:00+00:00'

    Source: https://developers.google.com/youtube/data/determine_quota_cost (read 2026-11-20)
    """
    tomorrow = now.astimezone(_PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), _PACIFIC).astimezone(UTC)


def seconds_until_reset(now: datetime) -> float:
    """How long to wait from `now` until a full quota is worth another try."""
    return (next_reset(now) - now).total_seconds() + QUOTA_SLACK_S
