"""A typed asyncio client of an adapter's service: models, IR and tensors go as blobs of a store."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
import numpy as np
from google.rpc import error_details_pb2

from ir_hub.blobs.errors import BlobError
from ir_hub.blobs.remote import RemoteStore
from ir_hub.blobs.store import LocalStore
from ir_hub.blobs.wire import blob_from_proto, blob_to_proto
from ir_hub.ir.tensor import Blob
from ir_hub.ir.types import TensorType
from ir_hub.sdk import telemetry
from ir_hub.sdk.errors import AdapterError, Internal
from ir_hub.sdk.security import PLAIN, Access
from ir_hub.sdk.status import answer, from_rpc, problems_of
from ir_hub.sdk.tensors import Arrays, read_arrays, write_arrays, write_types
from ir_hub.sdk.worker import Progress
from irhub.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from irhub.blob.v1 import blob_pb2, blob_pb2_grpc
from irhub.ir.v1 import ir_pb2

T = TypeVar("T")
Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class NamedBlob:
    """A model's file: its name, such as "model.onnx", and its content."""

    name: str
    blob: Blob


@dataclass(frozen=True)
class Parsed:
    """A parsed model: a serialised irhub.ir.v1.Model, and what a person should know."""

    model: Blob
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """A written model: files, code first; notes; source weight names by their new names; the open
    sizes that it has fixed, by symbol."""

    files: tuple[NamedBlob, ...]
    notes: tuple[str, ...]
    weight_names: dict[str, str]
    fixed_sizes: dict[str, int]


def quiet(_: Progress) -> None:
    """Takes progress and does nothing with it."""


async def connect(
    address: str, store: LocalStore, access: Access = PLAIN, name: str = "", seconds: float = 10.0
) -> AdapterClient:
    """A client of the service at `address`, which answers within so many seconds. Blobs are sent,
    unless it has one that only this store can have: then both use the same folder.

    Raises:
        AdapterError: Unreachable or TimedOut, if it doesn't answer.
    """
    marker = await _answered(asyncio.to_thread(store.put_bytes, secrets.token_bytes(32)))
    request = blob_pb2.FindMissingBlobsRequest(blobs=[blob_to_proto(marker)])
    async with access.aio_channel(address, name) as channel:
        stub: Any = blob_pb2_grpc.BlobServiceStub(channel)
        try:
            found = await stub.FindMissingBlobs(request, timeout=seconds)
        except grpc.RpcError as error:
            raise from_rpc(error) from error
    shares = not found.missing_blobs
    return AdapterClient(address, store, shares_store=shares, access=access, name=name)


class AdapterClient:
    """Calls the service at `address`. What goes there is in `store`, what comes is put there.

    With `shares_store` the service uses the same folder, and nothing is sent. To be used with
    `async with`, or closed. Every call raises AdapterError: the service's answer, or Unreachable;
    a call that is cancelled stops the service's work.
    """

    def __init__(
        self,
        address: str,
        store: LocalStore,
        *,
        shares_store: bool,
        access: Access = PLAIN,
        name: str = "",
    ) -> None:
        """`name` is what the service's certificate has to say, where the address doesn't."""
        self.shares_store = shares_store
        self._store = store
        self._remote: RemoteStore | None = None
        self._blobs: grpc.Channel | None = None
        self._channel = access.aio_channel(address, name)
        if not shares_store:
            self._blobs = access.channel(address, name)
            self._remote = RemoteStore(self._blobs, store, address)
        self._stub: adapter_pb2_grpc.AdapterServiceAsyncStub
        self._stub = adapter_pb2_grpc.AdapterServiceStub(self._channel)  # type: ignore[assignment]

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
        if self._blobs is not None:
            self._blobs.close()

    async def describe(self, seconds: float = 30.0) -> adapter_pb2.DescribeResponse:
        """What the adapter is and can do."""
        try:
            return await self._stub.Describe(adapter_pb2.DescribeRequest(), timeout=seconds)
        except grpc.RpcError as error:
            raise from_rpc(error) from error

    async def parse(
        self,
        files: Sequence[NamedBlob],
        inputs: Mapping[str, TensorType] | None = None,
        options: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
        request_id: str = "",
        tell: Tell = quiet,
    ) -> Parsed:
        """Reads a model into the IR; the model itself is the first file."""
        await self._push(file.blob for file in files)
        request = adapter_pb2.ParseRequest(
            files=_files(files), inputs=write_types(inputs or {}), options=options or {}
        )
        call = self._stub.Parse(request, timeout=seconds, metadata=_metadata(request_id))
        result: adapter_pb2.ParseResult = await self._result(call, tell)
        blob = blob_from_proto(result.model)
        await self._fetch([blob])
        await self._fetch(self._referred(blob))
        return Parsed(blob, tuple(result.notes))

    async def emit(
        self,
        model: Blob,
        format_name: str = "",
        options: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
        request_id: str = "",
        tell: Tell = quiet,
    ) -> Written:
        """Writes the IR as a model of the framework."""
        await self._push([model])
        await self._push(self._referred(model))
        request = adapter_pb2.EmitRequest(
            model=blob_to_proto(model), format=format_name, options=options or {}
        )
        call = self._stub.Emit(request, timeout=seconds, metadata=_metadata(request_id))
        result: adapter_pb2.EmitResult = await self._result(call, tell)
        files = tuple(NamedBlob(f.name, blob_from_proto(f.blob)) for f in result.files)
        await self._fetch(file.blob for file in files)
        return Written(
            files, tuple(result.notes), dict(result.weight_names), dict(result.fixed_sizes)
        )

    async def run(
        self,
        files: Sequence[NamedBlob],
        inputs: Mapping[str, np.ndarray[Any, Any]],
        options: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
        request_id: str = "",
        tell: Tell = quiet,
    ) -> Arrays:
        """Runs a model by its framework; outputs by name, in the model's order."""
        values = await asyncio.to_thread(write_arrays, inputs, self._store)
        await self._push([*(file.blob for file in files), *_data(values)])
        request = adapter_pb2.RunRequest(files=_files(files), inputs=values, options=options or {})
        call = self._stub.Run(request, timeout=seconds, metadata=_metadata(request_id))
        result: adapter_pb2.RunResult = await self._result(call, tell)
        await self._fetch(_data(result.outputs))
        return read_arrays(result.outputs, self._store)

    async def _result(self, call: AsyncIterable[Any], tell: Tell) -> Any:
        """Passes on a stream's progress and returns its result."""
        try:
            async for event in call:
                if event.WhichOneof("event") == "result":
                    return event.result
                tell(Progress(event.progress.message, event.progress.fraction))
        except grpc.RpcError as error:
            raise await self._complete(from_rpc(error)) from error
        finally:
            call.cancel()  # type: ignore[attr-defined]
        raise Internal("the adapter ended the stream without a result: report it to its authors")

    async def _complete(self, error: AdapterError) -> AdapterError:
        """The error with all its problems, where a call's trailers hadn't room for them."""
        digest = error.metadata.get("problems_digest")
        if digest is None:
            return error
        blob = Blob(digest, int(error.metadata["problems_size_bytes"]))
        await self._fetch([blob])
        request = error_details_pb2.BadRequest.FromString(bytes(self._store.open(blob)))
        error.problems = tuple(problems_of(request))
        return error

    def _referred(self, model: Blob) -> list[Blob]:
        """The blobs that hold the weights of a serialised model; only needed when they travel."""
        if self._remote is None:
            return []
        graph = ir_pb2.Model.FromString(bytes(self._store.open(model))).graph
        return list(dict.fromkeys(_weights(graph)))

    async def _push(self, blobs: Iterable[Blob]) -> None:
        if self._remote is not None:
            await _answered(asyncio.to_thread(self._remote.push, list(blobs)))

    async def _fetch(self, blobs: Iterable[Blob]) -> None:
        if self._remote is not None:
            await _answered(asyncio.to_thread(self._remote.fetch, list(blobs)))


async def _answered(transfer: Awaitable[T]) -> T:
    try:
        return await transfer
    except BlobError as error:
        raise answer(error) from error


def _weights(graph: ir_pb2.Graph) -> list[Blob]:
    """The blobs of the constants of a graph and its bodies."""
    found, graphs = [], [graph]
    while graphs:
        graph = graphs.pop()
        found += _data(graph.weights)
        graphs += [a.body for node in graph.nodes for a in node.arguments if a.HasField("body")]
    return found


def _data(values: Iterable[ir_pb2.Value]) -> list[Blob]:
    return [blob_from_proto(value.data.blob) for value in values]


def _files(files: Iterable[NamedBlob]) -> list[adapter_pb2.File]:
    return [adapter_pb2.File(name=f.name, blob=blob_to_proto(f.blob)) for f in files]


def _metadata(request_id: str) -> tuple[tuple[str, str], ...]:
    said = {"x-request-id": request_id, "traceparent": telemetry.traceparent()}
    return tuple((key, value) for key, value in said.items() if value)
