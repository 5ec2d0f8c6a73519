"""Keeping below the platforms' documented limits, so that their refusals stay rare: over a limit means later, not failed.

The requests are counted in the database, so that all workers of an installation count together and a restart forgets nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import case, delete, func, insert, literal, select
from sqlalchemy.orm import Session

from clipcast.db.base import new_id
from clipcast.db.turns import take_turn
from clipcast.platforms.base import Rate
from clipcast.publications.models import PacedRequest

Keys = Mapping[Literal["account", "app"], str]
"""Under which names the requests of one connection are counted: its account's, and its app's."""

REMEMBERED: Final = timedelta(days=2)
"""Longer than the longest window."""


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit is used now. `free_at` is when the next request may leave; None when it may leave at once."""

    rate: Rate
    used: int
    free_at: datetime | None

    @property
    def left(self) -> int:
        """How many more requests may leave now."""
        return max(0, self.rate.count - self.used)


Reserve: TypeAlias = Callable[[Session, str, Sequence[Rate], Keys, datetime], Use | None]
"""Counts one request with a label against these limits, as `reserve` does."""


def window_start(rate: Rate, now: datetime) -> datetime:
    """Since when requests count against this limit.

    >>> from datetime import UTC
    >>> window_start(Rate(("a",), 1, 60), datetime(2026, 1, 1, 12, 1, tzinfo=UTC)).isoformat()
    '2026-01-01T12:00:00+00:00'
    """
    if rate.day_in is None:
        return now - timedelta(seconds=rate.per_s)
    return now.astimezone(ZoneInfo(rate.day_in)).replace(hour=0, minute=0, second=0, microsecond=0)


def window_end(rate: Rate, oldest: datetime, now: datetime) -> datetime:
    """When a place becomes free that the request of `oldest` takes now."""
    if rate.day_in is None:
        return oldest + timedelta(seconds=rate.per_s)
    tomorrow = now.astimezone(ZoneInfo(rate.day_in)).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ZoneInfo(rate.day_in)).astimezone(now.tzinfo)


def use_of(session: Session, rate: Rate, keys: Keys, now: datetime) -> Use:
    """How much of this limit is used by the requests that we sent."""
    counted = (
        PacedRequest.pace_key == keys[rate.per],
        PacedRequest.label.in_(rate.labels),
        PacedRequest.sent_at > window_start(rate, now),
    )
    costs = dict(rate.costs)
    by_label = session.execute(select(PacedRequest.label, func.count()).where(*counted).group_by(PacedRequest.label))
    used = sum(count * costs.get(label, 1) for label, count in by_label)
    if used < rate.count:
        return Use(rate, used, None)
    # The window must shrink by this many requests before another one fits.
    surplus = 0 if rate.costs else used - rate.count
    oldest = session.scalars(select(PacedRequest.sent_at).where(*counted).order_by(PacedRequest.sent_at).offset(surplus).limit(1)).one()
    return Use(rate, used, window_end(rate, oldest, now))


def most_used(session: Session, rate: Rate, platform: str, now: datetime) -> int:
    """How much of this limit the app, or of the accounts the one that has used most, has used on the platform itself."""
    app_key = f"{platform}:app"
    whose = PacedRequest.pace_key == app_key
    if rate.per == "account":
        whose = PacedRequest.pace_key.startswith(f"{platform}:", autoescape=True) & (PacedRequest.pace_key != app_key)
    counted = (
        whose,
        PacedRequest.label.in_(rate.labels),
        PacedRequest.sent_at > window_start(rate, now),
    )
    cost = case(dict(rate.costs), value=PacedRequest.label, else_=1) if rate.costs else literal(1)
    per_key = select(func.sum(cost).label("used")).where(*counted).group_by(PacedRequest.pace_key).subquery()
    return session.scalar(select(func.max(per_key.c.used))) or 0


def reserve(session: Session, label: str, rates: Sequence[Rate], keys: Keys, now: datetime) -> Use | None:
    """Count one request with this label; or, where an enforced limit is full, the fullest one, and nothing is counted."""
    concerned = [rate for rate in rates if label in rate.labels]
    for key in sorted({keys[rate.per] for rate in concerned if rate.enforced}):
        take_turn(session, f"limits of {key}")  # or two that count at once would both take the last place
    full = [use for use in (use_of(session, rate, keys, now) for rate in concerned if rate.enforced) if use.free_at is not None]
    if full:
        return max(full, key=lambda use: use.free_at or now)
    write(session, [new_row(keys[per], label, now) for per in {rate.per for rate in concerned}])
    return None


def new_row(key: str, label: str, now: datetime) -> dict[str, Any]:
    """A counted request, not written yet."""
    return {"id": new_id(), "pace_key": key, "label": label, "sent_at": now}


def write(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember these counted requests."""
    if rows:
        session.execute(insert(PacedRequest), list(rows))


def forget(session: Session, now: datetime) -> None:
    """Drop what no window looks back to any more."""
    session.execute(delete(PacedRequest).where(PacedRequest.sent_at < now - REMEMBERED))
