"""Times ONNX -> PyTorch conversions of a large network, and onnx2pytorch's beside them."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
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

    def median(self, name: str) -> float:
        """The median of what was timed under this name."""
        return statistics.median(self.seconds[name])


def measure(services: Services, network: Path, folder: Path) -> tuple[Times, dict[str, int]]:
    """Convert a network again and again, each time with fresh weights; times and peak memory.

    Both converters read the same file in each round, and take turns at going first.
    """
    times = Times()
    file = folder / "model.onnx"
    with Peer() as peer:
        peer.do("freshen", file=str(network), seed=0, into=str(file))
        ours(services, file, folder / "ours", Times())
        theirs(peer, file, folder, Times())
        processes = {**services.processes, "onnx2pytorch": peer.process.pid}
        for round_ in range(1, ROUNDS + 1):
            peer.do("freshen", file=str(network), seed=round_, into=str(file))
            turns: list[Callable[[], None]] = [
                lambda: ours(services, file, folder / "ours", times),
                lambda: theirs(peer, file, folder, times),
            ]
            with Memory(processes) as memory:
                for turn in turns[:: 1 if round_ % 2 else -1]:
                    turn()
        again(services, file, folder / "ours", times)
        peer.do("freshen", file=str(network), seed=ROUNDS + 1, into=str(file))
        command(services, file, folder / "ours", times)
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
        "between stages": converted - uploaded - sum(stages.values()),
        "download": time.perf_counter() - converted,
    }
    for name, seconds in found.items():
        times.seconds[name].append(seconds)


def theirs(peer: Peer, file: Path, folder: Path, times: Times) -> None:
    """Read, convert and save, in the other converter's process."""
    answer = peer.do("convert", file=str(file), into=str(folder / "theirs.pt"))
    times.seconds["onnx2pytorch"].append(answer["seconds"])


def again(services: Services, file: Path, into: Path, times: Times) -> None:
    """Convert what was converted before."""
    repeated = Times()
    for _ in range(ROUNDS):
        ours(services, file, into, repeated)
    times.seconds["irhub, cached"] = repeated.seconds["irhub"]


def command(services: Services, file: Path, into: Path, times: Times) -> None:
    """The same by the command, its start included."""
    settings = services.settings
    environ = {
        **os.environ,
        **{
            f"IRHUB_{n.upper()}": str(getattr(settings, n))
            for n in ("home", "store", "database", "run")
        },
    }
    irhub = Path(sys.executable).with_name("irhub")
    shutil.rmtree(into, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run(
        [irhub, "convert", file, "--to", "pytorch", "-o", into, "--no-check"],
        env=environ,
        check=True,
        capture_output=True,
    )
    times.seconds["irhub command"].append(time.perf_counter() - start)
