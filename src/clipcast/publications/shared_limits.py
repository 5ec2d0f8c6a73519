"""The platforms' limits counted in Redis: one step that cannot be interrupted decides, and no transaction waits for another.

The database's rows are written all the same. They are what the counts in Redis begin with, what a page shows, and what is asked while
Redis does not answer.
"""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from clipcast.platforms.base import Rate
from clipcast.publications import pace
from clipcast.publications.models import PacedRequest
from clipcast.publications.pace import Keys, Use

log = structlog.get_logger()

ANSWER_WITHIN_S: Final = 0.5
"""Longer than Redis ever needs, and short enough to hold up a publication."""

REST_S: Final = 5.0
"""How long a Redis that did not answer is left alone."""

TOLD_AGAIN_EVERY_S: Final = 5.0
"""How often Redis hears of a key what the database counted: somebody else, who cannot reach it, may count there alone."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: Each limit is {count, since, keys, costs}. Answers, for each that is full, its number (from 1), what is used, and when the oldest
#: request was that has to leave its window first; or counts the request and answers nothing. Redis runs nothing else meanwhile.
_RESERVE: Final = """
local full = {}
for number, limit in ipairs(cjson.decode(ARGV[1])) do
  local used, moments = 0, {}
  for place, key in ipairs(limit.keys) do
    local found = redis.call('ZRANGEBYSCORE', KEYS[key], '(' .. limit.since, '+inf', 'WITHSCORES')
    for index = 2, #found, 2 do
      used = used + limit.costs[place]
      moments[#moments + 1] = tonumber(found[index])
    end
  end
  if used >= limit.count then
    table.sort(moments)
    local surplus = limit.weighed and 0 or used - limit.count
    full[#full + 1] = {number, used, string.format('%.0f', moments[surplus + 1])}
  end
end
if #full == 0 then
  for _, counted in ipairs(cjson.decode(ARGV[2])) do
    redis.call('ZADD', KEYS[counted[1]], ARGV[3], counted[2])
    redis.call('ZREMRANGEBYSCORE', KEYS[counted[1]], '-inf', ARGV[4])
    redis.call('EXPIRE', KEYS[counted[1]], ARGV[5])
  end
end
return full
"""


class SharedLimits:
    """Counts in Redis, and in the database when Redis does not answer."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._reserve = redis.register_script(_RESERVE)
        self._begun: dict[str, float] = {}  # when Redis was last told of each key
        self._lock = threading.Lock()
        self._resting_until_s = 0.0

    def reserve(self, session: Session, label: str, rates: Sequence[Rate], keys: Keys, now: datetime) -> Use | None:
        """As `pace.reserve`."""
        concerned = [rate for rate in rates if label in rate.labels]
        if not concerned:
            return None
        try:
            full = self._asked(session, label, concerned, keys, now)
        except (RedisError, OSError) as error:
            self._rest(error)
            return pace.reserve(session, label, rates, keys, now)
        return max(full, key=lambda use: use.free_at or now) if full else None

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def _asked(self, session: Session, label: str, concerned: Sequence[Rate], keys: Keys, now: datetime) -> list[Use]:
        if time.monotonic() < self._resting_until_s:
            return self._in_database(session, label, concerned, keys, now)
        for key in sorted({keys[rate.per] for rate in concerned}):
            self._begin(session, key, now)
        names = {name: number for number, name in enumerate(_names(concerned, keys), start=1)}
        enforced = [rate for rate in concerned if rate.enforced]
        counted = {key: pace.new_row(key, label, now) for key in {keys[rate.per] for rate in concerned}}
        answer = self._reserve(
            keys=list(names),
            args=[
                json.dumps([_told(rate, keys, names, now) for rate in enforced]),
                json.dumps([[names[_name(key, label)], row["id"]] for key, row in counted.items()]),
                _micros(now),
                _micros(now - pace.REMEMBERED),
                int(pace.REMEMBERED.total_seconds()),
            ],
        )
        full = [_use(enforced[int(number) - 1], int(used), int(oldest), now) for number, used, oldest in cast("list[Any]", answer)]
        if not full:
            pace.write(session, list(counted.values()))
        return full

    def _in_database(self, session: Session, label: str, concerned: Sequence[Rate], keys: Keys, now: datetime) -> list[Use]:
        full = pace.reserve(session, label, concerned, keys, now)
        return [full] if full else []

    def _begin(self, session: Session, key: str, now: datetime) -> None:
        """Let Redis know what the database has counted under this key, unless it does: it may be new, or have forgotten, or been away.

        What it knows already has the same id and is counted once.
        """
        mark, asked_at_s = f"{_PREFIX}begun:{key}", time.monotonic()
        if asked_at_s - self._begun.get(key, float("-inf")) < TOLD_AGAIN_EVERY_S and self._redis.exists(mark):
            return
        rows = session.scalars(select(PacedRequest).where(PacedRequest.pace_key == key, PacedRequest.sent_at > now - pace.REMEMBERED))
        with self._redis.pipeline() as pipeline:
            for row in rows:
                pipeline.zadd(_name(key, row.label), {row.id: _micros(row.sent_at)})
                pipeline.expire(_name(key, row.label), pace.REMEMBERED)
            pipeline.set(mark, "1", ex=pace.REMEMBERED)
            pipeline.execute()
        with self._lock:
            self._begun[key] = asked_at_s

    def _rest(self, error: Exception) -> None:
        """The database counts for a while; what it counts meanwhile, Redis is told afterwards."""
        self._resting_until_s = time.monotonic() + REST_S
        with self._lock:
            self._begun.clear()
        log.warning("limits.redis_away", reason=type(error).__name__, consequence="the database counts")


def open_limits(url: str) -> SharedLimits:
    """The limits counted in the Redis of this URL. Nothing is connected yet."""
    return SharedLimits(Redis.from_url(url, socket_timeout=ANSWER_WITHIN_S, socket_connect_timeout=ANSWER_WITHIN_S, decode_responses=True))


_PREFIX: Final = "{clipcast-limits}:"
"""In braces, so that a Redis cluster keeps all of it in one place, as one script needs it."""


def _name(key: str, label: str) -> str:
    return f"{_PREFIX}{key}:{label}"


def _names(concerned: Sequence[Rate], keys: Keys) -> list[str]:
    return sorted({_name(keys[rate.per], label) for rate in concerned for label in rate.labels})


def _told(rate: Rate, keys: Keys, names: Mapping[str, int], now: datetime) -> dict[str, object]:
    """The limit as the script understands it."""
    costs = dict(rate.costs)
    return {
        "count": rate.count,
        "since": str(_micros(pace.window_start(rate, now))),
        "keys": [names[_name(keys[rate.per], label)] for label in rate.labels],
        "costs": [costs.get(label, 1) for label in rate.labels],
        "weighed": bool(rate.costs),
    }


def _use(rate: Rate, used: int, oldest_micros: int, now: datetime) -> Use:
    return Use(rate, used, pace.window_end(rate, _EPOCH + timedelta(microseconds=oldest_micros), now))


def _micros(moment: datetime) -> int:
    """Microseconds since 1970: exact in Redis' floating point until the year 2255."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
