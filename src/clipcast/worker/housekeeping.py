"""Looking after tokens at regular times, in a thread of its own: a platform that answers slowly must not hold up a publication.

Several servers on one database may all do it. Each account's lease lets one of them ask; a little chance keeps them from coming at once.
"""

import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from clipcast.accounts.expiry import PERIOD
from clipcast.accounts.upkeep import Upkeep
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.people import sessions
from clipcast.publications import pace

CLEAN_UP_EVERY: Final = timedelta(hours=6)
SOON: Final = timedelta(seconds=20)
"""How long after the start the first round comes at the latest."""
SPREAD: Final = 0.1
"""By how much of its period a round may come earlier."""
LOOK_EVERY_S: Final = 5.0

log = structlog.get_logger()


def sweep(db: Database, clock: Clock) -> None:
    """Drop what nobody looks back to any more: requests that no limit counts, and sessions that have ended."""
    with db.writing() as session:
        pace.forget(session, clock())
        sessions.sweep(session, clock())


class Housekeeper:
    """Refreshes expiring tokens every half hour, and those that failed when they fall due; cleans up every six hours."""

    def __init__(
        self, upkeep: Upkeep, clock: Clock, *, chance: Callable[[], float] = random.random, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._upkeep, self._clock, self._chance, self._look_every_s = upkeep, clock, chance, look_every_s
        self._stopping = threading.Event()
        first_at = clock() + SOON * chance()
        self._refresh_at, self._clean_up_at = first_at, first_at
        self._thread = threading.Thread(target=self._keep_house, name="clipcast-housekeeper", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self, patience_s: float = 10.0) -> None:
        """Begin nothing new, and wait so long for what was begun. What takes longer is saved when its answer comes, or explained later."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(patience_s)

    def work(self) -> None:
        """Do what is due now; whatever goes wrong is told in the log, and tried again in its turn."""
        if self._clock() >= self._refresh_at:
            self._refresh_at = self._later(PERIOD)
            report = self._upkeep.refresh_expiring(stopped=self._stopping.is_set)
            if report.outcomes:
                log.info("accounts.refreshed", left_alone=list(report.left_alone), **report.counts)
            if report.again_at is not None:
                self._refresh_at = min(self._refresh_at, report.again_at)
        if self._clock() >= self._clean_up_at and not self._stopping.is_set():
            self._clean_up_at = self._later(CLEAN_UP_EVERY)
            report = self._upkeep.clean_up()
            log.info("accounts.cleaned_up", expired=len(report.outcomes), links_dropped=report.links_dropped)

    def _keep_house(self) -> None:
        while not self._stopping.wait(self._look_every_s):
            try:
                self.work()
            except Exception:
                log.exception("accounts.upkeep_failed")

    def _later(self, period: timedelta) -> datetime:
        return self._clock() + period * (1 - SPREAD * self._chance())
