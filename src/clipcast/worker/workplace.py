"""Where the tasks of one Celery process find what they work with: an opened installation, and leases that are kept."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

import structlog
from sqlalchemy.orm import Session

from clipcast.db.turns import take_turn
from clipcast.publications import claims, handing
from clipcast.publications.handing import Lane
from clipcast.publications.leases import Lease
from clipcast.system import Clipcast
from clipcast.telemetry.collectors import Installation
from clipcast.telemetry.endpoint import told
from clipcast.telemetry.metrics import Metrics
from clipcast.worker.keeper import Heir, LeaseKeeper
from clipcast.worker.places import has_place
from clipcast.worker.presence import Presence
from clipcast.worker.stop import ClosingTime, Stop, soft_limit_sets
from clipcast.worker.watching import watched

log = structlog.get_logger()

LOOK_AROUND_EVERY_S: Final = 1.0
"""How often a busy worker looks which platforms have work waiting."""


class Workplace:
    """Process number `number` of a worker that drives `places` publications at once, over all its processes; they share the name `crew`.

    Raises:
        ConfigurationError: the address of its metrics is not usable.
    """

    def __init__(self, product: Clipcast, closing: ClosingTime, *, crew: str, number: int, places: int, limit_s: float) -> None:
        self.product = product
        self._closing, self._places, self._limit_s = closing, places, limit_s
        self._open = ExitStack()
        self._open.callback(product.close)
        metrics = Metrics(Installation(product.db, product.clock, product.platforms))
        self._driver, self.upkeep = watched(product, metrics)
        self._open.enter_context(told(metrics, product.settings.metrics_address, offset=number))
        self._presence = Presence(product.settings.data_dir, crew=crew)
        self._open.callback(self._presence.close)
        self._keeper, self.heir = LeaseKeeper(product.db, product.clock), Heir(product.db, self._presence)
        self._ended = threading.Event()
        self._next_look_s = 0.0
        self._waiting: set[str] = set()
        self._thread = threading.Thread(
            target=self._keeper.run, args=(self._ended, self.heir.look), name="clipcast-keep-leases", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """This process works no more."""
        self._ended.set()
        self._thread.join()
        self._open.close()

    def drive(self, publication_id: str) -> bool:
        """Carry this publication as far as it goes now, if it is due and nobody else holds it; whether that was so."""
        lease = self._claimed(publication_id)
        if lease is not None:
            self._drive(lease)
        return lease is not None

    def following(self, publication_id: str, lanes: Sequence[Lane]) -> str | None:
        """What to take up after this one: its account's next upload, or what found no place when it came."""
        now = self.product.clock()
        with self.product.db.reading() as session:
            upload = handing.next_of_account(session, now, publication_id) if Lane.UPLOADS in lanes else None
            return upload or handing.turned_away(session, now, lanes, self._welcome(session))

    def stop(self) -> Stop:
        """What tells work that begins now when to stop."""
        return Stop(self._closing, self._limit_s)

    def _drive(self, lease: Lease) -> None:
        self._keeper.add(lease)
        stop = self.stop()
        try:
            with soft_limit_sets(stop):
                replace(self._driver, stopping=stop).drive(lease)
        finally:
            self._keeper.remove(lease)

    # Claiming

    def _claimed(self, publication_id: str) -> Lease | None:
        db, now = self.product.db, self.product.clock()
        with db.reading() as session:
            platform = claims.platform_of_due(session, now, publication_id)
        if platform is None or self._closing.has_come:
            self._return(publication_id)
            return None
        self._look_around()
        with db.writing() as session:
            take_turn(session, f"places of {self._presence.crew}")
            if platform not in self._welcome(session):
                handing.take_back(session, [publication_id], until=now + handing.SOON)
                return None
            # A lease begins when it is written, not before the turn was waited for.
            leases = claims.claim(session, self.product.clock(), 1, owner=self._presence.owner, only=[publication_id])
        return leases[0] if leases else None

    def _return(self, publication_id: str) -> None:
        """It was moved to a later time since it was handed out, or we are about to end."""
        with self.product.db.writing(hasty=True) as session:
            handing.take_back(session, [publication_id])

    def _welcome(self, session: Session) -> list[str]:
        """The platforms that may have one of the places, which all processes of this worker share."""
        held = handing.held_by(session, self.product.clock(), self._presence.crew)
        return [name for name in self.product.platforms if has_place(name, self._places, held, self._waiting)]

    def _look_around(self) -> None:
        if time.monotonic() < self._next_look_s:
            return
        self._next_look_s = time.monotonic() + LOOK_AROUND_EVERY_S
        with self.product.db.reading() as session:
            self._waiting = handing.platforms_waiting(session, self.product.clock())


class LazyWorkplace:
    """A workplace that opens with the first task, in the process and the thread that needs it: nothing that is open crosses a fork."""

    def __init__(self, build: Callable[[], Workplace]) -> None:
        self._build, self._lock = build, threading.Lock()
        self._opened: Workplace | None = None

    def __call__(self) -> Workplace:
        """The workplace, opened if it was not."""
        with self._lock:
            if self._opened is None:
                self._opened = self._build()
            return self._opened

    def close(self) -> None:
        """Close it, if it was opened."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None
