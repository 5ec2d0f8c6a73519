"""Ending well: SIGINT and SIGTERM ask, the command finishes its step and leaves with exit code 0."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType


class Asked:
    """Whether somebody asked this process to stop.

    Not a `threading.Event`: a handler that sets one stops for good when its signal arrives in the middle of `wait`, or of another
    handler's `set`, since both hold a lock that the same thread cannot take twice. `SimpleQueue.put` may be interrupted by itself.
    """

    def __init__(self) -> None:
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._asked = False

    def wait(self) -> None:
        """Return when somebody has asked."""
        self._signals.get()

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Hear a signal. A second Ctrl-C raises KeyboardInterrupt."""
        if self._asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._asked = True
        self._signals.put(number)


@contextmanager
def asked_to_stop() -> Iterator[Asked]:
    """Hear when this process is asked to stop. A second Ctrl-C ends it at once.

    A SIGTERM right after a SIGINT does not: that is what `make` sends when somebody stops it.
    """
    asked, wanted = Asked(), (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, asked.handle) for number in wanted}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
