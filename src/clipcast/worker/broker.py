"""Between the server and Celery's workers: the queues, and how messages travel. A message carries an id and holds no truth."""

from datetime import UTC, datetime
from typing import Any, Final

from celery import Celery
from kombu import Connection, Exchange, Queue

from clipcast.publications.handing import Lane
from clipcast.settings import Settings

SOFT_LIMIT_S: Final = 25 * 60
"""After so long a publication is put down at its next save, and taken up again."""

HARD_LIMIT_S: Final = 30 * 60
"""After so long the process that drives it is killed; only the prefork pool can do that."""

MAINTENANCE: Final = "maintenance"
"""The queue of everything that is not about one publication."""

QUEUES: Final = (*Lane, MAINTENANCE)

DISPATCH: Final = "dispatch_due"
DISPATCH_EVERY_S: Final = 1.0
DISPATCH_EXPIRES_S: Final = 60.0
"""Of no use when it comes late: the next one is there already. No less, because its end is told by the clock of whoever sends it."""

REFRESH_EVERY_S: Final = 30 * 60
REFRESH_AGAIN_EVERY_S: Final = 5 * 60
"""What failed for the moment is due again after 5, 10 and 20 minutes, and is looked for as often."""

CLEAN_UP_EVERY_S: Final = 6 * 60 * 60
PLAN_EVERY_S: Final = 60
SWEEP_EVERY_S: Final = 60 * 60

_UNACKED_UNTIL_S: Final = 2 * HARD_LIMIT_S
"""A message that nobody has acknowledged for so long is given to another worker; above the hard limit, or it would come twice."""

_CONNECT_WITHIN_S: Final = 4.0
_ANSWER_WITHIN_S: Final = 30.0
_AMQP_WITHIN_S: Final = 5
"""In whole seconds. Whoever hands out work asks the broker once a second."""


class Impatient(Celery):
    """Connections that only send, such as the beat's, wait for an answer for a while only.

    RabbitMQ stops reading, and says nothing, when its memory or disk runs short, and a machine that is gone says nothing either. Whoever
    takes messages has heartbeats instead.
    """

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:
        """As Celery's own."""
        # On Redis all connections have a limit, of another name.
        limits = {} if str(self.conf.broker_url).startswith("redis") else {"read_timeout": _AMQP_WITHIN_S, "write_timeout": _AMQP_WITHIN_S}
        return super().connection_for_write(url, transport_options=limits | (options.pop("transport_options", None) or {}), **options)


def celery_app(settings: Settings) -> Celery:
    """The application that sends; a worker's also has tasks (`tasks.equip`)."""
    app = Impatient("clipcast", set_as_current=False)
    app.conf.update(_configuration(settings))
    return app


def _configuration(settings: Settings) -> dict[str, Any]:
    on_redis = settings.broker_url.startswith("redis")
    return {
        "broker_url": settings.broker_url,
        "broker_connection_timeout": _CONNECT_WITHIN_S,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": _REDIS if on_redis else {},
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "enable_utc": True,
        "timezone": "UTC",
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_ignore_result": True,
        "task_track_started": False,
        "task_soft_time_limit": SOFT_LIMIT_S,
        "task_time_limit": HARD_LIMIT_S,
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0.2},
        "task_queues": [_queue(name, on_redis=on_redis) for name in QUEUES],
        "task_default_queue": MAINTENANCE,
        "task_create_missing_queues": False,
        "worker_prefetch_multiplier": 1,
        # Celery 5.7 gives the count back from the thread that acknowledges, which takes the answer that the main thread waits for: after a
        # lost connection the worker would listen to nobody any more. What it fetches too much meanwhile waits, and does no harm.
        "worker_enable_prefetch_count_reduction": False,
        "worker_consumer": "clipcast.worker.consumer:LettingGo",
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "beat_scheduler": "celery.beat:Scheduler",
        "beat_schedule": _SCHEDULE,
    }


_REDIS: Final = {
    "visibility_timeout": _UNACKED_UNTIL_S,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": _CONNECT_WITHIN_S,
    "socket_timeout": _ANSWER_WITHIN_S,
    "socket_keepalive": True,
}


def _queue(name: str, *, on_redis: bool) -> Queue:
    """RabbitMQ closes the channel of a consumer that keeps a message longer than its own limit, half an hour by default."""
    arguments = None if on_redis else {"x-consumer-timeout": _UNACKED_UNTIL_S * 1000}
    return Queue(str(name), Exchange("clipcast", type="direct"), routing_key=str(name), queue_arguments=arguments)


def _each(task: str, period_s: float, **options: Any) -> dict[str, Any]:
    """An entry of the beat's schedule. It begins as overdue: the beat remembers nothing, and whatever it sends may come too often."""
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    return {"task": task, "schedule": period_s, "options": {"queue": MAINTENANCE, **options}, "last_run_at": long_ago}


_SCHEDULE: Final = {
    "dispatch": _each(DISPATCH, DISPATCH_EVERY_S, expires=DISPATCH_EXPIRES_S),
    "refresh": _each("refresh_expiring_tokens", REFRESH_EVERY_S, expires=REFRESH_EVERY_S),
    "refresh again": _each("refresh_expiring_tokens", REFRESH_AGAIN_EVERY_S, expires=REFRESH_AGAIN_EVERY_S),
    "cleanup": _each("cleanup_expired_tokens", CLEAN_UP_EVERY_S, expires=CLEAN_UP_EVERY_S),
    "plan": _each("make_occurrences", PLAN_EVERY_S, expires=PLAN_EVERY_S),
    "sweep": _each("sweep", SWEEP_EVERY_S, expires=SWEEP_EVERY_S),
}
