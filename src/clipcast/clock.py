"""The time, passed in: nothing in Clipcast asks the system clock behind its caller's back."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, aware, in UTC."""


def system_clock() -> datetime:
    """The present moment by the machine's clock, aware, in UTC."""
    return datetime.now(UTC)


def boot_time_s() -> float:
    """Seconds since the machine started, the time it slept included: a changed system clock does not move them, a closed lid does."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)  # Linux has it; macOS's and Windows' monotonic clocks go on in their sleep
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)
