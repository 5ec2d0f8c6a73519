"""Keeping the leases of running work, and taking over those of the dead.

One thread of each worker process asks the database for more time, and hears what was lost.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from clipcast.clock import Clock, boot_time_s
from clipcast.db.engine import Database
from clipcast.errors import Busy
from clipcast.publications import claims
from clipcast.publications.leases import RENEW_EVERY_S, Lease, LeaseBook
from clipcast.worker.presence import Presence

log = structlog.get_logger()

REAP_EVERY_S: Final = 5.0
"""How often killed neighbours are looked for."""

SILENCE_S: Final = 30 * 60
"""A driver that sends nothing for so long hangs where no timeout reaches: its lease is kept no longer, so that somebody else goes on."""


def _nothing() -> None:
    pass


class LeaseKeeper(LeaseBook):
    """The leases that this process holds, renewed every `RENEW_EVERY_S` seconds while `run` runs."""

    def __init__(self, db: Database, clock: Clock) -> None:
        super().__init__()
        self._db, self._clock = db, clock

    def run(self, stopping: threading.Event, beside: Callable[[], None] = _nothing) -> None:
        """Renew until `stopping`, and do each time what is to be done beside."""
        while not stopping.wait(RENEW_EVERY_S):
            try:
                self.renew(self.held())
                beside()
            except Busy as error:
                log.warning("worker.leases_not_renewed", reason=str(error))
            except Exception:
                # Without this thread every longer upload would lose its lease, again and again.
                log.exception("worker.leases_not_renewed")

    def renew(self, leases: list[Lease]) -> None:
        """Ask for another term of each whose driver shows signs of life; those that are somebody else's now are lost."""
        leases = [lease for lease in leases if not self._is_dropped(lease)]
        if not leases:
            return
        asked_at_s = boot_time_s()
        with self._db.writing() as session:
            kept = claims.renew(session, self._clock(), leases)
        for lease in leases:
            if lease.publication_id in kept:
                lease.renewed(asked_at_s)
            else:
                lease.lose()

    def _is_dropped(self, lease: Lease) -> bool:
        """Whether it is kept no longer, because its driver hangs."""
        if lease.silent_s <= SILENCE_S:
            return False
        log.error("worker.lease_dropped", publication=lease.publication_id, silent_s=round(lease.silent_s))
        lease.lose()
        self.remove(lease)
        return True


class Heir:
    """Gives back what killed processes of this machine held, so that it goes on within seconds."""

    def __init__(self, db: Database, presence: Presence) -> None:
        self._db, self._presence = db, presence
        self._next_s = 0.0

    def look(self) -> None:
        """Look for them, if that was not done a moment ago. Raises Busy, and looks again at the next call."""
        if time.monotonic() < self._next_s:
            return
        with self._db.reading() as session:
            owners = claims.owners(session)
        dead = self._presence.dead_among(owners)
        if dead:
            with self._db.writing() as session:
                count = claims.release_of(session, dead)
            self._presence.forget(dead)
            log.info("worker.took_over", publications=count, from_workers=len(dead))
        self._next_s = time.monotonic() + REAP_EVERY_S
