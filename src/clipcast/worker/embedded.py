"""The worker inside a process: threads that claim what is due and drive it. Nothing else has to run."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from clipcast.accounts.upkeep import Upkeep
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import Busy
from clipcast.publications import claims
from clipcast.publications.driver import Driver
from clipcast.publications.leases import Lease
from clipcast.schedules import recurring
from clipcast.worker.housekeeping import Housekeeper, sweep
from clipcast.worker.keeper import Heir, LeaseKeeper
from clipcast.worker.places import has_place
from clipcast.worker.presence import Presence

log = structlog.get_logger()

POLL_S: Final = 0.1
"""Another process may write a due publication without telling us: the longest it lies unseen."""

PAUSE_AFTER_TROUBLE_S: Final = 1.0

PLAN_EVERY_S: Final = 60.0
"""How often occurrences of recurring posts are looked for; they are made a week ahead."""

SWEEP_EVERY_S: Final = 3600.0
"""How often what no limit looks back to any more is dropped."""


class EmbeddedWorker:
    """Claims due publications and drives each in one of `threads` threads; `only` restricts it to these ids.

    With `upkeep` it also looks after the tokens of all accounts, beside everything else.
    """

    def __init__(
        self,
        db: Database,
        driver: Driver,
        clock: Clock,
        presence: Presence,
        *,
        threads: int,
        only: Collection[str] | None = None,
        upkeep: Upkeep | None = None,
    ) -> None:
        self._db, self._driver, self._clock, self._presence, self._only = db, driver, clock, presence, only
        self._threads = threads
        self._leases, self._heir = LeaseKeeper(db, clock), Heir(db, presence)
        self._queue: queue.SimpleQueue[Lease | None] = queue.SimpleQueue()
        self._under_way: dict[tuple[str, str], str] = {}  # the platform of each lease that a thread has, or is about to take
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._running: list[threading.Thread] = []
        self._housekeeper = Housekeeper(upkeep, clock) if upkeep else None

    def start(self) -> None:
        """Begin to work, in threads of its own."""
        loops = [self._dispatch, self._keep_leases, *[self._work] * self._threads]
        self._running = [threading.Thread(target=loop, name=f"clipcast-{loop.__name__.strip('_')}", daemon=True) for loop in loops]
        for thread in self._running:
            thread.start()
        if self._housekeeper:
            self._housekeeper.start()

    def wake(self) -> None:
        """Look for due work now: somebody in this process just wrote some."""
        self._wake.set()

    def stop(self, patience_s: float = 10.0) -> None:
        """Take nothing new; give running work `patience_s` seconds to reach its next save. What is cut off is resumed by others."""
        self._stopping.set()
        self._driver.stop()
        if self._housekeeper:
            self._housekeeper.stop(0.0)
        self._wake.set()
        deadline = time.monotonic() + patience_s
        dispatcher, *others = self._running
        # What it has claimed must be queued before the words that end the threads: left over, it would lie there until its lease ends.
        dispatcher.join(patience_s)
        for _ in range(self._threads):
            self._queue.put(None)
        for thread in others:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._housekeeper:
            self._housekeeper.stop(max(0.0, deadline - time.monotonic()))

    def _dispatch(self) -> None:
        next_plan_s = next_sweep_s = 0.0
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._heir.look()
                if self._only is None and time.monotonic() >= next_plan_s:
                    next_plan_s = time.monotonic() + PLAN_EVERY_S
                    self._make_occurrences()
                if time.monotonic() >= next_sweep_s:
                    next_sweep_s = time.monotonic() + SWEEP_EVERY_S
                    sweep(self._db, self._clock)
                pause_s = self._hand_out()
            except Busy as error:
                log.warning("worker.database_busy", reason=str(error))
                pause_s = PAUSE_AFTER_TROUBLE_S
            except Exception:
                # Whatever it is, a worker that stands still and says nothing is worse.
                log.exception("worker.dispatch_failed")
                pause_s = PAUSE_AFTER_TROUBLE_S
            self._wake.wait(pause_s)

    def _hand_out(self) -> float:
        """Claim as much as there are free threads; answers how long to rest, in seconds."""
        free = self._threads - len(self._under_way)
        now = self._clock()
        leases = self._claimed(now, free) if free else []
        for lease in leases:
            self._leases.add(lease)
            self._queue.put(lease)
        if len(leases) == free:
            return POLL_S  # every thread is busy: the next one to finish wakes us
        with self._db.reading() as session:
            due_at = claims.next_due_at(session, now, only=self._only)
        rest = (due_at - now) if due_at else timedelta(seconds=POLL_S)
        return min(POLL_S, max(0.0, rest.total_seconds()))

    def _claimed(self, now: datetime, free: int) -> list[Lease]:
        with self._db.reading() as session:
            due = claims.oldest_due(session, now, list(self._driver.connections.live), free, only=self._only)
        chosen = self._chosen(due)
        if not chosen:
            return []
        with self._db.writing() as session:  # a lease begins when it is written, not when that was waited for
            leases = claims.claim(session, self._clock(), len(chosen), owner=self._presence.owner, only=list(chosen))
        self._under_way |= {_key(lease): chosen[lease.publication_id] for lease in leases}
        return leases

    def _chosen(self, due: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Those of the due publications that get a place, each with its platform."""
        held, waiting = Counter(list(self._under_way.values())), {platform for _, platform in due}
        chosen: dict[str, str] = {}
        for publication_id, platform in due:
            if has_place(platform, self._threads, held, waiting):
                chosen[publication_id] = platform
                held[platform] += 1
        return chosen

    def _work(self) -> None:
        while (lease := self._queue.get()) is not None:
            try:
                self._driver.drive(lease)
            except Exception:
                # A bug must not cost a thread; the lease runs out and the publication is tried again.
                log.exception("worker.bug", publication=lease.publication_id)
            finally:
                self._leases.remove(lease)
                self._under_way.pop(_key(lease), None)
                self._wake.set()

    def _keep_leases(self) -> None:
        self._leases.run(self._stopping)

    def _make_occurrences(self) -> None:
        try:
            recurring.materialise_due(self._db, self._driver.connections.live, self._clock())
        except Busy:
            raise
        except Exception:
            # A bug must not cost the worker; the occurrences are looked for again in a minute.
            log.exception("worker.plan_failed")


def _key(lease: Lease) -> tuple[str, str]:
    """A publication may be due and claimed again in the instant before the thread that drove it has ended its turn."""
    return lease.publication_id, lease.token
