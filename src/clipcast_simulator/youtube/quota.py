"""The quota buckets of a project: video uploads, and units. Both start anew at midnight Pacific time."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from clipcast_simulator.exchange import Context
from clipcast_simulator.youtube.errors import Refusal, upload_bucket_full
from clipcast_simulator.youtube.tables import quota
from clipcast_simulator.youtube.world import App

UPLOADS: Final = "uploads"
UNITS: Final = "units"

_PACIFIC: Final = ZoneInfo("America/Los_Angeles")


def day(now: float) -> str:
    """Return the day of the quota, which ends at 08:00 UTC in winter and 07:00 UTC in summer.

    >>> day(1_793_606_399), day(1_793_606_400)
    ('2026-11-01', '2026-11-02')
    """
    return datetime.fromtimestamp(now, _PACIFIC).date().isoformat()


def used(context: Context, project_number: str, bucket: str) -> int:
    """Return how much of a bucket is used today."""
    mine = (quota.c.project_number == project_number, quota.c.bucket == bucket, quota.c.day == day(context.now))
    return context.connection.execute(select(quota.c.used).where(*mine)).scalar() or 0


def charge_upload(context: Context, app: App) -> None:
    """Take one call of videos.insert; raises Refusal when the day's calls are used up."""
    if not _take(context, app.project_number, UPLOADS, 1, app.upload_quota):
        raise upload_bucket_full(app.project_number)


def charge_units(context: Context, app: App, units: int) -> None:
    """Take units; raises Refusal when the day's units are used up."""
    if not _take(context, app.project_number, UNITS, units, app.unit_quota):
        raise Refusal("quotaExceeded")


def _take(context: Context, project_number: str, bucket: str, cost: int, limit: int) -> bool:
    if context.settings.youtube.quotas == "off":
        return True
    already = used(context, project_number, bucket)
    if already + cost > limit:
        return False
    values = {"project_number": project_number, "bucket": bucket, "day": day(context.now), "used": already + cost}
    row = insert(quota).values(**values)
    keys = [quota.c.project_number, quota.c.bucket, quota.c.day]
    context.connection.execute(row.on_conflict_do_update(index_elements=keys, set_={"used": already + cost}))
    return True
