"""An adapter to be tested: one in this process, or one that is served at an address."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ir_hub.blobs.store import LocalStore
from ir_hub.blobs.wire import blob_from_proto, blob_to_proto
from ir_hub.ir.tensor import Blob
from ir_hub.ir.types import TensorType
from ir_hub.sdk import stages
from ir_hub.sdk.adapter import Adapter
from ir_hub.sdk.client import AdapterClient, NamedBlob
from ir_hub.sdk.tensors import Arrays, read_arrays, write_arrays, write_types
from ir_hub.sdk.worker import Job
from irhub.adapter.v1 import adapter_pb2


class Subject(Protocol):
    """What a test needs of an adapter. Blobs are in `store`; calls raise AdapterError."""

    store: LocalStore

    def description(self) -> adapter_pb2.DescribeResponse:
        """What the adapter says of itself."""

    def parse(self, files: Sequence[NamedBlob], inputs: Mapping[str, TensorType]) -> Blob:
        """A model of the framework as a serialised IR."""

    def emit(self, model: Blob) -> Sequence[NamedBlob]:
        """A serialised IR as a model of the framework, in its default format."""

    def run(self, files: Sequence[NamedBlob], inputs: Arrays) -> Arrays:
        """The outputs that the framework computes, in the model's order."""


class InProcess:
    """An adapter in this process, worked as a worker works it; `folder` is for its files."""

    def __init__(self, adapter: Adapter, folder: Path) -> None:
        self.store = LocalStore(folder)
        self._adapter = adapter

    def description(self) -> adapter_pb2.DescribeResponse:
        """What the adapter says of itself."""
        return stages.describe(self._adapter)

    def parse(self, files: Sequence[NamedBlob], inputs: Mapping[str, TensorType]) -> Blob:
        """A model of the framework as a serialised IR."""
        request = adapter_pb2.ParseRequest(files=_protos(files), inputs=write_types(inputs))
        with self.store.scratch() as scratch:
            result = stages.parse(self._adapter, request, self.store, _job(scratch))
        return blob_from_proto(result.model)

    def emit(self, model: Blob) -> Sequence[NamedBlob]:
        """A serialised IR as a model of the framework, in its default format."""
        request = adapter_pb2.EmitRequest(model=blob_to_proto(model))
        with self.store.scratch() as scratch:
            result = stages.emit(self._adapter, request, self.store, _job(scratch))
        return [NamedBlob(file.name, blob_from_proto(file.blob)) for file in result.files]

    def run(self, files: Sequence[NamedBlob], inputs: Arrays) -> Arrays:
        """The outputs that the framework computes, in the model's order."""
        values = write_arrays(inputs, self.store)
        request = adapter_pb2.RunRequest(files=_protos(files), inputs=values)
        with self.store.scratch() as scratch:
            result = stages.run(self._adapter, request, self.store, _job(scratch))
        return read_arrays(result.outputs, self.store)


class Served:
    """An adapter that is served at an address; to be used with `with`."""

    def __init__(self, address: str, folder: Path) -> None:
        self.store = LocalStore(folder)
        self._runner = asyncio.Runner()
        self._address = address

    def __enter__(self) -> Served:
        self._client = self._runner.run(self._connected())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._client.close())
        self._runner.close()

    def description(self) -> adapter_pb2.DescribeResponse:
        """What the adapter says of itself."""
        return self._runner.run(self._client.describe())

    def parse(self, files: Sequence[NamedBlob], inputs: Mapping[str, TensorType]) -> Blob:
        """A model of the framework as a serialised IR."""
        return self._runner.run(self._client.parse(files, inputs)).model

    def emit(self, model: Blob) -> Sequence[NamedBlob]:
        """A serialised IR as a model of the framework, in its default format."""
        return self._runner.run(self._client.emit(model)).files

    def run(self, files: Sequence[NamedBlob], inputs: Arrays) -> Arrays:
        """The outputs that the framework computes, in the model's order."""
        return self._runner.run(self._client.run(files, inputs))

    async def _connected(self) -> AdapterClient:
        # A channel belongs to the event loop that it is made in.
        return AdapterClient(self._address, self.store, shares_store=False)


def _job(scratch: Path) -> Job:
    folder = scratch / uuid.uuid4().hex
    folder.mkdir()
    return Job(lambda message, fraction: None, folder)


def _protos(files: Sequence[NamedBlob]) -> list[adapter_pb2.File]:
    return [adapter_pb2.File(name=f.name, blob=blob_to_proto(f.blob)) for f in files]
