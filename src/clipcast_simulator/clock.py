"""The movable clock. It either follows the system's time at a distance or stands still; the database keeps which."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from clipcast_simulator import state


@dataclass(frozen=True, slots=True)
class Hands:
    """How the clock is set: frozen at an instant (Unix seconds), or `offset_s` ahead of the system."""

    frozen_at: float | None = None
    offset_s: float = 0.0


class Clock:
    """Simulated time in Unix seconds. `wall` is the system's time, injected."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall

    def hands(self, connection: Connection) -> Hands:
        """Return how the clock is set."""
        return hands(state.read_text(connection, "clock"))

    def now(self, connection: Connection) -> float:
        """Return the simulated time."""
        return self.read(self.hands(connection))

    def read(self, hands: Hands) -> float:
        """Return what a clock set like this shows."""
        return self._wall() + hands.offset_s if hands.frozen_at is None else hands.frozen_at

    def advance(self, connection: Connection, seconds: float) -> None:
        """Move the clock forward; a standing clock stays standing."""
        hands = self.hands(connection)
        if hands.frozen_at is None:
            self._set(connection, Hands(offset_s=hands.offset_s + seconds))
        else:
            self._set(connection, Hands(frozen_at=hands.frozen_at + seconds))

    def freeze(self, connection: Connection, at: float) -> None:
        """Stop the clock at an instant."""
        self._set(connection, Hands(frozen_at=at))

    def follow(self, connection: Connection, offset_s: float | None) -> None:
        """Let the clock run: `offset_s` ahead of the system, or on from what it shows now."""
        behind = self.now(connection) - self._wall() if offset_s is None else offset_s
        self._set(connection, Hands(offset_s=behind))

    @staticmethod
    def _set(connection: Connection, hands: Hands) -> None:
        state.write(connection, "clock", asdict(hands))


def hands(stored: str | None) -> Hands:
    """Read how a clock is set from its stored form; a new one follows the system."""
    return Hands() if stored is None else Hands(**json.loads(stored))


def iso(at: float | None) -> str | None:
    """Write an instant as ISO 8601 in UTC.

    >>> iso(0)
    '1970-01-01T00:00:00.000Z'
    """
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
