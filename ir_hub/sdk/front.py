"""What the process of every service does alike: it says where it listens, whether it serves and
what it offers, and ends when it is told to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence

import grpc
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from ir_hub.sdk.security import PINGS_TAKEN

OPTIONS: Sequence[tuple[str, int]] = (
    # What every gRPC client and server takes without being told.
    ("grpc.max_receive_message_length", 4 << 20),
    # A second service at the same port is a mistake, not a way to share the load.
    ("grpc.so_reuseport", 0),
    PINGS_TAKEN,
)


class Health:
    """The health checks of a server, and reflection, for the services of some files."""

    def __init__(self, server: grpc.aio.Server, *files: FileDescriptor) -> None:
        self._names = [each.full_name for file in files for each in file.services_by_name.values()]
        self._servicer = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        names = (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)

    async def serving(self) -> None:
        """From now on all of it serves."""
        for name in ("", *self._names):
            await self._servicer.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def leaving(self) -> None:
        """From now on nothing does."""
        await self._servicer.enter_graceful_shutdown()


def announce(address: str) -> None:
    """Tells whoever started this process where it listens."""
    sys.stdout.write(json.dumps({"address": address, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def stop_signal() -> asyncio.Event:
    """Set at SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped
