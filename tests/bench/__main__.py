"""Measures what conversions cost, prints tables and writes `bench.json`: make bench.

ResNet-50 goes from framework to framework through warm services, without the check, and beside
it through another converter in a warm process. Small models say what a conversion costs besides
the adapters' work, and what one costs that is known already. Recovery is timed on large graphs,
and a large blob is streamed beside bare gRPC.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from ir_hub.ir.graph import Model
from ir_hub.recover.pipeline import recover
from ir_hub.recover.structure import structure
from tests.bench import graphs, overhead, streaming, tables
from tests.bench.conversion import ROUTES, Figures, Route, Times, measure, other_ways
from tests.matrix.services import HOME, running

NODES = 5000
WIDTH = 110  # of the tables, in characters
OUTPUT = HOME / "bench" / "bench.json"


def convert(route: Route) -> Figures:
    """One route, with services of its own: memory of another's work isn't counted."""
    with (
        tempfile.TemporaryDirectory(prefix="irhub-bench-") as folder,
        running(Path(folder) / "hub", (route.source, route.target)) as services,
    ):
        return measure(services, route, Path(folder))


def other(route: Route) -> tuple[Times, overhead.Figures]:
    """What else is measured with services: other ways to convert, and small models."""
    with (
        tempfile.TemporaryDirectory(prefix="irhub-bench-") as folder,
        running(Path(folder) / "hub", ("onnx", "pytorch")) as services,
    ):
        return other_ways(services, route, Path(folder)), overhead.measure(services, Path(folder))


def recovery() -> Times:
    """Seconds to recover layers and structure, by the graph they are recovered in."""
    found = Times()
    for name, make in (("layers", graphs.transformer), ("near misses", graphs.arithmetic)):
        model = make(NODES)
        count = len(model.graph.nodes)
        found.add({f"recover, {count} nodes of {name}": _seconds(recover, model)})
        left = len(model.graph.nodes)
        found.add({f"structure, the {left} nodes left of it": _seconds(structure, model)})
    return found


def _seconds(work: Callable[[Model], object], model: Model) -> float:
    start = time.perf_counter()
    work(model)
    return time.perf_counter() - start


def write(
    converted: Sequence[Figures],
    ways: Times,
    small: overhead.Figures,
    recovered: Times,
    streamed: streaming.Figures,
) -> None:
    """Write all figures as JSON: seconds of every round, bytes."""
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    figures = {
        "machine": {"processors": os.cpu_count(), "system": platform.platform()},
        "resnet50": {
            str(found.route): {
                "beside": found.route.converter,
                "seconds": found.times.seconds,
                "peak_bytes": found.peaks,
            }
            for found in converted
        },
        "other_ways_seconds": ways.seconds,
        "small_model_seconds": small,
        "recovery_seconds": recovered.seconds,
        "streaming": asdict(streamed),
    }
    OUTPUT.write_text(json.dumps(figures, indent=2) + "\n")


def main() -> None:
    console = Console(highlight=False, width=WIDTH)
    converted = []
    with console.status("") as status:
        for route in ROUTES:
            status.update(f"ResNet-50, {route}: {route.rounds} times, beside {route.converter}")
            converted.append(convert(route))
        status.update("ResNet-50 by the command, and small models")
        ways, small = other(ROUTES[0])
        status.update(f"recovering graphs of {NODES} nodes")
        recovered = recovery()
        status.update("streaming 1 GiB, with our blob service and without")
        with tempfile.TemporaryDirectory(prefix="irhub-bench-") as folder:
            streamed = streaming.measure(Path(folder))
    write(converted, ways, small, recovered, streamed)
    console.print(tables.side_by_side(converted))
    console.print(tables.stages(converted))
    console.print(tables.memory(converted))
    console.print(tables.medians(f"ResNet-50, {ROUTES[0]}", ways))
    title = f"A small model, ONNX to PyTorch with the check, median of {overhead.ROUNDS}"
    console.print(tables.milliseconds(title, small))
    console.print(tables.medians("Recovery", recovered))
    console.print(tables.streaming(streamed))
    console.print(f"All figures: {OUTPUT}")


if __name__ == "__main__":
    main()
