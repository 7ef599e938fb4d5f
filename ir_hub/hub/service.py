"""The gRPC service irhub.hub.v1.HubService: checks requests, and hands them on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import Any, NoReturn, TypeAlias, TypeVar

import grpc
import structlog
from google.protobuf import empty_pb2
from grpc_status import rpc_status

from ir_hub.blobs import LocalStore
from ir_hub.blobs.wire import blob_from_proto
from ir_hub.hub import requests
from ir_hub.hub.adapters import Adapters
from ir_hub.hub.inspection import Inspector
from ir_hub.hub.orchestrator.port import Orchestrator
from ir_hub.hub.plan import IR
from ir_hub.sdk import telemetry
from ir_hub.sdk.errors import Internal
from ir_hub.sdk.status import answer, fitted, to_status
from irhub.hub.v1 import hub_pb2, hub_pb2_grpc

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Request = TypeVar("Request")
Response = TypeVar("Response")

# Reasons that are the hub's alone.
_CODES = {
    "CONVERSION_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "NO_ADAPTER": grpc.StatusCode.NOT_FOUND,
    "REQUEST_ID_USED": grpc.StatusCode.ALREADY_EXISTS,
    "STILL_RUNNING": grpc.StatusCode.FAILED_PRECONDITION,
}
_log = structlog.get_logger()


def _answered(
    method: Callable[[HubService, Request, _Context], Awaitable[Response]],
) -> Callable[[HubService, Request, _Context], Awaitable[Response]]:
    """The method, with what it raises sent as the call's status."""

    @wraps(method)
    async def call(self: HubService, request: Request, context: _Context) -> Response:
        try:
            return await method(self, request, context)
        except Exception as error:
            await self.refuse(context, error)

    return call


class HubService(hub_pb2_grpc.HubServiceServicer):
    """hub.proto says what each call does and how it fails."""

    def __init__(
        self,
        orchestrator: Orchestrator,
        inspector: Inspector,
        adapters: Adapters,
        store: LocalStore,
    ) -> None:
        self._orchestrator = orchestrator
        self._inspector = inspector
        self._adapters = adapters
        self._store = store

    @_answered
    async def CreateConversion(
        self, request: hub_pb2.CreateConversionRequest, context: _Context
    ) -> hub_pb2.Conversion:
        """Starts a conversion."""
        requests.check_create(request)
        parent = dict(context.invocation_metadata() or ()).get("traceparent", "")
        with telemetry.span("CreateConversion", str(parent), "server"):
            return await self._created(request)

    async def _created(self, request: hub_pb2.CreateConversionRequest) -> hub_pb2.Conversion:
        spec = request.spec
        earlier = await self._orchestrator.find(spec, request.request_id)
        if earlier is not None:
            return earlier
        files = [blob_from_proto(file.blob) for file in spec.files]
        given = [blob_from_proto(value.data.blob) for value in spec.check_inputs]
        await asyncio.to_thread(self._store.require, [*files, *given])
        source = await self._inspector.source_of(spec.source, spec.files)
        if spec.target != IR:
            self._adapters.place(spec.target)
        return await self._orchestrator.submit(spec, request.request_id, source)

    @_answered
    async def GetConversion(
        self, request: hub_pb2.GetConversionRequest, context: _Context
    ) -> hub_pb2.Conversion:
        """Returns a conversion."""
        return await self._orchestrator.get(requests.check_conversion_name(request.name))

    @_answered
    async def ListConversions(
        self, request: hub_pb2.ListConversionsRequest, context: _Context
    ) -> hub_pb2.ListConversionsResponse:
        """Lists conversions, newest first."""
        size = requests.page_size(request.page_size)
        page = await self._orchestrator.list(size, request.page_token)
        return hub_pb2.ListConversionsResponse(
            conversions=page.conversions, next_page_token=page.next_token
        )

    @_answered
    async def CancelConversion(
        self, request: hub_pb2.CancelConversionRequest, context: _Context
    ) -> hub_pb2.Conversion:
        """Stops a conversion."""
        return await self._orchestrator.cancel(requests.check_conversion_name(request.name))

    @_answered
    async def DeleteConversion(
        self, request: hub_pb2.DeleteConversionRequest, context: _Context
    ) -> empty_pb2.Empty:
        """Forgets a conversion that has ended."""
        await self._orchestrator.delete(requests.check_conversion_name(request.name))
        return empty_pb2.Empty()

    async def WatchConversion(
        self, request: hub_pb2.WatchConversionRequest, context: _Context
    ) -> AsyncIterator[hub_pb2.WatchConversionResponse]:
        """Streams a conversion until it has ended."""
        try:
            name = requests.check_conversion_name(request.name)
            async for conversion in self._orchestrator.watch(name):
                yield hub_pb2.WatchConversionResponse(conversion=conversion)
        except Exception as error:
            await self.refuse(context, error)

    @_answered
    async def ListAdapters(
        self, request: hub_pb2.ListAdaptersRequest, context: _Context
    ) -> hub_pb2.ListAdaptersResponse:
        """Lists the adapters, those that don't answer too."""
        return hub_pb2.ListAdaptersResponse(adapters=await self._adapters.statuses())

    @_answered
    async def InspectModel(
        self, request: hub_pb2.InspectModelRequest, context: _Context
    ) -> hub_pb2.InspectModelResponse:
        """Returns a model's IR and what is in it."""
        requests.check_inspect(request)
        return await self._inspector.inspect(request)

    @_answered
    async def RecoverModel(
        self, request: hub_pb2.RecoverModelRequest, context: _Context
    ) -> hub_pb2.RecoverModelResponse:
        """Returns an IR with its high-level ops."""
        requests.check_model(request.model)
        return await self._inspector.recover(blob_from_proto(request.model))

    async def refuse(self, context: _Context, error: Exception) -> NoReturn:
        """Ends a call with what an error means."""
        meant = answer(error)
        if isinstance(meant, Internal):
            _log.error("call failed", exc_info=error)
        status = to_status(await asyncio.to_thread(fitted, meant, self._store.put_bytes))
        if meant.reason in _CODES:
            status.code = _CODES[meant.reason].value[0]
        sent = rpc_status.to_status(status)
        await context.abort(sent.code, sent.details, sent.trailing_metadata)
        raise AssertionError("abort raises")
