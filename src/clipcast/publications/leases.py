"""The right to work on a publication, for a while.

A lease is a row's `lease_token` that only its holder knows and a moment when it runs out. Every write of the driver carries the token and
fails when it is no longer the row's; nothing is sent once the holder's own clock says that the lease may have run out. So a worker that
was frozen and wakes up again can neither write nor send.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from clipcast.clock import boot_time_s
from clipcast.errors import LeaseLost

LEASE: Final = timedelta(seconds=30)
"""How long a claim lasts unless it is renewed."""

RENEW_EVERY_S: Final = 10.0
"""How often the leases of running work are renewed."""

SAFETY_S: Final = 5.0
"""Nothing is sent in the last seconds of a lease: the database's clock and ours may disagree a little."""


@dataclass(slots=True)
class Lease:
    """One publication held by this process. The deadline is in seconds since the machine started."""

    publication_id: str
    token: str
    monotonic: Callable[[], float] = field(default=boot_time_s, repr=False)
    _deadline_s: float = field(default=0.0, init=False)
    _checked_at_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._checked_at_s = self.monotonic()
        self.renewed(self._checked_at_s)

    def renewed(self, asked_at_s: float) -> None:
        """The database granted another `LEASE`, counted from before it was asked."""
        self._deadline_s = asked_at_s + LEASE.total_seconds() - SAFETY_S

    def check(self) -> None:
        """Raises LeaseLost when the lease may have run out: called right before anything is sent."""
        now_s = self.monotonic()
        if now_s > self._deadline_s:
            raise LeaseLost(f"The lease of publication {self.publication_id} ran out while this worker stood still.")
        self._checked_at_s = now_s

    @property
    def silent_s(self) -> float:
        """For how many seconds its holder has not been about to send anything."""
        return self.monotonic() - self._checked_at_s

    def lose(self) -> None:
        """The database says that somebody else holds the row now."""
        self._deadline_s = float("-inf")


class LeaseBook:
    """The leases that this process holds now; safe to use from many threads."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def add(self, lease: Lease) -> None:
        """Work on this publication begins."""
        with self._lock:
            self._leases[lease.publication_id] = lease

    def remove(self, lease: Lease) -> None:
        """Work on this publication ended."""
        with self._lock:
            if self._leases.get(lease.publication_id) is lease:  # it may be another thread's by now, under a lease of its own
                del self._leases[lease.publication_id]

    def held(self) -> list[Lease]:
        """All leases held now."""
        with self._lock:
            return list(self._leases.values())
