"""A large blob into a service and out of it, and the same chunks through bare gRPC: needs no more
than `ir_hub`, so that it runs in a container too.

    streams.py bare ADDRESS      serves the bare stream there
    streams.py turns HUB BARE    prints the best of some rounds, seconds by what was done, as JSON
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc

from ir_hub.blobs import LocalStore
from ir_hub.blobs.remote import RemoteStore
from ir_hub.blobs.wire import CHUNK_BYTES
from irhub.blob.v1 import blob_pb2, blob_pb2_grpc

CHUNKS = 1024
ROUNDS = 3
_READY_SECONDS = 60.0
Turn = tuple[str, Callable[[], object]]


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


async def serve_bare(address: str) -> None:
    """Serves until the process is ended; says where, once it does."""
    server = grpc.aio.server()
    blob_pb2_grpc.add_BlobServiceServicer_to_server(Bare(), server)
    port = server.add_insecure_port(address)
    await server.start()
    print(f"{address.rpartition(':')[0]}:{port}", flush=True)
    await server.wait_for_termination()


def turns(folder: Path, channel: grpc.Channel, bare: grpc.Channel) -> Iterator[Turn]:
    """What is timed in a round, on a fresh blob."""
    stub = blob_pb2_grpc.BlobServiceStub(bare)
    here, there = LocalStore(folder / "here"), LocalStore(folder / "there")
    with here.incoming(CHUNKS * CHUNK_BYTES) as incoming:
        for _ in range(CHUNKS):
            incoming.write(os.urandom(CHUNK_BYTES))
        blob = incoming.blob()
        here.commit(incoming, blob)
    message = blob_pb2.WriteBlobRequest(data=os.urandom(CHUNK_BYTES))
    yield "upload, bare", lambda: stub.WriteBlob(message for _ in range(CHUNKS))
    yield "upload, ours", lambda: RemoteStore(channel, here).push([blob])
    yield "download, bare", lambda: drain(stub)
    yield "download, ours", lambda: RemoteStore(channel, there).fetch([blob])


def drain(stub: blob_pb2_grpc.BlobServiceStub) -> None:
    """Takes all chunks of a bare stream."""
    for _ in stub.ReadBlob(blob_pb2.ReadBlobRequest()):
        pass


def rounds(
    folder: Path,
    channel: grpc.Channel,
    bare: grpc.Channel,
    forget: Callable[[], object] = lambda: None,
) -> Iterator[Turn]:
    """The turns of every round; what was written before a turn is on the disk. `forget` frees what
    the service keeps of a round: its memory serves the next, and more of the machine's takes time.
    """
    for number in range(ROUNDS):
        for turn in turns(folder / str(number), channel, bare):
            os.sync()
            yield turn
        shutil.rmtree(folder / str(number))
        forget()


def main() -> None:
    """See above."""
    if sys.argv[1] == "bare":
        asyncio.run(serve_bare(sys.argv[2]))
        return
    best: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="irhub-streams-") as folder,
        grpc.insecure_channel(sys.argv[2]) as hub,
        grpc.insecure_channel(sys.argv[3]) as bare,
    ):
        for channel in (hub, bare):
            grpc.channel_ready_future(channel).result(_READY_SECONDS)
        for name, work in rounds(Path(folder), hub, bare):
            begun = time.perf_counter()
            work()
            best[name] = min(time.perf_counter() - begun, best.get(name, float("inf")))
    print(json.dumps(best))


if __name__ == "__main__":
    main()
