"""The sender of spans, by OpenTelemetry's SDK; `telemetry` imports it only when it is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "server": SpanKind.SERVER,
}
# A worker that is killed loses what it hasn't sent.
_SEND_EVERY_MS = 1000
_SEND_SECONDS = 3  # a collector that isn't there holds up the end of a service so long
_SCOPE = "irhub"


class Tracing:
    """Sends spans of `service` to `endpoint`: http://host:4317, or https:// for TLS."""

    def __init__(self, service: str, endpoint: str) -> None:
        self.service = service
        self.endpoint = endpoint
        resource = Resource.create({"service.name": service, "process.pid": os.getpid()})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(endpoint=endpoint, timeout=_SEND_SECONDS),
                schedule_delay_millis=_SEND_EVERY_MS,
            )
        )
        self._tracer = self._provider.get_tracer(_SCOPE)
        self._words = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, parent: str, kind: str, attributes: Mapping[str, str]
    ) -> Iterator[None]:
        """See `telemetry.span`."""
        context = self._words.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name, context, kind=_KINDS[kind], attributes=attributes
        ):
            yield

    def traceparent(self) -> str:
        """See `telemetry.traceparent`."""
        carrier: dict[str, str] = {}
        self._words.inject(carrier)
        return carrier.get("traceparent", "")

    def stop(self) -> None:
        """Sends what hasn't been sent, and ends."""
        self._provider.shutdown()
