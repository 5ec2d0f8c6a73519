"""When a driver has to stop at its next save."""

import signal
from collections.abc import Iterator

import pytest

from clipcast.worker.stop import ClosingTime, Stop, soft_limit_sets


@pytest.fixture
def stop() -> Iterator[Stop]:
    stop = Stop(ClosingTime(), 3600.0)
    with soft_limit_sets(stop):
        yield stop


def test_a_soft_limit_sets_it(stop: Stop) -> None:
    assert not stop.is_set()
    signal.raise_signal(signal.SIGUSR1)
    assert stop.is_set()


@pytest.mark.timeout(30)
def test_a_soft_limit_that_comes_while_it_is_locked_sets_it(stop: Stop) -> None:
    """The same thread cannot take an event's lock twice: it would stand still for good, and hold its lease."""
    with stop._cond:  # type: ignore[attr-defined]  # there is no other way into that moment
        signal.raise_signal(signal.SIGUSR1)
    assert stop.is_set()
