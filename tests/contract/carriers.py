"""Who carries the suite's publications: the test itself, or two processes of Celery's workers and a beat.

`CLIPCAST_TEST_CARRIER=celery-redis python -m pytest tests/contract` runs the suite on Celery; `celery-rabbitmq` on the other broker. The
workers live in processes of their own, on PostgreSQL, and their clock is the simulated world's. That clock stands a little behind the
test's: what a test writes is due when it steps, and not while it still prepares.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from clipcast.publications import claims, store
from clipcast.publications.leases import Lease
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast.worker.broker import celery_app
from clipcast.worker.outbox import CeleryOutbox, connected
from conftest import MovableClock
from contract.world import Json, World
from process.brokers import Broker, rabbit_host, redis_server
from process.launching import STAGE, Process, launched

CARRIER: Final = os.environ.get("CLIPCAST_TEST_CARRIER", "")
"""`celery-redis` or `celery-rabbitmq`; empty: the test itself."""

WORKERS: Final = 2
AHEAD: Final = timedelta(microseconds=500)
"""How far the test's clock is ahead of the workers', which knows milliseconds."""
TICK: Final = timedelta(milliseconds=1)
PATIENCE_S: Final = 30.0
LOOK_EVERY_S: Final = 0.01


class Carrier(Protocol):
    """Carries one publication on, once it is due."""

    def step(self, publication_id: str, *, settle: bool) -> None:
        """Wait until it is due, then carry it as far as it goes now."""

    def said(self) -> str:
        """What its processes logged; what the test's own process says, pytest hears."""


@dataclass(frozen=True)
class Stepper:
    """The test itself, in its own thread."""

    product: Clipcast
    clock: MovableClock
    world: World

    def step(self, publication_id: str, *, settle: bool) -> None:
        """Claim it and drive it."""
        due_at = due(self.product, publication_id)
        if due_at > self.clock():
            self.world.set_clock(self.clock.advance((due_at - self.clock()).total_seconds()))
        if settle:
            self.world.settle()
        with self.product.db.writing() as session:
            [claimed] = claims.claim(session, self.clock(), 1, owner="the test", only=[publication_id])
        self.product.driver.drive(Lease(publication_id, claimed.token, monotonic=lambda: self.clock().timestamp()))

    def said(self) -> str:
        """Nothing that pytest has not heard."""
        return ""


@dataclass(frozen=True)
class Crew:
    """Celery's processes, which live as long as the session, on one database and one simulated world."""

    settings: Json
    log: Path
    processes: tuple[Process, ...]
    outbox: CeleryOutbox


@dataclass(frozen=True)
class OnCelery:
    """A crew that carries what the test's clock makes due."""

    crew: Crew
    product: Clipcast
    clock: MovableClock
    world: World

    def step(self, publication_id: str, *, settle: bool) -> None:
        """Let the platform's work come to its end, move the clocks, and wait until nothing is left to be done at this moment."""
        at = max(due(self.product, publication_id), self.clock())
        if settle:
            self._move(at - TICK - AHEAD)
            self.world.settle()
        self._move(at.replace(microsecond=at.microsecond // 1000 * 1000) + TICK + AHEAD)
        self.crew.outbox.knock()
        self._wait_until(lambda: self._rests(publication_id))

    def said(self) -> str:
        """The workers' log so far."""
        return self.crew.log.read_text()

    def _move(self, now: datetime) -> None:
        if now > self.clock():
            self.world.set_clock(self.clock.advance((now - self.clock()).total_seconds()))

    def _rests(self, publication_id: str) -> bool:
        with self.product.db.reading() as session:
            row = store.get(session, publication_id)
        return row.lease_token is None and (row.next_action_at is None or row.next_action_at > self.clock())

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline_s, f"not carried in {PATIENCE_S:.0f} s; the log:\n{self.said()[-6000:]}"
            time.sleep(LOOK_EVERY_S)


@contextmanager
def celery_crew(directory: Path, settings: Json, world_url: str) -> Iterator[Crew]:
    """Two workers and a beat on a broker of their own."""
    with ExitStack() as stack:
        brokers: dict[str, Callable[[], AbstractContextManager[Broker]]]
        brokers = {"celery-redis": lambda: redis_server(directory / "broker"), "celery-rabbitmq": rabbit_host}
        broker = stack.enter_context(brokers[CARRIER]())
        settings = {**settings, "broker_url": broker.url, "log_format": "json"}
        log, order = directory / "celery.log", {"world": world_url}
        commands = [("worker", "--pool=threads", "--concurrency=4", f"--hostname=w{number}@%h") for number in range(WORKERS)]
        processes = tuple(launched(STAGE, settings, order, log, *command) for command in (*commands, ("beat",)))
        for process in processes:
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield Crew(settings, log, processes, stack.enter_context(connected(celery_app(load_settings(**settings)))))


def due(product: Clipcast, publication_id: str) -> datetime:
    """When something happens to it next."""
    with product.db.reading() as session:
        due_at = store.get(session, publication_id).next_action_at
    assert due_at is not None, "nothing will happen to it any more"
    return due_at
