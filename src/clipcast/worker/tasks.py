"""The tasks of Celery's workers, by the names that other people's scripts may know. Each is short, and none holds any truth."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, cast
from uuid import uuid4

import structlog
from billiard.process import current_process
from celery import Celery, signals
from celery.beat import Scheduler, Service
from celery.concurrency.prefork import TaskPool as PreforkPool
from celery.concurrency.solo import TaskPool as SoloPool

from clipcast import log as logs
from clipcast.clock import Clock, system_clock
from clipcast.db.engine import Database
from clipcast.db.migrate import ensure_current
from clipcast.errors import Busy, ClipcastError, ConfigurationError
from clipcast.privacy import make_private
from clipcast.publications.handing import Lane
from clipcast.publications.leases import SAFETY_S
from clipcast.schedules import recurring
from clipcast.settings import Settings
from clipcast.system import Clipcast
from clipcast.telemetry.endpoint import ensure_free
from clipcast.worker.broker import DISPATCH, SOFT_LIMIT_S
from clipcast.worker.dispatch import Dispatcher
from clipcast.worker.housekeeping import sweep
from clipcast.worker.outbox import connected
from clipcast.worker.stop import ClosingTime
from clipcast.worker.workplace import LazyWorkplace, Workplace

log = structlog.get_logger()

CARRY_ON_S: Final = 2.0
"""A task takes up more than its own publication for so long; then other messages have their turn, such as those that hand out."""

_ALSO: Final = {Lane.UPLOADS: (Lane.POLLS, Lane.UPLOADS), Lane.POLLS: (Lane.POLLS,)}
"""What a task of each lane takes up besides. A worker of status checks alone does no uploads."""

_CHATTY: Final = ("celery.app.trace", "celery.worker.strategy", "celery.beat", "kombu", "amqp")
"""Loggers that tell of every message, thousands an hour."""


class Crew:
    """One worker: a process, or under the prefork pool a parent and its children. It learns at its start how many places it has."""

    def __init__(self, settings: Settings, open_product: Callable[[], Clipcast]) -> None:
        self.settings, self._open_product = settings, open_product
        self.closing, self.places, self.forks = ClosingTime(), 1, False
        # In containers many workers of one machine have the same number; made before the forks, the name is all children's.
        self.name = f"{os.getpid()}-{uuid4().hex[:8]}"
        self.workplace = LazyWorkplace(self._opened)

    def _opened(self) -> Workplace:
        number = getattr(current_process(), "index", 0)  # children of the prefork pool are counted
        product = self._open_product()
        return Workplace(product, self.closing, crew=self.name, number=number, places=self.places, limit_s=SOFT_LIMIT_S)


def equip(app: Celery, settings: Settings, open_product: Callable[[], Clipcast] | None = None) -> None:
    """Make a worker of the application: its tasks, and what happens when it starts, forks and ends. Opens nothing yet."""
    crew = Crew(settings, open_product or partial(Clipcast.open, settings))
    _add_publication_tasks(app, crew.workplace)
    _add_maintenance_tasks(app, crew.workplace)
    _follow_its_life(crew)


def beat_along(app: Celery) -> None:
    """Let the worker be the beat as well, in a thread, which ends with it however it ends and runs on Windows.

    Celery's own `worker --beat` forks a process, which would outlive a worker that is killed.
    """
    beat = Service(app, scheduler_cls=Scheduler)
    thread = threading.Thread(target=beat.start, name="clipcast-beat", daemon=True)
    signals.worker_ready.connect(lambda **_: thread.start(), weak=False)
    # Not when it is asked to shut down: that is said from within a signal's handler, and stopping takes locks.
    signals.worker_shutdown.connect(lambda **_: beat.stop(), weak=False)


def _add_publication_tasks(app: Celery, workplace: LazyWorkplace) -> None:
    def carry(publication_id: str, lane: Lane) -> str:
        """Carry one publication on, then its account's next one, or what found no place before."""
        until_s, following = time.monotonic() + CARRY_ON_S, cast("str | None", publication_id)
        with _told(publication=publication_id):
            place = workplace()
            while following is not None and place.drive(following):
                following = place.following(following, _ALSO[lane])
                if following is not None and time.monotonic() > until_s:
                    _dispatcher(app, place).hand_on(following)
                    break
        return publication_id

    @app.task(name="publish_post")
    def publish_post(publication_id: str) -> str:
        """Send what is to be sent of this publication, if it is due and nobody else is at it."""
        return carry(publication_id, Lane.UPLOADS)

    @app.task(name="check_publish_status")
    def check_publish_status(publication_id: str) -> str:
        """Ask the platform how this publication is doing, if it is due and nobody else is at it."""
        return carry(publication_id, Lane.POLLS)


def _add_maintenance_tasks(app: Celery, workplace: LazyWorkplace) -> None:
    @app.task(name=DISPATCH)
    def dispatch_due() -> None:
        """Hand out what is due. Two at once, or none for a while, do no harm."""
        with _told():
            place = workplace()
            place.heir.look()
            _dispatcher(app, place).run()

    @app.task(name="refresh_expiring_tokens")
    def refresh_expiring_tokens() -> None:
        """Refresh every token that ends soon."""
        with _told():
            place = workplace()
            place.upkeep.refresh_expiring(stopped=place.stop().is_set)

    @app.task(name="refresh_single_account_token")
    def refresh_single_account_token(account_id: str) -> str:
        """Refresh one account's token now."""
        with _told(account=account_id):
            workplace().upkeep.refresh_one(account_id)
        return account_id

    @app.task(name="cleanup_expired_tokens")
    def cleanup_expired_tokens() -> None:
        """Mark the accounts whose tokens have died."""
        with _told():
            workplace().upkeep.clean_up()

    @app.task(name="make_occurrences")
    def make_occurrences() -> None:
        """Make posts of what recurs in the days ahead."""
        with _told():
            product = workplace().product
            recurring.materialise_due(product.db, product.platforms, product.clock())

    @app.task(name="sweep")
    def sweep_old_rows() -> None:
        """Drop what nobody looks back to any more."""
        with _told():
            product = workplace().product
            sweep(product.db, product.clock)


def _dispatcher(app: Celery, place: Workplace) -> Dispatcher:
    return Dispatcher(place.product.db, place.product.clock, partial(connected, app))


@contextmanager
def _told(**what: str) -> Iterator[None]:
    """Trouble that passes, and refusals, are told in a line: whatever was to be done is due again, or was wrong to ask."""
    try:
        yield
    except Busy as error:
        log.warning("worker.later", reason=str(error), **what)
    except ClipcastError as error:
        log.warning("worker.refused", reason=str(error), code=error.code, **what)


def _follow_its_life(crew: Crew) -> None:
    def begin_logging(**_: Any) -> None:
        logs.configure(crew.settings)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)

    def check(instance: Any, **_: Any) -> None:
        """Before anything is forked: a sentence now instead of a thousand failing tasks later."""
        crew.places = 1 if issubclass(instance.pool_cls, SoloPool) else instance.concurrency
        crew.forks = issubclass(instance.pool_cls, PreforkPool)
        try:
            ensure_ready(crew.settings, processes=crew.places if crew.forks else 1)
        except ClipcastError as error:
            raise SystemExit(str(error)) from error

    def open_workplace(**_: Any) -> None:
        crew.workplace()

    def open_unless_children_do(**_: Any) -> None:
        """Now, and not with the first task: until that comes nobody could see that this worker is well."""
        if not crew.forks:
            crew.workplace()

    def announce_the_end(**_: Any) -> None:
        crew.closing.announce()

    def close(**_: Any) -> None:
        crew.workplace.close()

    signals.setup_logging.connect(begin_logging, weak=False)
    signals.celeryd_after_setup.connect(check, weak=False)
    signals.worker_process_init.connect(open_workplace, weak=False)
    signals.worker_ready.connect(open_unless_children_do, weak=False)
    signals.worker_shutting_down.connect(announce_the_end, weak=False)
    signals.worker_process_shutdown.connect(close, weak=False)
    signals.worker_shutdown.connect(close, weak=False)


def ensure_ready(settings: Settings, *, processes: int) -> None:
    """That a worker of so many processes can begin.

    Raises:
        ConfigurationError: its metrics' address is taken, the database cannot be used or is not migrated, or the clocks are apart.
    """
    ensure_free(settings.metrics_address, processes)
    make_private(settings.data_dir)
    database = Database(settings.database)
    try:
        ensure_current(database)
        ensure_clocks_agree(database)
    finally:
        database.close()


def ensure_clocks_agree(database: Database, clock: Clock = system_clock) -> None:
    """Workers of many machines read the end of each other's leases from their own clocks.

    Raises:
        ConfigurationError: ours is further from the database's than a lease allows for.
    """
    ahead_s = database.ahead_by(clock).total_seconds()
    if abs(ahead_s) > SAFETY_S:
        direction = "ahead of" if ahead_s > 0 else "behind"
        raise ConfigurationError(
            f"This machine's clock is {abs(ahead_s):.0f} s {direction} the database's, and a worker among others may be off by "
            f"{SAFETY_S:.0f} s at most. Let both machines follow a time server (NTP), then start it again."
        )
