"""When to try again: a pure function from what went wrong, and for how long, to a decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from clipcast.errors import Busy, ClipcastError, NotSent, OutcomeUnknown, ProtocolError, Throttled, TokenExpired, Unavailable

BACKOFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Pauses after the first, second, ... failure in a row; the last one repeats."""

GIVE_UP_AFTER: Final = timedelta(hours=24)
"""How long trouble that should pass is waited for."""

GIVE_UP_CAPS_AFTER: Final = timedelta(hours=72)
"""How long a full cap is waited for: two full days in a row happen, a third means that something else is wrong."""

LONGEST_STRETCH_S: Final = 60.0
"""Enough to part those that failed together; a wait for midnight must not become one for breakfast."""

BAFFLED_TRIES: Final = 5
"""How often an answer that nobody understands, or a bug of ours, is tried again."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Come back at `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Refresh the access token, then go on where we were."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Only a person can change anything now."""


Decision: TypeAlias = TryAgain | RefreshToken | GiveUp


def decide(error: Exception, *, failures: int, failing_since: datetime, now: datetime, jitter: float) -> Decision:
    """What to do about `error`, the `failures`-th in a row (from 1), the first of them at `failing_since`.

    `jitter` (0 to 1) stretches the pause by up to a quarter, a minute at most, so that publications that failed together do not come back
    together.
    """
    match error:
        case TokenExpired():
            return RefreshToken()
        case Throttled(retry_after_s=pause_s):
            return _unless_over(now + _stretched(pause_s, jitter), failing_since + GIVE_UP_CAPS_AFTER)
        case Unavailable() | NotSent() | OutcomeUnknown() | Busy():
            pause_s = BACKOFF_S[min(failures, len(BACKOFF_S)) - 1]
            return _unless_over(now + _stretched(pause_s, jitter), failing_since + GIVE_UP_AFTER)
        case ProtocolError():
            return _baffled(failures, now)
        case ClipcastError():
            return GiveUp()
        case _:
            return _baffled(failures, now)


def _baffled(failures: int, now: datetime) -> Decision:
    """For answers nobody understands and for bugs: a few slow tries, then a person."""
    return TryAgain(now + timedelta(seconds=5 * 2**failures)) if failures < BAFFLED_TRIES else GiveUp()


def _stretched(pause_s: float, jitter: float) -> timedelta:
    return timedelta(seconds=pause_s + min(pause_s / 4, LONGEST_STRETCH_S) * jitter)


def _unless_over(at: datetime, end: datetime) -> Decision:
    return TryAgain(at) if at <= end else GiveUp()
