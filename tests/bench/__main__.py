"""Measures what conversions cost, prints tables and writes `bench.json`: make bench.

ResNet-50 goes from ONNX to PyTorch code and weights through warm services, without the check, and
beside it through onnx2pytorch in a warm process. Recovery is timed on large graphs.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from ir_hub.ir.graph import Model
from ir_hub.recover.pipeline import recover
from ir_hub.recover.structure import structure
from tests.bench import graphs
from tests.bench.conversion import ROUNDS, Times, measure
from tests.matrix.services import HOME, running
from tests.models.files import onnx_file

NETWORK = "resnet50"
NODES = 5000
OUTPUT = HOME / "bench" / "bench.json"

Row = tuple[str, str]


def recovery() -> dict[str, float]:
    """Seconds to recover layers and structure, by the graph they are recovered in."""
    found = {}
    for name, make in (("layers", graphs.transformer), ("near misses", graphs.arithmetic)):
        model = make(NODES)
        count = len(model.graph.nodes)
        found[f"recover, {count} nodes of {name}"] = _seconds(recover, model)
        left = len(model.graph.nodes)
        found[f"structure, the {left} nodes left of it"] = _seconds(structure, model)
    return found


def _seconds(work: Callable[[Model], object], model: Model) -> float:
    start = time.perf_counter()
    work(model)
    return time.perf_counter() - start


def table(title: str, heading: str, rows: Sequence[Row]) -> Table:
    """A table of two columns, the second one of numbers."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    made.add_column("")
    made.add_column(heading, justify="right")
    for row in rows:
        made.add_row(*row)
    return made


def speed_rows(times: Times) -> list[Row]:
    """The medians, and how the two converters compare."""
    ratio = times.median("irhub") / times.median("onnx2pytorch")
    medians = [(name, f"{times.median(name):.3f}") for name in times.seconds]
    return [*medians, ("irhub / onnx2pytorch", f"{ratio:.2f}")]


def memory_rows(peaks: Mapping[str, int]) -> list[Row]:
    """Peaks in MiB. They are not all at the same time: their sum was never taken at once."""
    rows = [(name, f"{peak / 2**20:.0f}") for name, peak in sorted(peaks.items())]
    ours = sum(peak for name, peak in peaks.items() if name != "onnx2pytorch")
    return [*rows, ("irhub's peaks together", f"{ours / 2**20:.0f}")]


def write(times: Times, peaks: Mapping[str, int], recovered: Mapping[str, float]) -> None:
    """Write all figures as JSON: seconds of every round, bytes."""
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    figures = {
        "network": NETWORK,
        "machine": {"processors": os.cpu_count(), "system": platform.platform()},
        "seconds": times.seconds,
        "peak_bytes": peaks,
        "recovery_seconds": recovered,
    }
    OUTPUT.write_text(json.dumps(figures, indent=2) + "\n")


def main() -> None:
    console = Console(highlight=False)
    with console.status("") as status:
        status.update(f"making {NETWORK}")
        network = onnx_file(NETWORK)
        status.update(f"converting {NETWORK}, {ROUNDS} times with either converter")
        with (
            tempfile.TemporaryDirectory(prefix="irhub-bench-") as folder,
            running(Path(folder) / "hub", ("onnx", "pytorch")) as services,
        ):
            times, peaks = measure(services, network, Path(folder))
        status.update(f"recovering graphs of {NODES} nodes")
        recovered = recovery()
    write(times, peaks, recovered)
    size = network.stat().st_size / 1e6
    title = f"{NETWORK} ({size:.0f} MB), ONNX to PyTorch, median of {ROUNDS}"
    console.print(table(title, "seconds", speed_rows(times)))
    console.print(table("The same, memory at most", "MiB", memory_rows(peaks)))
    rows = [(name, f"{seconds:.2f}") for name, seconds in recovered.items()]
    console.print(table("Recovery", "seconds", rows))
    console.print(f"All figures: {OUTPUT}")


if __name__ == "__main__":
    main()
