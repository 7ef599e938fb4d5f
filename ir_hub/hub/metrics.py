"""The hub's figures for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ir_hub.blobs import LocalStore
from ir_hub.hub.orchestrator.inline import Inline
from ir_hub.hub.plan import Plan
from ir_hub.sdk.metrics import serve_registry, watch_pool
from ir_hub.sdk.pool import Pool
from irhub.hub.v1 import hub_pb2

_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800)
_RAN = (hub_pb2.Stage.STATE_DONE, hub_pb2.Stage.STATE_FAILED)


class HubMetrics:
    """Counts conversions and their stages."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._ended = Counter(
            "irhub_conversions",
            "Conversions that have ended, by state",
            ["state"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "irhub_stage_seconds",
            "How long stages took that weren't known from earlier",
            ["stage", "framework"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._cached = Counter(
            "irhub_stage_cache_hits",
            "Stages whose results were known from earlier",
            ["stage", "framework"],
            registry=self._registry,
        )

    def watch(self, orchestrator: Inline, store: LocalStore, pool: Pool) -> None:
        """Looks at these whenever it is asked."""
        running = Gauge("irhub_conversions_running", "Conversions", registry=self._registry)
        running.set_function(lambda: orchestrator.live()[0])
        waiting = Gauge("irhub_conversions_waiting", "The queue", registry=self._registry)
        waiting.set_function(lambda: orchestrator.live()[1])
        held = Gauge("irhub_store_bytes", "What the store holds", registry=self._registry)
        held.set_function(store.used_bytes)
        watch_pool(pool, "irhub_hub", self._registry)

    def ended(self, conversion: hub_pb2.Conversion) -> None:
        """A conversion has ended."""
        state = hub_pb2.Conversion.State.Name(conversion.state)
        self._ended.labels(state.removeprefix("STATE_").lower()).inc()

    def stages(self, conversion: hub_pb2.Conversion, plan: Plan) -> None:
        """A conversion's stages have been carried out as planned, or until one failed."""
        frameworks = {"parse": plan.source, "emit": plan.target}
        for stage in conversion.stages:
            labels = stage.name, frameworks.get(stage.name, "irhub")
            if stage.cached:
                self._cached.labels(*labels).inc()
            elif stage.state in _RAN:
                self._seconds.labels(*labels).observe(stage.seconds)

    def serve(self, address: str) -> None:
        """Answers HTTP requests at host:port; OSError when the address is taken."""
        serve_registry(self._registry, address)
