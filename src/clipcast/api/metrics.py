"""What Prometheus may know: of this process what it did, of the installation what its database says."""

import threading
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clipcast.db.engine import Database
from clipcast.errors import ClipcastError
from clipcast.platforms.base import Stage
from clipcast.platforms.wire import BLOCK_BYTES
from clipcast.publications import store
from clipcast.publications.observer import Moment, Observer
from clipcast.publications.states import State

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_PUBLICATION_BUCKETS_S: Final = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400)


class Metrics:
    """The numbers of one application, in a registry of its own; an `Observer` of the driver."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._sending = threading.local()
        self._registry = registry = CollectorRegistry()
        registry.register(_Publications(db))
        ProcessCollector(registry=registry)
        self._requests = Histogram(
            "clipcast_http_request_duration_seconds",
            "Requests to this server, from their first byte to the end of the answer.",
            ("method", "route", "status"),
            registry=registry,
            buckets=_REQUEST_BUCKETS_S,
        )
        self._sends = Counter("clipcast_platform_requests", "Requests sent to platforms, by purpose.", ("label",), registry=registry)
        self._sent_bytes = Counter("clipcast_platform_sent_bytes", "Bytes of media sent to platforms.", registry=registry)
        self._outcomes = Histogram(
            "clipcast_publication_duration_seconds",
            "Publications that ended here, by outcome: from their start to their end.",
            ("platform", "outcome", "simulated"),
            registry=registry,
            buckets=_PUBLICATION_BUCKETS_S,
        )

    def rendered(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)

    def request_answered(self, method: str, route: str, status: int, duration_s: float) -> None:
        """The server answered a request; `status` 0 when the client left before."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).observe(duration_s)

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """Count the sends."""
        del publication_id
        if moment == "before send":
            self._sends.labels(label).inc()
            self._sending.heard_bytes = None

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """Count the bytes: a send is heard block by block, and what its first block adds to was there before."""
        del publication_id, total_bytes
        heard_bytes: int | None = self._sending.heard_bytes
        self._sent_bytes.inc(min(sent_bytes, BLOCK_BYTES) if heard_bytes is None else sent_bytes - heard_bytes)
        self._sending.heard_bytes = sent_bytes

    def stage(self, publication_id: str, stage: Stage) -> None:
        """Nothing to count: the states are read from the database."""

    def ended(self, publication_id: str, outcome: str, duration_s: float) -> None:
        """Count the outcome."""
        platform, simulated = self._kind(publication_id)
        self._outcomes.labels(platform, outcome, simulated).observe(duration_s)

    def _kind(self, publication_id: str) -> tuple[str, str]:
        try:
            with self._db.reading() as session:
                publication = store.get(session, publication_id)
        except ClipcastError:  # an outcome without its platform still counts
            return "unknown", "unknown"
        return publication.platform, str(bool(publication.simulated)).lower()


class Both:
    """Two observers of one driver."""

    def __init__(self, first: Observer, second: Observer) -> None:
        self._both = (first, second)

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """Tell both."""
        for observer in self._both:
            observer.at(moment, publication_id, label)

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """Tell both."""
        for observer in self._both:
            observer.sent(publication_id, sent_bytes, total_bytes)

    def stage(self, publication_id: str, stage: Stage) -> None:
        """Tell both."""
        for observer in self._both:
            observer.stage(publication_id, stage)

    def ended(self, publication_id: str, outcome: str, duration_s: float) -> None:
        """Tell both."""
        for observer in self._both:
            observer.ended(publication_id, outcome, duration_s)


class _Publications(Collector):
    """Publications by state, counted when somebody asks."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def collect(self) -> Iterator[Metric]:
        """The counts, or only that the database does not answer."""
        up = GaugeMetricFamily("clipcast_database_up", "Whether the database answered.")
        try:
            with self._db.reading() as session:
                counts = store.count_by_state(session)
        except ClipcastError:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        family = GaugeMetricFamily("clipcast_publications", "Publications by state.", labels=("state",))
        for state in State:
            family.add_metric((state,), counts.get(state, 0))
        yield family

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering must not ask a database that may not be there yet."""
        return iter(())
