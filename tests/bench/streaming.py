"""Streams a large blob into a hub and out of it again, and the same chunks through bare gRPC:
`python -m tests.bench.streaming` prints how they compare."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc
import psutil

from tests.bench import streams
from tests.bench.memory import Memory
from tests.services.hubs import start_hub
from tests.services.processes import ROOT


@dataclass(frozen=True)
class Figures:
    """Seconds for 1 GiB by what was done, the best of some rounds; peaks of memory in bytes.

    Processor seconds are those of both ends together.
    """

    seconds: dict[str, float]
    processor_seconds: dict[str, float]
    peaks: dict[str, int]

    def rows(self) -> list[tuple[str, str, str]]:
        """What was done, its MiB/s and processor seconds; how ours compares; memory."""
        speeds = {name: streams.CHUNKS / seconds for name, seconds in self.seconds.items()}
        used = self.processor_seconds
        ways = [(name, f"{speed:.0f} MiB/s", f"{used[name]:.2f}") for name, speed in speeds.items()]
        ratios = [
            (
                f"{way}, ours / bare",
                f"{speeds[f'{way}, ours'] / speeds[f'{way}, bare']:.2f}",
                f"{used[f'{way}, ours'] / used[f'{way}, bare']:.2f}",
            )
            for way in ("upload", "download")
        ]
        memory = [
            (f"{name}'s memory", f"{peak >> 20} MiB", "") for name, peak in self.peaks.items()
        ]
        return [*ways, *ratios, *memory]


def measure(folder: Path) -> Figures:
    """Moves a blob both ways, in turn with the bare stream."""
    best: dict[str, float] = {}
    used: dict[str, float] = {}
    with bare_service() as (bare_address, bare_pid), grpc.insecure_channel(bare_address) as bare:
        hub = start_hub(folder / "hub")
        processes = [psutil.Process(pid) for pid in (os.getpid(), hub.process.pid, bare_pid)]
        forget = partial(hub.client.store.prune, 0, older_than=0)
        memory = Memory({"hub": hub.process.pid, "client": os.getpid()})
        try:
            with grpc.insecure_channel(hub.client.address) as channel, memory.sampled():
                for name, work in streams.rounds(folder, channel, bare, forget):
                    before, begun = processor_seconds(processes), time.perf_counter()
                    work()
                    seconds = time.perf_counter() - begun
                    spent = processor_seconds(processes) - before
                    best[name] = min(seconds, best.get(name, seconds))
                    used[name] = min(spent, used.get(name, spent))
        finally:
            hub.stop()
    peaks = {name: peak for name, peak in memory.peaks.items() if name in ("hub", "client")}
    return Figures(best, used, peaks)


def processor_seconds(processes: Sequence[psutil.Process]) -> float:
    """What the processes have used so far, together."""
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


@contextmanager
def bare_service() -> Iterator[tuple[str, int]]:
    """The address of a bare service, and the process that it is."""
    command = [sys.executable, "-m", "tests.bench.streams", "bare", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="irhub-streaming-") as folder:
        for name, figure, seconds in measure(Path(folder)).rows():
            print(f"{name:24} {figure:>12} {seconds:>8}")


if __name__ == "__main__":
    main()
