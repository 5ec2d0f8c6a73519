"""When a token ends, whether it can be renewed, and when a refresh that failed is tried again: pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clipcast.errors import ClipcastError, ReconnectRequired, Throttled
from clipcast.platforms.base import AnyPlatform, Credentials

FIRST_PAUSE: Final = timedelta(minutes=5)
"""After the first failure in a row; doubled after the second and the third."""
QUICK_TRIES: Final = 3
"""How many tries follow in that rhythm."""
PERIOD: Final = timedelta(minutes=30)
"""How often expiring tokens are looked for, and how far apart all further tries are."""
SETTLED: Final = timedelta(days=1)
"""From what age on a token is renewed whose end nobody knows, and how far apart its renewals are: Instagram renews no younger one."""
_STRETCH: Final = 0.1
"""How much longer than said a pause may become, so that accounts which failed together do not come back together."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of a connection, if no person acts. A time of None: no end is known."""

    #: When the access token ends.
    expires_at: datetime | None
    #: Whether there is something to trade in for a new one, without its owner.
    renewable: bool
    #: When that ends itself.
    traded_ends_at: datetime | None = None
    #: Whether each renewal moves that end as well, so that the connection has none.
    lasting: bool = False

    @property
    def connection_ends_at(self) -> datetime | None:
        """When the connection ends for good."""
        if not self.renewable:
            return self.expires_at
        return None if self.lasting else self.traded_ends_at

    def is_over(self, now: datetime) -> bool:
        """Whether only its owner can bring it back: the access token has ended, and nothing that lives is left to trade in."""
        if self.expires_at is None or self.expires_at > now:
            return False
        return not self.renewable or (self.traded_ends_at is not None and self.traded_ends_at <= now)


def forecast(platform: AnyPlatform, credentials: Credentials) -> Forecast:
    """What is known of these credentials' end.

    Where the access token itself is traded in (Instagram), a dead one is the end, and a living one is renewed for ever.
    """
    if not renewable(platform, credentials):
        return Forecast(credentials.expires_at, renewable=False)
    if platform.renews_by == "access_token":
        return Forecast(credentials.expires_at, renewable=True, traded_ends_at=credentials.expires_at, lasting=True)
    return Forecast(credentials.expires_at, renewable=True, traded_ends_at=credentials.refresh_expires_at)


def renewable(platform: AnyPlatform, credentials: Credentials) -> bool:
    """Whether there is anything to trade in, dead or alive; the platform knows what it takes."""
    try:
        platform.refresh_request(credentials)
    except ReconnectRequired:
        return False
    return True


def lasts(platform: AnyPlatform, credentials: Credentials, now: datetime, margin: timedelta | None) -> bool:
    """Whether the access token is good for `margin` (None: it is to be renewed in any case), as far as is known.

    It has an end even if nobody knows when: where there is something to trade in it does not last, and the renewal will tell.
    """
    if margin is None:
        return False
    if credentials.expires_at is None:
        return not renewable(platform, credentials)
    return credentials.expires_at > now + margin


def try_again_at(failures: int, error: ClipcastError, now: datetime, jitter: float) -> datetime:
    """When to try again after the `failures`-th failure in a row (from 1): 5, 10, 20 minutes, then every 30; later where we are told so.

    `jitter` (0 to 1) stretches the pause by up to a tenth.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    >>> [f"{try_again_at(failures, ClipcastError(), noon, 0.0):%H:%M}" for failures in (1, 2, 3, 4, 5)]
    ['12:05', '12:10', '12:20', '12:30', '12:30']
    """
    pause = FIRST_PAUSE * 2 ** (failures - 1) if failures <= QUICK_TRIES else PERIOD
    if isinstance(error, Throttled):
        pause = max(pause, timedelta(seconds=error.retry_after_s))
    return now + pause * (1 + _STRETCH * jitter)
