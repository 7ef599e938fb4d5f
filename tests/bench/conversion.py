"""Times conversions of ResNet-50, and beside each the same by another converter."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ir_hub.ir.dims import symbol
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.tensors import write_types
from irhub.hub.v1 import hub_pb2
from irhub.ir.v1 import ir_pb2
from tests.bench.memory import Memory
from tests.bench.orders import Peer
from tests.matrix.services import Services


@dataclass(frozen=True)
class Route:
    """From where to where, and another converter that goes there.

    `module` of `tests.bench.peers` runs it, in `environment`. `inputs` are the types that a
    source's files leave open.
    """

    source: str
    target: str
    converter: str
    module: str
    environment: str
    rounds: int = 3
    inputs: Mapping[str, ir_pb2.TensorType] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.source} to {self.target}"


_IMAGE = TensorType(DType.FLOAT32, (symbol("batch"), 3, 224, 224))
ROUTES = (
    Route("onnx", "pytorch", "onnx2pytorch", "onnx2pytorch", "bench", rounds=5),
    Route("pytorch", "onnx", "torch.onnx.export", "torch_onnx", "pytorch"),
    Route("tensorflow", "onnx", "tf2onnx", "tf2onnx", "tf2onnx"),
    Route("mxnet", "onnx", "mx2onnx", "mx2onnx", "mx2onnx", 3, write_types({"data": _IMAGE})),
)


@dataclass
class Times:
    """Seconds of each round, by what was timed."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, found: Mapping[str, float]) -> None:
        """Note a round."""
        for name, seconds in found.items():
            self.seconds[name].append(seconds)

    def median(self, name: str) -> float:
        """The median of what was timed under this name."""
        return statistics.median(self.seconds[name])


@dataclass(frozen=True)
class Figures:
    """What one route took: seconds, and bytes by process at their peak."""

    route: Route
    times: Times
    peaks: Mapping[str, int]

    @property
    def our_peak(self) -> int:
        """Bytes: the peaks of our processes together, though they aren't all at the same time."""
        return sum(peak for name, peak in self.peaks.items() if name != self.route.converter)


def measure(services: Services, route: Route, folder: Path) -> Figures:
    """Convert a network again and again, each time with fresh weights, without the check.

    Both converters read the same files in each round, and take turns at going first. The first
    round is a warm-up.
    """
    times = Times()
    warm_up, *rounds = written(route, folder, range(route.rounds + 1))
    with Peer(route.module, route.environment) as peer:
        ours(services, route, warm_up, folder / "ours")
        peer.convert(warm_up, folder / "theirs")
        memory = Memory({**services.processes, route.converter: peer.process.pid})
        for number, files in enumerate(rounds):
            turns: list[Callable[[], dict[str, float]]] = [
                partial(ours, services, route, files, folder / "ours"),
                partial(peer.convert, files, folder / "theirs"),
            ]
            with memory.sampled():
                for turn in turns[:: -1 if number % 2 else 1]:
                    os.sync()  # what others wrote is on the disk: it slows nobody's writing
                    times.add(turn())
    return Figures(route, times, memory.peaks)


def written(route: Route, folder: Path, seeds: range) -> list[list[Path]]:
    """The files of a network for each seed, that differ in their weights alone."""
    # By a process of its own: what writing takes isn't the converter's memory.
    with Peer(route.module, route.environment) as writer:
        return [writer.write(seed, folder / str(seed)) for seed in seeds]


def ours(services: Services, route: Route, files: Sequence[Path], into: Path) -> dict[str, float]:
    """Upload, convert without the check, download; seconds of the whole and of each part."""
    shutil.rmtree(into, ignore_errors=True)
    start = time.perf_counter()
    spec = hub_pb2.ConversionSpec(
        files=services.upload(*files), target=route.target, inputs=route.inputs, skip_check=True
    )
    uploaded = time.perf_counter()
    conversion = services.convert(spec)
    converted = time.perf_counter()
    if conversion.state != hub_pb2.Conversion.STATE_SUCCEEDED:
        raise RuntimeError(f"the conversion failed: {conversion.failure.message}")
    services.hub.download(conversion.files, into)
    stages = {stage.name: stage.seconds for stage in conversion.stages}
    return {
        "irhub": time.perf_counter() - start,
        "upload": uploaded - start,
        **stages,
        "outside of stages": converted - uploaded - sum(stages.values()),
        "download": time.perf_counter() - converted,
    }


def other_ways(services: Services, route: Route, folder: Path) -> Times:
    """By the command, its start included; and what was converted before, once more."""
    times = Times()
    for files in written(route, folder, range(-route.rounds, 0)):
        into = folder / "by the command"
        shutil.rmtree(into, ignore_errors=True)
        start = time.perf_counter()
        services.command("convert", *files, "--to", route.target, "-o", into, "--no-check")
        times.add({"irhub, by the command": time.perf_counter() - start})
        again = ours(services, route, files, folder / "ours")
        times.add({"irhub, known already": again["irhub"]})
    return times
