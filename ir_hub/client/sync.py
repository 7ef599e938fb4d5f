"""A typed client of a hub."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


class HubClient:
    """Calls the hub at `address`; files pass through `store`, which may be the hub's own folder.

    Every call raises AdapterError: what the hub answered, or Unreachable.
    """

    def __init__(self, address: str, store: LocalStore, access: Access = PLAIN) -> None:
        self.address = address
        self.store = store
        self._channel = access.channel(address)
        self._stub = hub_pb2_grpc.HubServiceStub(self._channel)
        self._files = Transfer(store, RemoteStore(self._channel, store, f"the hub at {address}"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def upload(self, paths: Sequence[Path]) -> list[adapter_pb2.File]:
        """Files and folders as files of a model, named relative to the first one's folder.

        Raises:
            FileNotFoundError: there is no such file.
            BadRequest: a file isn't one, can't be named in a model, or isn't below the first
                one's folder.
        """
        return self._files.upload(paths)

    def push(self, blobs: Iterable[Blob]) -> None:
        """Sends to the hub those blobs of the store that it doesn't have."""
        self._files.push(blobs)

    def read(self, blob: blob_pb2.Blob) -> bytes:
        """The content of a blob that the hub has."""
        return self._files.read(blob_from_proto(blob))

    def download(self, files: Iterable[adapter_pb2.File], folder: Path) -> list[Path]:
        """Writes files into a folder; each appears whole or not at all."""
        return self._files.download(files, folder)

    def create(self, spec: hub_pb2.ConversionSpec, request_id: str = "") -> hub_pb2.Conversion:
        """Starts a conversion. With a request_id, a second call returns the first one's."""
        request = hub_pb2.CreateConversionRequest(spec=spec, request_id=request_id)
        return self._call(lambda: self._stub.CreateConversion(request, timeout=CALL_SECONDS))

    def get(self, name: str) -> hub_pb2.Conversion:
        """A conversion as it is now."""
        request = hub_pb2.GetConversionRequest(name=name)
        return self._call(lambda: self._stub.GetConversion(request, timeout=CALL_SECONDS))

    def list(self) -> Iterator[hub_pb2.Conversion]:
        """All conversions, newest first."""
        token = None
        while token != "":
            page = self.page(token or "")
            yield from page.conversions
            token = page.next_page_token

    def page(self, token: str = "") -> hub_pb2.ListConversionsResponse:
        """A page of conversions, newest first; the first one, or the one of a token."""
        request = hub_pb2.ListConversionsRequest(page_token=token)
        return self._call(lambda: self._stub.ListConversions(request, timeout=CALL_SECONDS))

    def cancel(self, name: str) -> hub_pb2.Conversion:
        """Stops a conversion."""
        request = hub_pb2.CancelConversionRequest(name=name)
        return self._call(lambda: self._stub.CancelConversion(request, timeout=CALL_SECONDS))

    def delete(self, name: str) -> None:
        """Forgets a conversion that has ended."""
        request = hub_pb2.DeleteConversionRequest(name=name)
        self._call(lambda: self._stub.DeleteConversion(request, timeout=CALL_SECONDS))

    def watch(self, name: str) -> Iterator[hub_pb2.Conversion]:
        """A conversion as it is now, then after every change, until it has ended. A connection
        that breaks is made anew."""
        failures = 0
        while True:
            request = hub_pb2.WatchConversionRequest(name=name)
            stream = self._stub.WatchConversion(request)
            try:
                for response in stream:
                    failures = 0
                    yield response.conversion
                    if response.conversion.state in ENDED:
                        return
            except grpc.RpcError as error:
                found = self._meant(error)
                failures += 1
                if not isinstance(found, Unreachable) or failures > RECONNECTS:
                    raise found from error
                time.sleep(PAUSE_SECONDS)
            finally:
                stream.cancel()

    def adapters(self) -> Sequence[hub_pb2.AdapterStatus]:
        """The adapters that the hub knows, those that don't answer too."""
        request = hub_pb2.ListAdaptersRequest()
        response = self._call(lambda: self._stub.ListAdapters(request, timeout=CALL_SECONDS))
        return response.adapters

    def inspect(
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
        return self._call(lambda: self._stub.InspectModel(request, timeout=INSPECT_SECONDS))

    def recover(self, model: Blob) -> hub_pb2.RecoverModelResponse:
        """An IR with its high-level ops."""
        request = hub_pb2.RecoverModelRequest(model=blob_to_proto(model))
        return self._call(lambda: self._stub.RecoverModel(request, timeout=INSPECT_SECONDS))

    def report(self, conversion: hub_pb2.Conversion) -> Mapping[str, Any]:
        """The report of a conversion that has ended."""
        found: Mapping[str, Any] = json.loads(self.read(conversion.report))
        return found

    def _call(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except grpc.RpcError as error:
            raise self._meant(error) from error

    def _meant(self, rpc_error: grpc.RpcError) -> AdapterError:
        error = meant(self.address, rpc_error)
        problems = problems_blob(error)
        if problems is not None:
            add_problems(error, self._files.read(problems))
        return error
