"""An OTLP collector in this process: keeps the spans that services send."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


@dataclass(frozen=True)
class Span:
    """A span as it was sent, and by which service and process."""

    name: str
    service: str
    process: int
    trace: bytes
    id: bytes
    parent: bytes


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """What has arrived."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.endpoint = ""
        self._arrived = threading.Condition()

    def Export(self, request, context):  # noqa: N802  # the contract names it
        """Keeps spans."""
        with self._arrived:
            for of_service in request.resource_spans:
                said = {each.key: each.value for each in of_service.resource.attributes}
                self.spans += [
                    Span(
                        span.name,
                        said["service.name"].string_value,
                        said["process.pid"].int_value,
                        span.trace_id,
                        span.span_id,
                        span.parent_span_id,
                    )
                    for scope in of_service.scope_spans
                    for span in scope.spans
                ]
            self._arrived.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def wait(self, enough: Callable[[list[Span]], bool], seconds: float = 60.0) -> bool:
        """Whether enough spans arrive within so many seconds."""
        with self._arrived:
            return self._arrived.wait_for(lambda: enough(self.spans), seconds)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector at a free port."""
    collector = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(None).wait()
