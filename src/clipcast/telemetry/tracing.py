"""Traces for OpenTelemetry: one trace per publication, whichever processes carried it (the extra `otel`).

A publication's id is a UUID and so are a trace's 128 bits: the id is the trace, and its second half names the root span. So every process
hangs its spans onto the same trace without having met the others. No address carries its query, and no span a caption or a token.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from typing import Final
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags, set_span_in_context
from opentelemetry.util.types import AttributeValue

from clipcast.publications.observer import Ending, Exchange, Silent
from clipcast.publications.states import SUCCESS

_HALF: Final = (1 << 64) - 1
_NS_PER_S: Final = 1_000_000_000


class Traces(Silent):
    """An observer of the driver that sends spans to a collector; `close()` sends what is left."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._ids = _PublicationIds()
        resource = Resource.create({SERVICE_NAME: "clipcast", SERVICE_VERSION: version("clipcast")})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("clipcast")

    def exchanged(self, exchange: Exchange) -> None:
        """One span for one request to a platform."""
        ended_ns = time.time_ns()
        answer: dict[str, AttributeValue] = (
            {"http.response.status_code": exchange.status} if exchange.status else {"error.type": exchange.error}
        )
        span = self._tracer.start_span(
            f"{exchange.platform} {exchange.label}",
            context=set_span_in_context(NonRecordingSpan(_root(exchange.publication_id))),
            kind=SpanKind.CLIENT,
            start_time=ended_ns - int(exchange.duration_s * _NS_PER_S),
            attributes={
                "http.request.method": exchange.method,
                "url.full": exchange.url,
                "clipcast.publication": exchange.publication_id,
                "clipcast.platform": exchange.platform,
                "clipcast.simulated": exchange.simulated,
                **answer,
            },
        )
        if exchange.error or (exchange.status or 0) >= 400:
            span.set_status(StatusCode.ERROR)
        span.end(ended_ns)

    def ended(self, ending: Ending) -> None:
        """The root: the publication as a whole, from when it was due."""
        row, ended_ns = ending.publication, time.time_ns()
        with self._ids.naming(row.id):
            span = self._tracer.start_span(
                f"publication to {row.platform}",
                context=Context(),  # no parent, whatever span may be current in this thread
                start_time=min(_ns(row.scheduled_at), ended_ns),
                attributes={
                    "clipcast.publication": row.id,
                    "clipcast.post": row.post_id,
                    "clipcast.account": row.social_account_id or "",
                    "clipcast.platform": row.platform,
                    "clipcast.attempt": row.attempt,
                    "clipcast.outcome": ending.outcome,
                    "clipcast.error_code": ending.error_code,
                    "clipcast.simulated": ending.simulated,
                },
            )
        if ending.outcome not in SUCCESS:
            span.set_status(StatusCode.ERROR)
        span.end(ended_ns)

    def close(self) -> None:
        """Send what is left, for a few seconds at most, and stop."""
        self._provider.shutdown()


class _PublicationIds(RandomIdGenerator):
    """Random ids, but for a root span: it is named after its publication."""

    def __init__(self) -> None:
        self._thread = threading.local()

    @contextmanager
    def naming(self, publication_id: str) -> Iterator[None]:
        """The spans that this thread starts meanwhile are this publication's root."""
        self._thread.root = _root(publication_id)
        try:
            yield
        finally:
            self._thread.root = None

    def generate_trace_id(self) -> int:
        """The publication's own id, or a random one."""
        root = self._named()
        return root.trace_id if root else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """The root span's id, or a random one."""
        root = self._named()
        return root.span_id if root else super().generate_span_id()

    def _named(self) -> SpanContext | None:
        return getattr(self._thread, "root", None)


def traces_to(url: str) -> Traces:
    """Traces that go to the OTLP/HTTP endpoint at `url`."""
    return Traces(OTLPSpanExporter(endpoint=url, timeout=5))


def _root(publication_id: str) -> SpanContext:
    """Where the publication's root span is, or will be."""
    trace_id = UUID(publication_id).int
    return SpanContext(trace_id, trace_id & _HALF, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * _NS_PER_S)
