"""The time, passed in: nothing in Clipcast asks the system clock behind its caller's back."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, aware, in UTC."""


def system_clock() -> datetime:
    """The present moment by the machine's clock, aware, in UTC."""
    return datetime.now(UTC)
