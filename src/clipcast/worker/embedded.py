"""The worker inside a process: threads that claim what is due and drive it. Nothing else has to run."""

import queue
import threading
import time
from collections.abc import Collection
from datetime import timedelta
from typing import Final

import structlog

from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import Busy
from clipcast.publications import claims, pace
from clipcast.publications.driver import Driver
from clipcast.publications.leases import RENEW_EVERY_S, Lease, LeaseBook, boot_time_s
from clipcast.worker.presence import Presence

log = structlog.get_logger()

POLL_S: Final = 0.1
"""Another process may write a due publication without telling us: the longest it lies unseen."""

REAP_EVERY_S: Final = 5.0
"""How often killed neighbours are looked for."""


SWEEP_EVERY_S: Final = 3600.0
"""How often what no limit looks back to any more is dropped."""


class EmbeddedWorker:
    """Claims due publications and drives each in one of `threads` threads; `only` restricts it to these ids."""

    def __init__(
        self, db: Database, driver: Driver, clock: Clock, presence: Presence, *, threads: int, only: Collection[str] | None = None
    ) -> None:
        self._db, self._driver, self._clock, self._presence, self._only = db, driver, clock, presence, only
        self._threads = threads
        self._leases = LeaseBook()
        self._queue: queue.SimpleQueue[Lease | None] = queue.SimpleQueue()
        self._busy = threading.Semaphore(threads)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._running: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to work, in threads of its own."""
        loops = [self._dispatch, self._keep_leases, *[self._work] * self._threads]
        self._running = [threading.Thread(target=loop, name=f"clipcast-{loop.__name__.strip('_')}", daemon=True) for loop in loops]
        for thread in self._running:
            thread.start()

    def wake(self) -> None:
        """Look for due work now: somebody in this process just wrote some."""
        self._wake.set()

    def stop(self, patience_s: float = 10.0) -> None:
        """Take nothing new; give running work `patience_s` seconds to reach its next save. What is cut off is resumed by others."""
        self._stopping.set()
        self._driver.stop()
        self._wake.set()
        deadline = time.monotonic() + patience_s
        dispatcher, *others = self._running
        # What it has claimed must be queued before the words that end the threads: left over, it would lie there until its lease ends.
        dispatcher.join(patience_s)
        for _ in range(self._threads):
            self._queue.put(None)
        for thread in others:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _dispatch(self) -> None:
        next_reap_s = next_sweep_s = 0.0
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                if time.monotonic() >= next_reap_s:
                    next_reap_s = time.monotonic() + REAP_EVERY_S
                    self._take_over_from_the_dead()
                if time.monotonic() >= next_sweep_s:
                    next_sweep_s = time.monotonic() + SWEEP_EVERY_S
                    self._forget_old_requests()
                pause_s = self._hand_out()
            except Busy as error:
                log.warning("worker.database_busy", reason=str(error))
                pause_s = 1.0
            self._wake.wait(pause_s)

    def _hand_out(self) -> float:
        """Claim as much as there are free threads; answers how long to rest, in seconds."""
        free = self._free_threads()
        now = self._clock()
        leases = self._claimed(free) if free else []
        for _ in range(free - len(leases)):
            self._busy.release()
        for lease in leases:
            self._leases.add(lease)
            self._queue.put(lease)
        if len(leases) == free:
            return POLL_S  # every thread is busy: the next one to finish wakes us
        with self._db.reading() as session:
            due_at = claims.next_due_at(session, now, only=self._only)
        rest = (due_at - now) if due_at else timedelta(seconds=POLL_S)
        return min(POLL_S, max(0.0, rest.total_seconds()))

    def _free_threads(self) -> int:
        """Take all free places; what is not used is given back."""
        taken = 0
        while self._busy.acquire(blocking=False):
            taken += 1
        return taken

    def _claimed(self, limit: int) -> list[Lease]:
        with self._db.reading() as session:
            if not claims.is_anything_due(session, self._clock(), only=self._only):
                return []
        with self._db.writing() as session:
            return claims.claim(session, self._clock(), limit, owner=self._presence.owner, only=self._only)

    def _work(self) -> None:
        while (lease := self._queue.get()) is not None:
            try:
                self._driver.drive(lease)
            except Exception:
                # A bug must not cost a thread; the lease runs out and the publication is tried again.
                log.exception("worker.bug", publication=lease.publication_id)
            finally:
                self._leases.remove(lease)
                self._busy.release()
                self._wake.set()

    def _keep_leases(self) -> None:
        while not self._stopping.wait(RENEW_EVERY_S):
            try:
                self._renew(self._leases.held())
            except Busy as error:
                log.warning("worker.leases_not_renewed", reason=str(error))

    def _renew(self, leases: list[Lease]) -> None:
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

    def _take_over_from_the_dead(self) -> None:
        with self._db.reading() as session:
            dead = self._presence.dead_among(claims.owners(session))
        if dead:
            with self._db.writing() as session:
                count = claims.release_of(session, dead)
            log.info("worker.took_over", publications=count, from_workers=len(dead))

    def _forget_old_requests(self) -> None:
        with self._db.writing() as session:
            pace.forget(session, self._clock())
