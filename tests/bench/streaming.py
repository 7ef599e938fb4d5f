"""Streams a large blob into a hub and out of it again, and the same chunks through bare gRPC:
`python -m tests.bench.streaming` prints how they compare."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil

from ir_hub.blobs import LocalStore
from ir_hub.blobs.remote import RemoteStore
from ir_hub.blobs.wire import CHUNK_BYTES
from irhub.blob.v1 import blob_pb2, blob_pb2_grpc
from tests.bench.memory import Memory
from tests.services.hubs import start_hub
from tests.services.processes import ROOT

CHUNKS = 1024
ROUNDS = 3


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
        speeds = {name: CHUNKS / seconds for name, seconds in self.seconds.items()}
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


class Bare(blob_pb2_grpc.BlobServiceServicer):
    """Moves chunks and does nothing with them."""

    async def WriteBlob(self, request_iterator, context):  # noqa: N802  # the contract names it
        """Drops what comes."""
        async for _ in request_iterator:
            pass
        return blob_pb2.WriteBlobResponse(complete=True)

    async def ReadBlob(self, request, context) -> AsyncIterator[Any]:  # noqa: N802
        """Sends the same again and again."""
        chunk = os.urandom(CHUNK_BYTES)
        for _ in range(CHUNKS):
            yield blob_pb2.ReadBlobResponse(data=chunk)


def measure(folder: Path) -> Figures:
    """Moves a blob both ways, in turn with the bare stream."""
    best: dict[str, float] = {}
    used: dict[str, float] = {}
    with bare_service() as (bare_address, bare_pid), grpc.insecure_channel(bare_address) as bare:
        hub = start_hub(folder / "hub")
        processes = [psutil.Process(pid) for pid in (os.getpid(), hub.process.pid, bare_pid)]
        memory = Memory({"hub": hub.process.pid, "client": os.getpid()})
        try:
            with grpc.insecure_channel(hub.client.address) as channel, memory.sampled():
                for round_ in range(ROUNDS):
                    for name, work in turns(folder / str(round_), channel, bare):
                        os.sync()  # what was written before is on the disk
                        before, begun = processor_seconds(processes), time.perf_counter()
                        work()
                        seconds = time.perf_counter() - begun
                        spent = processor_seconds(processes) - before
                        best[name] = min(seconds, best.get(name, seconds))
                        used[name] = min(spent, used.get(name, spent))
                    shutil.rmtree(folder / str(round_))
                    # Its memory serves the next round: getting more from the machine takes time.
                    hub.client.store.prune(0, older_than=0)
        finally:
            hub.stop()
    peaks = {name: peak for name, peak in memory.peaks.items() if name in ("hub", "client")}
    return Figures(best, used, peaks)


def processor_seconds(processes: Sequence[psutil.Process]) -> float:
    """What the processes have used so far, together."""
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


def turns(
    folder: Path, channel: grpc.Channel, bare: grpc.Channel
) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is timed in a round, on a fresh blob."""
    stub = blob_pb2_grpc.BlobServiceStub(bare)
    here, there = LocalStore(folder / "here"), LocalStore(folder / "there")
    with here.incoming(CHUNKS * CHUNK_BYTES) as incoming:
        for _ in range(CHUNKS):
            incoming.write(os.urandom(CHUNK_BYTES))
        blob = incoming.blob()
        here.commit(incoming, blob)
    message = blob_pb2.WriteBlobRequest(data=os.urandom(CHUNK_BYTES))
    yield "upload, bare", lambda: stub.WriteBlob(message for _ in range(CHUNKS)) and None
    yield "upload, ours", lambda: RemoteStore(channel, here).push([blob])
    yield "download, bare", lambda: drain(stub)
    yield "download, ours", lambda: RemoteStore(channel, there).fetch([blob])


def drain(stub: blob_pb2_grpc.BlobServiceStub) -> None:
    """Takes all chunks of a bare stream."""
    for _ in stub.ReadBlob(blob_pb2.ReadBlobRequest()):
        pass


@contextmanager
def bare_service() -> Iterator[tuple[str, int]]:
    """The address of a bare service, and the process that it is."""
    command = [sys.executable, "-m", "tests.bench.streaming", "bare"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        process.wait()


async def serve_bare() -> None:
    """Serves until the process is ended."""
    server = grpc.aio.server()
    blob_pb2_grpc.add_BlobServiceServicer_to_server(Bare(), server)
    print(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", flush=True)
    await server.start()
    await server.wait_for_termination()


def main() -> None:
    if sys.argv[1:] == ["bare"]:
        asyncio.run(serve_bare())
        return
    with tempfile.TemporaryDirectory(prefix="irhub-streaming-") as folder:
        for name, figure, seconds in measure(Path(folder)).rows():
            print(f"{name:24} {figure:>12} {seconds:>8}")


if __name__ == "__main__":
    main()
