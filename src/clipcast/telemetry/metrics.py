"""What Prometheus may know: of this process what it did, of the installation what its database says."""

import threading
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from clipcast.platforms.base import PLATFORM_NAMES, Stage
from clipcast.platforms.wire import BLOCK_BYTES
from clipcast.publications.observer import Ending, Exchange, Moment, Passage
from clipcast.publications.states import FINAL

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_LATENESS_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 21600)
_PUBLICATION_BUCKETS_S: Final = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400)


class Metrics:
    """The numbers of one process, in a registry of its own; an `Observer` of the driver. `installation` speaks for the database."""

    def __init__(self, installation: Collector) -> None:
        self._sending = threading.local()
        self.registry = registry = CollectorRegistry()
        registry.register(installation)
        ProcessCollector(registry=registry)
        self._requests = Histogram(
            "clipcast_http_request_duration_seconds",
            "Requests to this server, from their first byte to the end of the answer.",
            ("method", "route", "status"),
            registry=registry,
            buckets=_REQUEST_BUCKETS_S,
        )
        self._exchanges = Histogram(
            "clipcast_platform_exchange_duration_seconds",
            "Requests to platforms, by the answer's HTTP status or by what came instead of an answer.",
            ("platform", "label", "answer", "simulated"),
            registry=registry,
            buckets=_REQUEST_BUCKETS_S,
        )
        self._lateness = Histogram(
            "clipcast_publication_lateness_seconds",
            "From one milestone of a publication to the next: due, claimed, first byte, accepted, visible.",
            ("platform", "phase", "simulated"),
            registry=registry,
            buckets=_LATENESS_BUCKETS_S,
        )
        self._leases_lost = Counter("clipcast_leases_lost", "Publications that somebody else took over from here.", registry=registry)
        self._errors = Counter(
            "clipcast_publication_errors",
            "Publications that ended without success, by the platform's code or ours.",
            ("platform", "code", "simulated"),
            registry=registry,
        )
        self._tokens = Counter(
            "clipcast_token_refreshes",
            "New access tokens that platforms were asked for, by what came of it.",
            ("platform", "outcome"),
            registry=registry,
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
        # From nothing to fifty is no increase to Prometheus, from zero to fifty is: the first failures must be heard as well.
        for platform in PLATFORM_NAMES:
            for outcome in sorted(FINAL):
                self._outcomes.labels(platform, outcome, "false")

    def rendered(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)

    def request_answered(self, method: str, route: str, status: int, duration_s: float) -> None:
        """The server answered a request; `status` 0 when the client left before."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).observe(duration_s)

    def token_asked_for(self, platform: str, outcome: str) -> None:
        """Count it: `refreshed`, `refused`, `scope_lost`, `trouble` that passes, or `misconfigured`."""
        self._tokens.labels(platform, outcome).inc()

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

    def exchanged(self, exchange: Exchange) -> None:
        """Count the answer, or what came instead of one."""
        simulated = str(exchange.simulated).lower()
        answer = str(exchange.status or exchange.error)
        self._exchanges.labels(exchange.platform, exchange.label, answer, simulated).observe(exchange.duration_s)

    def passed(self, passage: Passage) -> None:
        """Count how long it took."""
        self._lateness.labels(passage.platform, passage.phase, str(passage.simulated).lower()).observe(passage.duration_s)

    def lease_lost(self, publication_id: str) -> None:
        """Count it."""
        del publication_id
        self._leases_lost.inc()

    def ended(self, ending: Ending) -> None:
        """Count the outcome."""
        platform, simulated = ending.publication.platform, str(ending.simulated).lower()
        self._outcomes.labels(platform, ending.outcome, simulated).observe(ending.duration_s)
        if ending.error_code:
            self._errors.labels(platform, ending.error_code, simulated).inc()
