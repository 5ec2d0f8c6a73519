"""What is used and what is left of every limit that the platforms document, and when there is room again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from clipcast.accounts import store as accounts
from clipcast.db.engine import Database
from clipcast.errors import ClipcastError
from clipcast.platforms.base import Problem, Rate, Told
from clipcast.publications import pace
from clipcast.publications.connections import Connection, Connections
from clipcast.publications.models import Publication

WORTH_A_WORD: Final = timedelta(hours=1)
"""Limits of shorter windows are waited out without a word: nobody plans a day by them."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. `source` says who counted: the platform itself, or we the requests that we sent (others may have sent more)."""

    name: str
    per: Literal["account", "app"]
    window_s: float
    total: int
    used: int
    left: int
    free_at: datetime | None
    source: Literal["platform", "our count"]
    enforced: bool


@dataclass(frozen=True, slots=True)
class Quota:
    """An account's limits. `not_asked` says why the platform's own numbers are missing, where it has some."""

    limits: list[Limit]
    simulated: bool
    not_asked: str | None


def quota_of(db: Database, connections: Connections, account_id: str, now: datetime) -> Quota:
    """All limits of this account, the platform's own numbers first.

    Raises:
        NotFound: there is no such account.
        ConfigurationError, InvalidRequest: the account cannot publish at all; says why.
    """
    with db.reading() as session:
        platform = accounts.get(session, account_id).platform
    connection = connections.open(Publication(platform=platform, social_account_id=account_id))
    told, not_asked = _told(connections, connection)
    counted = _counted(db, connection, now)
    names = {limit.name for limit in told}
    return Quota([*told, *(limit for limit in counted if limit.name not in names)], connection.simulated, not_asked)


def problems_of(db: Database, connection: Connection, now: datetime) -> list[Problem]:
    """A word for each long limit that is full now: the post would wait for its turn."""
    full = [limit for limit in _counted(db, connection, now) if limit.free_at and limit.window_s >= WORTH_A_WORD.total_seconds()]
    return [Problem("quota", "limit_full", _sentence(limit, now), blocking=False) for limit in full]


def _sentence(limit: Limit, now: datetime) -> str:
    assert limit.free_at is not None
    day = "" if limit.free_at.date() == now.date() else f" on {limit.free_at:%Y-%m-%d}"
    count = f"this would be number {limit.used + 1} of {limit.total} {limit.name}"
    if limit.enforced:
        return f"{count.capitalize()}; it waits until the earliest free time, {limit.free_at:%H:%M} UTC{day}."
    return f"By our count {count}; the platform may refuse it until about {limit.free_at:%H:%M} UTC{day}."


def _told(connections: Connections, connection: Connection) -> tuple[list[Limit], str | None]:
    question = connection.platform.account_request(connection.account)
    if question is None:
        return [], None
    try:
        answer = connections.wire.send(question, media=connection.media, access_token=connection.access_token)
    except ClipcastError as error:
        return [], str(error)
    if answer.status >= 400:
        return [], f"{connection.platform.name} did not tell (HTTP {answer.status}); these are our own counts. Ask again later."
    return [_limit_of_told(told) for told in connection.platform.told(answer)], None


def _limit_of_told(told: Told) -> Limit:
    left = max(0, told.total - told.used)
    return Limit(told.name, "account", told.per_s, told.total, told.used, left, None, "platform", enforced=True)


def _counted(db: Database, connection: Connection, now: datetime) -> list[Limit]:
    with db.reading() as session:
        uses = [pace.use_of(session, rate, connection.pace_keys, now) for rate in _named(connection.platform.rates)]
    return [
        Limit(use.rate.name, use.rate.per, use.rate.per_s, use.rate.count, use.used, use.left, use.free_at, "our count", use.rate.enforced)
        for use in uses
    ]


def _named(rates: Sequence[Rate]) -> list[Rate]:
    """The limits with a name, and the others by what they limit."""
    return [rate if rate.name else _renamed(rate) for rate in rates]


def _renamed(rate: Rate) -> Rate:
    return Rate(rate.labels, rate.count, rate.per_s, rate.per, rate.day_in, rate.costs, rate.enforced, name=f"{rate.labels[0]} per minute")
