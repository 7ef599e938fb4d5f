"""An adapter's figures for Prometheus."""

from __future__ import annotations

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from ir_hub.sdk.pool import Pool

_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800)


class AdapterMetrics:
    """Counts calls, and looks at a pool whenever it is asked."""

    def __init__(self, pool: Pool) -> None:
        self._registry = CollectorRegistry()
        self._calls = Counter(
            "irhub_adapter_calls",
            "Calls that have ended, by outcome",
            ["stage", "outcome"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "irhub_adapter_call_seconds",
            "How long calls took, waiting included",
            ["stage"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        watch_pool(pool, "irhub_adapter", self._registry)

    def call(self, stage: str, outcome: str, seconds: float) -> None:
        """A call has ended: "OK", or an error's reason."""
        self._calls.labels(stage, outcome).inc()
        self._seconds.labels(stage).observe(seconds)

    def serve(self, address: str) -> None:
        """Answers HTTP requests at host:port for as long as the process runs; OSError when the
        address is taken."""
        serve_registry(self._registry, address)


def watch_pool(pool: Pool, prefix: str, registry: CollectorRegistry) -> None:
    """Adds the figures of a pool of workers."""
    busy = Gauge(f"{prefix}_busy_workers", "Workers that work", registry=registry)
    busy.set_function(lambda: pool.busy)
    waiting = Gauge(f"{prefix}_waiting_calls", "Calls that wait for a worker", registry=registry)
    waiting.set_function(lambda: pool.waiting)
    restarts = Gauge(
        f"{prefix}_worker_restarts", "Workers that others have replaced", registry=registry
    )
    restarts.set_function(lambda: pool.restarts)
    memory = Gauge(
        f"{prefix}_memory_bytes", "Memory of the service and its workers", registry=registry
    )
    memory.set_function(_memory_bytes)


def serve_registry(registry: CollectorRegistry, address: str) -> None:
    """Serves what is registered at host:port; OSError when the address is taken."""
    host, _, port = address.rpartition(":")
    start_http_server(int(port), host.strip("[]"), registry)


def _memory_bytes() -> int:
    front = psutil.Process()
    total = 0
    for process in (front, *front.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has ended meanwhile
            continue
    return total
