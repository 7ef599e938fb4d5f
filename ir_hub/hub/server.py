"""Serves a hub: its own service, the blobs, health and reflection, until it is told to stop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import grpc
import structlog

from ir_hub.blobs import LocalStore
from ir_hub.blobs.service import BlobService
from ir_hub.hub.actions import Actions
from ir_hub.hub.adapters import Adapters
from ir_hub.hub.convert import Converter
from ir_hub.hub.database import Database
from ir_hub.hub.inspection import Inspector
from ir_hub.hub.jobs import Jobs
from ir_hub.hub.metrics import HubMetrics
from ir_hub.hub.orchestrator.inline import Inline
from ir_hub.hub.outcome import Outcomes
from ir_hub.hub.service import HubService
from ir_hub.hub.settings import Settings
from ir_hub.hub.stages import prepare
from ir_hub.sdk import telemetry
from ir_hub.sdk.front import OPTIONS, Health, announce, stop_signal
from ir_hub.sdk.pool import Limits, Pool
from ir_hub.sdk.security import Tokens
from irhub.blob.v1 import blob_pb2
from irhub.hub.v1 import hub_pb2, hub_pb2_grpc

_GRACE_SECONDS = 5.0
_log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then gives what runs some time to end.

    Prints one line when it serves, {"address": "127.0.0.1:50051", "pid": 1234}; logs go to
    standard error.

    Raises:
        DatabaseUnusable: the database can't be opened, or another hub has it.
        OSError: a certificate, a key or the tokens can't be read.
        RuntimeError: the address can't be listened at.
    """
    stopped = stop_signal()
    telemetry.start("hub", settings.otlp_endpoint)
    try:
        async with _hub(settings) as (service, orchestrator, store):
            await _serve_until(stopped, service, orchestrator, store, settings)
    finally:
        telemetry.stop()


@asynccontextmanager
async def _hub(settings: Settings) -> AsyncIterator[tuple[HubService, Inline, LocalStore]]:
    """All parts of a hub, put together."""
    async with AsyncExitStack() as stack:
        database = Database(settings.database)
        stack.callback(database.close)
        store = LocalStore(settings.store, settings.store_bytes)
        pool = await _pool(settings, store, stack)
        access, patience = settings.adapter_access(), settings.adapter_seconds
        adapters = Adapters(settings.adapters, settings.run, store, access, patience)
        stack.push_async_callback(adapters.close)
        outcomes = Outcomes(database, store, settings.cached_actions)
        actions = Actions(store, outcomes, pool, adapters, settings.stage_seconds)
        inspector = Inspector(actions, adapters, store)
        metrics = HubMetrics()
        orchestrator = Inline(
            Jobs(database),
            store,
            Converter(actions, metrics.stages).convert,
            settings.conversions,
            settings.waiting,
            metrics.ended,
        )
        if settings.metrics_address:
            metrics.watch(orchestrator, store, pool)
            metrics.serve(settings.metrics_address)
        yield HubService(orchestrator, inspector, adapters, store), orchestrator, store


async def _pool(settings: Settings, store: LocalStore, stack: AsyncExitStack) -> Pool:
    scratch: Path = stack.enter_context(store.scratch())
    limits = Limits(
        workers=settings.workers,
        # The orchestrator limits conversions; what passed it is never refused here.
        waiting=sys.maxsize,
        seconds=settings.stage_seconds,
        memory_bytes=settings.worker_bytes,
    )
    pool = Pool(partial(prepare, settings.store, settings.store_bytes), limits, scratch)
    stack.push_async_callback(pool.close)
    await pool.start()
    return pool


async def _serve_until(
    stopped: asyncio.Event,
    service: HubService,
    orchestrator: Inline,
    store: LocalStore,
    settings: Settings,
) -> None:
    server = grpc.aio.server(
        interceptors=[Tokens(settings.token_file)] if settings.token_file else [],
        options=OPTIONS,
    )
    health = Health(server, hub_pb2.DESCRIPTOR, blob_pb2.DESCRIPTOR)
    blobs = BlobService(store)
    hub_pb2_grpc.add_HubServiceServicer_to_server(service, server)
    blobs.add_to(server)
    address = settings.listener().open(server)
    await server.start()
    orchestrator.resume()
    await health.serving()
    announce(address)
    await stopped.wait()
    _log.info("draining")
    await health.leaving()
    await orchestrator.drain(settings.drain_seconds)
    await server.stop(_GRACE_SECONDS)
    blobs.close()
