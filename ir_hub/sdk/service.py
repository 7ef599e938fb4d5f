"""The gRPC service irhub.adapter.v1.AdapterService: hands calls to workers and back."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf.message import Message
from grpc_status import rpc_status

from ir_hub.blobs.store import LocalStore
from ir_hub.sdk import telemetry
from ir_hub.sdk.errors import AdapterError
from ir_hub.sdk.pool import Pool
from ir_hub.sdk.status import answer, fitted, to_status
from ir_hub.sdk.worker import Progress
from irhub.adapter.v1 import adapter_pb2, adapter_pb2_grpc

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
_log = structlog.get_logger()

# Is told of every call that has ended: stage, outcome, seconds.
Observe = Callable[[str, str, float], None]


class AdapterService(adapter_pb2_grpc.AdapterServiceServicer):
    """Serves a pool whose workers offer the stages. adapter.proto says what each call does.

    The stages are coroutines that write, not generators: a coroutine is cancelled wherever it
    waits, a generator only when the next event is asked for.
    """

    def __init__(
        self,
        pool: Pool,
        description: adapter_pb2.DescribeResponse,
        store: LocalStore,
        observe: Observe,
    ) -> None:
        self._pool = pool
        self._description = description
        self._store = store
        self._observe = observe

    async def Describe(
        self, request: adapter_pb2.DescribeRequest, context: _Context
    ) -> adapter_pb2.DescribeResponse:
        """Says what the adapter is and can do."""
        return self._description

    async def Parse(  # type: ignore[override]
        self, request: adapter_pb2.ParseRequest, context: _Context
    ) -> None:
        """Reads a model into the IR."""

        def event(progress: Progress) -> Message:
            return adapter_pb2.ParseResponse(progress=_progress(progress))

        result = adapter_pb2.ParseResult.FromString(await self._run(request, context, event))
        await context.write(adapter_pb2.ParseResponse(result=result))

    async def Emit(  # type: ignore[override]
        self, request: adapter_pb2.EmitRequest, context: _Context
    ) -> None:
        """Writes the IR as a model."""

        def event(progress: Progress) -> Message:
            return adapter_pb2.EmitResponse(progress=_progress(progress))

        result = adapter_pb2.EmitResult.FromString(await self._run(request, context, event))
        await context.write(adapter_pb2.EmitResponse(result=result))

    async def Run(  # type: ignore[override]
        self, request: adapter_pb2.RunRequest, context: _Context
    ) -> None:
        """Runs a model."""

        def event(progress: Progress) -> Message:
            return adapter_pb2.RunResponse(progress=_progress(progress))

        result = adapter_pb2.RunResult.FromString(await self._run(request, context, event))
        await context.write(adapter_pb2.RunResponse(result=result))

    async def _run(
        self, request: Message, context: _Context, event: Callable[[Progress], Message]
    ) -> bytes:
        """Has a worker do what a request asks; ends the call when that fails."""
        stage = _STAGES[type(request)]
        given = dict(context.invocation_metadata() or ())
        bound = {"request_id": _request_id(given), "stage": stage}
        log, begun = _log.bind(**bound), time.monotonic()
        outcome = "CANCELLED"
        try:
            with telemetry.span(stage, str(given.get("traceparent", "")), "server", **bound):
                result = await self._pool.run(
                    stage,
                    request.SerializeToString(),
                    lambda progress: context.write(event(progress)),
                    bound,
                )
            outcome = "OK"
            return result
        except Exception as error:
            outcome = answer(error).reason
            if not isinstance(error, AdapterError):  # what a worker raised is in its own log
                log.error("call failed", exc_info=error)
            await self._refuse(context, error)
        finally:
            seconds = time.monotonic() - begun
            self._observe(stage, outcome, seconds)
            log.info("call", outcome=outcome, seconds=round(seconds, 3))

    async def _refuse(self, context: _Context, error: Exception) -> NoReturn:
        short = await asyncio.to_thread(fitted, answer(error), self._store.put_bytes)
        status = rpc_status.to_status(to_status(short))
        await context.abort(status.code, status.details, status.trailing_metadata)
        raise AssertionError("abort raises")


_STAGES: dict[type[Message], str] = {
    adapter_pb2.ParseRequest: "parse",
    adapter_pb2.EmitRequest: "emit",
    adapter_pb2.RunRequest: "run",
}


def _progress(progress: Progress) -> adapter_pb2.Progress:
    return adapter_pb2.Progress(message=progress.message, fraction=progress.fraction)


def _request_id(metadata: Mapping[str, str | bytes]) -> str:
    """The caller's own id for the request, from `x-request-id`; else a new one."""
    given = metadata.get("x-request-id", "")
    text = given if isinstance(given, str) else ""
    return text if _REQUEST_ID.fullmatch(text) else uuid.uuid4().hex
