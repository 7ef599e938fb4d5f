"""Times ONNX -> PyTorch conversions of a large network, and onnx2pytorch's beside them."""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from irhub.hub.v1 import hub_pb2
from tests.bench.memory import Memory
from tests.bench.orders import Peer
from tests.matrix.services import Services

ROUNDS = 5


@dataclass
class Times:
    """Seconds of each round, by what was timed."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, seconds: float) -> None:
        """Note a round of what has this name."""
        self.seconds[name].append(seconds)

    def median(self, name: str) -> float:
        """The median of what was timed under this name."""
        return statistics.median(self.seconds[name])


def measure(services: Services, network: Path, folder: Path) -> tuple[Times, dict[str, int]]:
    """Convert a network again and again, each time with fresh weights; times and peak memory.

    Both converters read the same file in each round, and take turns at going first.
    """
    times, file, into = Times(), folder / "model.onnx", folder / "ours"
    with Peer() as writer, Peer() as peer:
        seeds = itertools.count()

        def freshen() -> None:
            writer.do("freshen", file=str(network), seed=next(seeds), into=str(file))

        freshen()
        ours(services, file, into, Times())
        theirs(peer, file, folder, Times())
        memory = Memory({**services.processes, "onnx2pytorch": peer.process.pid})
        for round_ in range(ROUNDS):
            freshen()
            turns: list[Callable[[], None]] = [
                lambda: ours(services, file, into, times),
                lambda: theirs(peer, file, folder, times),
            ]
            with memory.sampled():
                for turn in turns[:: -1 if round_ % 2 else 1]:
                    os.sync()  # what others wrote is on the disk: it slows nobody's writing
                    turn()
        for _ in range(ROUNDS):
            again(services, file, into, times)
        for _ in range(ROUNDS):
            freshen()
            command(services, file, into, times)
    return times, memory.peaks


def ours(services: Services, file: Path, into: Path, times: Times) -> None:
    """Upload, convert without the check, download."""
    shutil.rmtree(into, ignore_errors=True)
    start = time.perf_counter()
    spec = hub_pb2.ConversionSpec(files=services.upload(file), target="pytorch", skip_check=True)
    uploaded = time.perf_counter()
    conversion = services.convert(spec)
    converted = time.perf_counter()
    if conversion.state != hub_pb2.Conversion.STATE_SUCCEEDED:
        raise RuntimeError(f"the conversion failed: {conversion.failure.message}")
    services.hub.download(conversion.files, into)
    stages = {stage.name: stage.seconds for stage in conversion.stages}
    found = {
        "irhub": time.perf_counter() - start,
        "upload": uploaded - start,
        **stages,
        "outside of stages": converted - uploaded - sum(stages.values()),
        "download": time.perf_counter() - converted,
    }
    for name, seconds in found.items():
        times.add(name, seconds)


def theirs(peer: Peer, file: Path, folder: Path, times: Times) -> None:
    """Read, convert and save, in the other converter's process."""
    answer = peer.do("convert", file=str(file), into=str(folder / "theirs.pt"))
    times.add("onnx2pytorch", answer["seconds"])


def again(services: Services, file: Path, into: Path, times: Times) -> None:
    """Convert what was converted before."""
    repeated = Times()
    ours(services, file, into, repeated)
    times.add("irhub, known already", repeated.median("irhub"))


def command(services: Services, file: Path, into: Path, times: Times) -> None:
    """The same by the command, its start included."""
    shutil.rmtree(into, ignore_errors=True)
    start = time.perf_counter()
    services.command("convert", file, "--to", "pytorch", "-o", into, "--no-check")
    times.add("irhub, by the command", time.perf_counter() - start)
