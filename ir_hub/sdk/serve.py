"""Serves an adapter: the whole of its `__main__` is `serve(X())`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from functools import partial

import grpc
import structlog

from ir_hub.blobs.service import BlobService
from ir_hub.blobs.store import LocalStore
from ir_hub.sdk import telemetry
from ir_hub.sdk.adapter import Adapter
from ir_hub.sdk.errors import AdapterError
from ir_hub.sdk.front import OPTIONS, Health, announce, stop_signal
from ir_hub.sdk.logs import log_as_json
from ir_hub.sdk.metrics import AdapterMetrics
from ir_hub.sdk.pool import Limits, Pool
from ir_hub.sdk.service import AdapterService
from ir_hub.sdk.settings import Settings, settings_from
from ir_hub.sdk.stages import functions
from irhub.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from irhub.blob.v1 import blob_pb2

_log = structlog.get_logger()


def serve(adapter: Adapter, argv: Sequence[str] | None = None) -> None:
    """Serves the adapter until SIGTERM or SIGINT. `argv` is the command line, by default the
    process's own; `--help` explains it.

    Prints one line when it serves, {"address": "127.0.0.1:50051", "pid": 1234}; logs go to
    standard error. The framework is imported in worker processes only.
    """
    settings = settings_from(adapter.framework, argv)
    log_as_json()
    telemetry.start(adapter.framework, settings.otlp_endpoint)
    try:
        asyncio.run(_serve(adapter, settings))
    except (AdapterError, OSError, RuntimeError) as error:
        sys.exit(f"the {adapter.framework} adapter can't start: {error}")
    finally:
        telemetry.stop()


async def _serve(adapter: Adapter, settings: Settings) -> None:
    stopped = stop_signal()
    store = LocalStore(settings.store, settings.store_limit)
    prepare = partial(
        functions, adapter, settings.store, settings.store_limit, allow_code=settings.allow_code
    )
    with store.scratch() as scratch:
        pool = Pool(prepare, _limits(settings), scratch)
        await pool.start()
        try:
            description = adapter_pb2.DescribeResponse.FromString(await pool.run("describe", b""))
            metrics = AdapterMetrics(pool)
            if settings.metrics_address:
                metrics.serve(settings.metrics_address)
            service = AdapterService(pool, description, store, metrics.call)
            await _serve_until(stopped, service, store, settings)
        finally:
            await pool.close()


async def _serve_until(
    stopped: asyncio.Event, service: AdapterService, store: LocalStore, settings: Settings
) -> None:
    server = grpc.aio.server(options=_options(settings))
    health = Health(server, adapter_pb2.DESCRIPTOR, blob_pb2.DESCRIPTOR)
    blobs = BlobService(store)
    adapter_pb2_grpc.add_AdapterServiceServicer_to_server(service, server)
    blobs.add_to(server)
    address = settings.listener.open(server)
    await server.start()
    await health.serving()
    announce(address)
    await stopped.wait()
    _log.info("draining")
    # First say so, so that balancers send no more; then refuse; then wait for what runs.
    await health.leaving()
    await asyncio.sleep(settings.drain_notice)
    await server.stop(settings.drain_limit)
    blobs.close()


def _limits(settings: Settings) -> Limits:
    return Limits(
        workers=settings.workers,
        waiting=settings.waiting,
        seconds=settings.time_limit,
        memory_bytes=settings.memory_limit,
    )


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        *OPTIONS,
        ("grpc.max_connection_age_ms", int(settings.max_connection_age * 1000)),
        # A call that runs when its connection gets old may end on it.
        ("grpc.max_connection_age_grace_ms", int(settings.time_limit * 1000)),
    ]
