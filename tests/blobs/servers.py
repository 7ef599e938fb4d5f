"""A blob service for tests: on a thread of this process, or in a process of its own."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import grpc

from ir_hub.blobs import LocalStore
from ir_hub.blobs.service import BlobService
from ir_hub.blobs.uploads import Limits


class Server:
    """A blob service on a free port of the loopback, until it is stopped."""

    def __init__(self, store: LocalStore, limits: Limits, port: int = 0) -> None:
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(store, limits, port),)
        )
        self._thread.start()
        self._ready.wait()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")

    def stop(self) -> None:
        """Ends the service; a second call does nothing."""
        if self._thread.is_alive():
            self.channel.close()
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
            self._loop.close()

    async def _serve(self, store: LocalStore, limits: Limits, port: int) -> None:
        server = grpc.aio.server()
        service = BlobService(store, limits)
        service.add_to(server)
        self.port = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        self._ready.set()
        await self._stopped.wait()
        await server.stop(grace=None)
        service.close()


Serve = Callable[[LocalStore, Limits], Server]

if __name__ == "__main__":
    apart = Server(LocalStore(Path(sys.argv[1])), Limits(), int(sys.argv[2]))
    print(apart.port, flush=True)
    # Until whoever started us ends.
    sys.stdin.read()
    apart.stop()
