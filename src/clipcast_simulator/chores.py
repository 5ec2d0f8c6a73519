"""Work without a request: pulls, inspections, webhook deliveries. What is to be done is read from the database.

Jobs are found again after a restart because nothing is queued in memory; a job that runs twice must be harmless.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

_TICK_S = 0.5  #: how long another process's new work can go unseen
_THREADS = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. Jobs with the same key are the same work and never run twice at once in a process."""

    key: Hashable
    run: Callable[[], None]


class Chores:
    """Runs due jobs on a few threads, soon after `nudge` and at the latest every half second."""

    def __init__(self) -> None:
        self._due: Callable[[], Iterable[Job]] = tuple
        self._running: dict[Hashable, Future[None]] = {}
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._pool: ThreadPoolExecutor | None = None
        self._thread: threading.Thread | None = None
        self.stopping = threading.Event()  #: long jobs look at it between two blocks

    def start(self, due: Callable[[], Iterable[Job]]) -> None:
        """Begin to work on whatever `due` finds."""
        self._due = due
        self._thread = threading.Thread(target=self._loop, name="simulator-chores", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """Say that something may have become due."""
        self._wake.set()

    def ensure(self, job: Job) -> "Future[None]":
        """Run a job now unless it is running already; return the run."""
        with self._guard:
            if (running := self._running.get(job.key)) is not None:
                return running
            self._pool = self._pool or ThreadPoolExecutor(_THREADS, thread_name_prefix="simulator-job")
            run = self._pool.submit(self._perform, job)
            self._running[job.key] = run
            return run

    def settle(self) -> int:
        """Work until nothing is due at the simulated time and nothing is under way; return how many jobs were run."""
        count = 0
        while True:
            runs = [self.ensure(job) for job in self._due()]
            with self._guard:
                under_way = list(self._running.values())
            if not runs and not under_way:
                return count
            wait(under_way)
            count += len(runs)

    def stop(self) -> None:
        """Let go. Unfinished work is found again in the database."""
        self.stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _perform(self, job: Job) -> None:
        try:
            job.run()
        except Exception:
            log.exception("simulator.job_failed")
            raise
        finally:
            with self._guard:
                self._running.pop(job.key, None)

    def _loop(self) -> None:
        while not self.stopping.is_set():
            self._wake.wait(_TICK_S)
            self._wake.clear()
            if not self.stopping.is_set():
                self._tick()

    def _tick(self) -> None:
        try:
            for job in self._due():
                self.ensure(job)
        except Exception:
            log.exception("simulator.chores_failed")
