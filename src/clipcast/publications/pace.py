"""Keeping below the platforms' documented request rates, so that their refusals stay rare."""

import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from clipcast.platforms.base import Rate


class Pace:
    """Sliding windows of the requests that this process sent, per account and rate; safe to use from many threads."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, Rate], deque[datetime]] = {}
        self._lock = threading.Lock()

    def reserve(self, account_key: str, label: str, rates: Sequence[Rate], now: datetime) -> datetime | None:
        """Take a place for one request with this label; None when it may leave now, else the moment when a place becomes free."""
        concerned = [rate for rate in rates if label in rate.labels]
        if not concerned:
            return None
        with self._lock:
            windows = [(rate, self._window(account_key, rate, now)) for rate in concerned]
            full = [window[0] + timedelta(seconds=rate.per_s) for rate, window in windows if len(window) >= rate.count]
            if full:
                return max(full)
            for _, window in windows:
                window.append(now)
            return None

    def _window(self, account_key: str, rate: Rate, now: datetime) -> deque[datetime]:
        window = self._sent.setdefault((account_key, rate), deque())
        while window and window[0] <= now - timedelta(seconds=rate.per_s):
            window.popleft()
        return window
