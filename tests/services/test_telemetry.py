"""One conversion as its operators see it: spans across processes, figures, lines of the logs."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from irhub.hub.v1 import hub_pb2
from tests.services.collector import Collector, Span, collecting
from tests.services.hubs import Hub, State, rows, start_hub
from tests.services.processes import Service, start

TOY = "tests.services.toy.adapter"


@dataclass
class Observed:
    """Services that have converted a model twice, and what they said."""

    hub: Hub
    toy: Service
    conversion: hub_pb2.Conversion
    again: hub_pb2.Conversion
    collector: Collector
    hub_metrics: str
    toy_metrics: str

    def line(self, service: str, name: str) -> list[Span]:
        """The first span with this name of a service, and those above it."""
        spans = {span.id: span for span in self.collector.spans}
        line = [next(s for s in spans.values() if (s.service, s.name) == (service, name))]
        while line[-1].parent:
            line.append(spans[line[-1].parent])
        return line


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    toy_metrics, hub_metrics = free_address(), free_address()
    with collecting() as collector:
        traced = f"--otlp-endpoint={collector.endpoint}"
        toy = start(TOY, tmp_path_factory.mktemp("toy"), traced, f"--metrics-address={toy_metrics}")
        hub = start_hub(
            tmp_path_factory.mktemp("hub"),
            traced,
            f"--adapters=toy={toy.address}",
            f"--metrics-address={hub_metrics}",
        )
        file = hub.put(b"relu\ntanh\n", "model.toy")
        spec = hub_pb2.ConversionSpec(files=[file], target="toy", inputs={"x": rows()})
        conversion, again = hub.convert(spec), hub.convert(spec)
        yield Observed(hub, toy, conversion, again, collector, hub_metrics, toy_metrics)
        hub.stop()
        toy.process.terminate()
        toy.process.wait(10)


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def metrics(address: str) -> dict[tuple[str, ...], float]:
    """Figures by name and the values of their labels, in the order of the labels' names."""
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_a_trace_crosses_hub_adapter_and_worker(observed: Observed) -> None:
    assert observed.conversion.state == State.STATE_SUCCEEDED, observed.conversion.failure

    def complete(spans: list[Span]) -> bool:
        names = {span.name for span in spans}
        return {"conversion", "worker parse", "worker run", "worker check", "run"} <= names

    assert observed.collector.wait(complete), {s.name for s in observed.collector.spans}
    line = observed.line("toy", "worker parse")
    assert [(span.service, span.name) for span in line] == [
        ("toy", "worker parse"),
        ("toy", "parse"),
        ("hub", "call"),
        ("hub", "stage parse"),
        ("hub", "conversion"),
        ("hub", "CreateConversion"),
    ]
    assert len({span.trace for span in line}) == 1
    assert len({span.process for span in line}) == 3, "hub, adapter, the adapter's worker"
    own = observed.line("hub", "worker check")
    assert [span.name for span in own[1:]] == ["stage check", "conversion", "CreateConversion"]
    assert (own[0].trace, own[-1]) == (line[0].trace, line[-1])
    assert own[0].process != own[1].process


def test_the_hub_counts(observed: Observed) -> None:
    found = metrics(observed.hub_metrics)
    assert found["irhub_conversions_total", "succeeded"] == 2
    assert found["irhub_stage_seconds_count", "toy", "parse"] == 1
    assert found["irhub_stage_seconds_count", "irhub", "check"] == 1
    assert found["irhub_stage_cache_hits_total", "toy", "emit"] == 1
    assert found["irhub_conversions_waiting",] == found["irhub_conversions_running",] == 0
    assert found["irhub_store_bytes",] > 0


def test_an_adapter_counts(observed: Observed) -> None:
    found = metrics(observed.toy_metrics)
    assert found["irhub_adapter_calls_total", "OK", "parse"] == 1
    assert found["irhub_adapter_call_seconds_count", "emit"] == 1
    assert found["irhub_adapter_calls_total", "OK", "run"] >= 2
    assert found["irhub_adapter_busy_workers",] == found["irhub_adapter_worker_restarts",] == 0
    assert found["irhub_adapter_memory_bytes",] > 10 << 20


@pytest.mark.parametrize("service", ["hub", "toy"])
def test_log_lines_are_json_with_the_conversions_name(observed: Observed, service: str) -> None:
    log = observed.toy.log if service == "toy" else observed.hub.folder / "log"
    lines = [json.loads(line) for line in Path(log).read_text().splitlines()]
    assert {line["timestamp"][:2] for line in lines} == {"20"}
    named = {line.get("conversion") or line.get("request_id") for line in lines}
    assert observed.conversion.name in named
