"""When a driver has to stop at its next save: its process is asked to end, or the publication has had its time."""

import mmap
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class ClosingTime:
    """Whether this worker is about to end. Made before it forks, all its processes see it; no lock that a killed one could keep."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def announce(self) -> None:
        """The worker ends: every driver of every process stops at its next save."""
        self._byte[0] = 1

    @property
    def has_come(self) -> bool:
        """Whether that was announced."""
        return self._byte[0] == 1


class Stop(threading.Event):
    """A driver's `stopping` that is also set at closing time, and `limit_s` seconds from now."""

    def __init__(self, closing: ClosingTime, limit_s: float) -> None:
        super().__init__()
        self._is_asked = False
        self._closing, self._ends_at_s = closing, time.monotonic() + limit_s

    def ask(self) -> None:
        """Stop at the next save. Takes no lock, unlike `set`: a signal may come in the middle of whatever holds it."""
        self._is_asked = True

    def is_set(self) -> bool:
        """Whether to stop at the next save."""
        return self._is_asked or super().is_set() or self._closing.has_come or time.monotonic() >= self._ends_at_s


@contextmanager
def soft_limit_sets(stop: Stop) -> Iterator[None]:
    """Let the prefork pool's soft limit ask `stop`.

    Otherwise it raises at whatever line the driver has reached: between a request and the saving of its answer, for example. The signal
    reaches the main thread alone; other pools' tasks run in other threads, or know no soft limit, and `stop` knows the time.
    """
    number = getattr(signal, "SIGUSR1", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, lambda _number, _frame: stop.ask())
    try:
        yield
    finally:
        signal.signal(number, before)
