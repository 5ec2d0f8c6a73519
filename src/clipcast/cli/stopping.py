"""Ending well: SIGINT and SIGTERM ask, the command finishes its step and leaves with exit code 0."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """An event that is set when this process is asked to stop. A second time the signal ends it at once."""
    asked = threading.Event()
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in wanted}

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        for number in wanted:
            signal.signal(number, signal.SIG_DFL)

    for number in wanted:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
