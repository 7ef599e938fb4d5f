"""A typed client of a hub for asyncio, with the calls of HubClient."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from ir_hub.blobs import LocalStore
from ir_hub.blobs.remote import RemoteStore
from ir_hub.blobs.wire import blob_from_proto, blob_to_proto
from ir_hub.client.answers import (
    CALL_SECONDS,
    ENDED,
    INSPECT_SECONDS,
    PAUSE_SECONDS,
    RECONNECTS,
    add_problems,
    meant,
    problems_blob,
)
from ir_hub.client.transfer import Transfer
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.errors import AdapterError, Unreachable
from ir_hub.sdk.security import PLAIN, Access
from irhub.adapter.v1 import adapter_pb2
from irhub.blob.v1 import blob_pb2
from irhub.hub.v1 import hub_pb2, hub_pb2_grpc
from irhub.ir.v1 import ir_pb2

T = TypeVar("T")


class AsyncHubClient:
    """Calls the hub at `address`; files pass through `store`, which may be the hub's own folder.

    Every call raises AdapterError: what the hub answered, or Unreachable. To be used with
    `async with`, or closed. HubClient's methods say more.
    """

    def __init__(self, address: str, store: LocalStore, access: Access = PLAIN) -> None:
        self.address = address
        self.store = store
        self._channel = access.aio_channel(address)
        self._blobs = access.channel(address)
        self._stub: hub_pb2_grpc.HubServiceAsyncStub
        self._stub = hub_pb2_grpc.HubServiceStub(self._channel)  # type: ignore[assignment]
        self._files = Transfer(store, RemoteStore(self._blobs, store, f"the hub at {address}"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections; calls that run are cancelled."""
        await self._channel.close()
        self._blobs.close()

    async def upload(self, paths: Sequence[Path]) -> list[adapter_pb2.File]:
        """Files and folders as files of a model, named relative to the first one's folder."""
        return await asyncio.to_thread(self._files.upload, paths)

    async def push(self, blobs: Iterable[Blob]) -> None:
        """Sends to the hub those blobs of the store that it doesn't have."""
        await asyncio.to_thread(self._files.push, blobs)

    async def read(self, blob: blob_pb2.Blob) -> bytes:
        """The content of a blob that the hub has."""
        return await asyncio.to_thread(self._files.read, blob_from_proto(blob))

    async def download(self, files: Iterable[adapter_pb2.File], folder: Path) -> list[Path]:
        """Writes files into a folder; each appears whole or not at all."""
        return await asyncio.to_thread(self._files.download, files, folder)

    async def create(
        self, spec: hub_pb2.ConversionSpec, request_id: str = ""
    ) -> hub_pb2.Conversion:
        """Starts a conversion. With a request_id, a second call returns the first one's."""
        request = hub_pb2.CreateConversionRequest(spec=spec, request_id=request_id)
        return await self._call(self._stub.CreateConversion(request, timeout=CALL_SECONDS))

    async def get(self, name: str) -> hub_pb2.Conversion:
        """A conversion as it is now."""
        request = hub_pb2.GetConversionRequest(name=name)
        return await self._call(self._stub.GetConversion(request, timeout=CALL_SECONDS))

    async def list(self) -> AsyncIterator[hub_pb2.Conversion]:
        """All conversions, newest first."""
        token = None
        while token != "":
            page = await self.page(token or "")
            for conversion in page.conversions:
                yield conversion
            token = page.next_page_token

    async def page(self, token: str = "") -> hub_pb2.ListConversionsResponse:
        """A page of conversions, newest first; the first one, or the one of a token."""
        request = hub_pb2.ListConversionsRequest(page_token=token)
        return await self._call(self._stub.ListConversions(request, timeout=CALL_SECONDS))

    async def cancel(self, name: str) -> hub_pb2.Conversion:
        """Stops a conversion."""
        request = hub_pb2.CancelConversionRequest(name=name)
        return await self._call(self._stub.CancelConversion(request, timeout=CALL_SECONDS))

    async def delete(self, name: str) -> None:
        """Forgets a conversion that has ended."""
        request = hub_pb2.DeleteConversionRequest(name=name)
        await self._call(self._stub.DeleteConversion(request, timeout=CALL_SECONDS))

    async def watch(self, name: str) -> AsyncIterator[hub_pb2.Conversion]:
        """A conversion as it is now, then after every change, until it has ended. A connection
        that breaks is made anew."""
        failures = 0
        while True:
            stream = self._stub.WatchConversion(hub_pb2.WatchConversionRequest(name=name))
            try:
                async for response in stream:
                    failures = 0
                    yield response.conversion
                    if response.conversion.state in ENDED:
                        return
            except grpc.RpcError as error:
                found = await self._meant(error)
                failures += 1
                if not isinstance(found, Unreachable) or failures > RECONNECTS:
                    raise found from error
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                stream.cancel()

    async def adapters(self) -> Sequence[hub_pb2.AdapterStatus]:
        """The adapters that the hub knows, those that don't answer too."""
        request = hub_pb2.ListAdaptersRequest()
        response = await self._call(self._stub.ListAdapters(request, timeout=CALL_SECONDS))
        return response.adapters

    async def inspect(
        self,
        files: Sequence[adapter_pb2.File],
        source: str = "",
        inputs: Mapping[str, ir_pb2.TensorType] | None = None,
        *,
        recover: bool = False,
    ) -> hub_pb2.InspectModelResponse:
        """What is in a model."""
        request = hub_pb2.InspectModelRequest(
            files=files, source=source, inputs=inputs or {}, recover=recover
        )
        return await self._call(self._stub.InspectModel(request, timeout=INSPECT_SECONDS))

    async def recover(self, model: Blob) -> hub_pb2.RecoverModelResponse:
        """An IR with its high-level ops."""
        request = hub_pb2.RecoverModelRequest(model=blob_to_proto(model))
        return await self._call(self._stub.RecoverModel(request, timeout=INSPECT_SECONDS))

    async def report(self, conversion: hub_pb2.Conversion) -> Mapping[str, Any]:
        """The report of a conversion that has ended."""
        found: Mapping[str, Any] = json.loads(await self.read(conversion.report))
        return found

    async def _call(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except grpc.RpcError as error:
            raise await self._meant(error) from error

    async def _meant(self, rpc_error: grpc.RpcError) -> AdapterError:
        """What a call ended with, with all its problems, where its trailers hadn't room."""
        error = meant(self.address, rpc_error)
        problems = problems_blob(error)
        if problems is not None:
            add_problems(error, await asyncio.to_thread(self._files.read, problems))
        return error
