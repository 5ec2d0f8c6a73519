"""What the database says when Prometheus asks: of the whole installation, the same from every process."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from clipcast.accounts import store as accounts
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import ClipcastError
from clipcast.platforms.base import AnyPlatform
from clipcast.publications import claims, pace, store
from clipcast.publications.states import State


@dataclass(frozen=True, slots=True, eq=False)  # the registry keeps collectors by identity
class Installation(Collector):
    """Publications by state, what waits, and how full the platforms' limits are; or only that the database does not answer."""

    db: Database
    clock: Clock
    platforms: Mapping[str, AnyPlatform]

    def collect(self) -> Iterator[Metric]:
        """Ask the database, once for everything."""
        up = GaugeMetricFamily("clipcast_database_up", "Whether the database answered.")
        try:
            with self.db.reading() as session:
                now = self.clock()
                families = [*_publications(session), *_accounts(session), *_waiting(session, now), *_limits(session, self.platforms, now)]
        except ClipcastError:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        yield from families

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering must not ask a database that may not be there yet."""
        return iter(())


def _publications(session: Session) -> Iterator[Metric]:
    counts = store.count_by_state(session)
    family = GaugeMetricFamily("clipcast_publications", "Publications by state.", labels=("state",))
    for state in State:
        family.add_metric((state,), counts.get(state, 0))
    yield family


def _accounts(session: Session) -> Iterator[Metric]:
    family = GaugeMetricFamily("clipcast_accounts", "Connected accounts by platform and status.", labels=("platform", "status"))
    for (platform, status), count in accounts.count_by_status(session).items():
        family.add_metric((platform, status), count)
    yield family


def _waiting(session: Session, now: datetime) -> Iterator[Metric]:
    """The queue is the rows that are due: how many nobody has taken, how many are held, and how long the oldest has waited."""
    queue = claims.queue(session, now)
    yield GaugeMetricFamily("clipcast_publications_due", "Publications that are due and that no worker holds.", value=queue.due)
    yield GaugeMetricFamily("clipcast_publications_held", "Publications that a worker holds now.", value=queue.held)
    oldest_s = (now - queue.oldest_due_at).total_seconds() if queue.oldest_due_at else 0.0
    yield GaugeMetricFamily("clipcast_oldest_due_seconds", "How long the oldest of those that are due has waited.", value=oldest_s)


def _limits(session: Session, platforms: Mapping[str, AnyPlatform], now: datetime) -> Iterator[Metric]:
    labels = ("platform", "limit", "per")
    allowed = GaugeMetricFamily("clipcast_limit_requests", "What a platform's documented limit allows in its window.", labels=labels)
    left = GaugeMetricFamily("clipcast_limit_left", "What is left of it, by our count, to whoever has used most.", labels=labels)
    for platform in platforms.values():
        for rate in platform.rates:
            names = (platform.name, rate.name or rate.labels[0], rate.per)
            allowed.add_metric(names, rate.count)
            left.add_metric(names, max(0, rate.count - pace.most_used(session, rate, platform.name, now)))
    yield allowed
    yield left
