"""Messages to Celery's workers: an id each, to the queue of its lane; and the knock that makes them look for due work at once."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import structlog
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError

from clipcast.publications.handing import Lane
from clipcast.worker.broker import DISPATCH, DISPATCH_EXPIRES_S, MAINTENANCE
from clipcast.worker.dispatch import BrokerAway

log = structlog.get_logger()

TASK: Final = {Lane.UPLOADS: "publish_post", Lane.POLLS: "check_publish_status"}

KNOCK_EVERY_S: Final = 0.05
"""Whoever publishes a thousand posts in a row knocks twenty times a second."""

REST_S: Final = 2.0
"""How long a broker that did not answer is left alone; the beat makes the workers look in any case."""


class CeleryOutbox:
    """One open connection to the broker."""

    def __init__(self, app: Celery, connection: Connection) -> None:
        self._app, self._connection = app, connection
        self._producer = app.amqp.Producer(connection)

    def waiting(self, lane: Lane) -> int:
        """How many messages of this lane no worker has taken yet."""
        with _told_when_away(self._connection):
            queue = self._app.amqp.queues[str(lane)]
            channel: Any = self._connection.default_channel
            queue(channel).declare()
            # Declared once more for the count: asking without declaring is refused by Redis, which knows no empty queue.
            same = {"durable": queue.durable, "auto_delete": queue.auto_delete, "arguments": queue.queue_arguments}
            declared = channel.queue_declare(queue=queue.name, **same)
            return int(declared.message_count)

    def send(self, lane: Lane, publication_ids: Sequence[str]) -> None:
        """One message for each."""
        with _told_when_away(self._connection):
            for publication_id in publication_ids:
                self._app.send_task(TASK[lane], args=[publication_id], queue=str(lane), producer=self._producer, retry=False)

    def knock(self) -> None:
        """Make a worker look for due work now."""
        with _told_when_away(self._connection):
            self._app.send_task(DISPATCH, queue=MAINTENANCE, expires=DISPATCH_EXPIRES_S, producer=self._producer, retry=False)


@contextmanager
def connected(app: Celery) -> Iterator[CeleryOutbox]:
    """A connection of its own, so that a broker that was restarted meanwhile costs nothing.

    Raises:
        BrokerAway: the broker does not answer within a few seconds.
    """
    with app.connection_for_write() as connection:
        with _told_when_away(connection):
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=app.conf.broker_connection_timeout)
        yield CeleryOutbox(app, connection)


@contextmanager
def _told_when_away(connection: Connection) -> Iterator[None]:
    try:
        yield
    except _errors_of(connection) as error:
        raise BrokerAway(f"The broker of CLIPCAST_BROKER_URL cannot be reached ({type(error).__name__}).") from error


def _errors_of(connection: Connection) -> tuple[type[BaseException], ...]:
    """How this kind of broker says that it is not there."""
    return (OperationalError, *connection.connection_errors, *connection.channel_errors)


class Knocker:
    """Knocks at the workers' door from a thread of its own: whoever publishes never waits for the broker and never hears of its trouble."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._asked, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="clipcast-knocker", daemon=True)

    def start(self) -> None:
        """Begin to listen for `wake`."""
        self._thread.start()

    def wake(self) -> None:
        """Something was written that may be due: let the workers know soon."""
        self._asked.set()

    def stop(self) -> None:
        """Knock no more."""
        self._stopping.set()
        self._asked.set()
        self._thread.join(timeout=10.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with connected(self._app) as outbox:
                    self._knock_when_asked(outbox)
            except BrokerAway as error:
                log.warning("broker.away", reason=str(error), consequence="the workers see new posts when they reach it again")
                self._stopping.wait(REST_S)

    def _knock_when_asked(self, outbox: CeleryOutbox) -> None:
        while True:
            self._asked.wait()
            if self._stopping.is_set():
                return
            outbox.knock()
            # Cleared after the knock: one that fails is repeated. Who asked in between wrote before we knocked, or asks for the next one.
            self._asked.clear()
            self._stopping.wait(KNOCK_EVERY_S)
