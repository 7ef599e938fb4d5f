"""A typed Python client of a hub.

with HubClient("127.0.0.1:50051", LocalStore(Path("cache"))) as hub:
    files = hub.upload([Path("model.onnx")])
    conversion = hub.create(hub_pb2.ConversionSpec(files=files, target="pytorch"))
    for conversion in hub.watch(conversion.name):
        print(conversion.state)
    hub.download(conversion.files, Path("out"))
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from google.rpc import error_details_pb2

from ir_hub.blobs import BlobError, LocalStore
from ir_hub.blobs.remote import RemoteStore
from ir_hub.blobs.wire import blob_from_proto, blob_to_proto
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.errors import AdapterError, BadRequest, Unreachable
from ir_hub.sdk.stages import check_name
from ir_hub.sdk.status import answer, from_rpc, problems_of
from irhub.adapter.v1 import adapter_pb2
from irhub.blob.v1 import blob_pb2
from irhub.hub.v1 import hub_pb2, hub_pb2_grpc
from irhub.ir.v1 import ir_pb2

T = TypeVar("T")

ENDED = frozenset(
    (
        hub_pb2.Conversion.STATE_SUCCEEDED,
        hub_pb2.Conversion.STATE_FAILED,
        hub_pb2.Conversion.STATE_CANCELLED,
    )
)
_CALL_SECONDS = 60.0
_INSPECT_SECONDS = 3600.0
_RECONNECTS = 10
_PAUSE_SECONDS = 0.5


class HubClient:
    """Calls the hub at `address`; files pass through `store`, which may be the hub's own folder.

    Every call raises AdapterError: what the hub answered, or Unreachable.
    """

    def __init__(
        self,
        address: str,
        store: LocalStore,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self.address = address
        self.store = store
        self._channel = (
            grpc.insecure_channel(address)
            if credentials is None
            else grpc.secure_channel(address, credentials)
        )
        self._stub = hub_pb2_grpc.HubServiceStub(self._channel)
        self._remote = RemoteStore(self._channel, store, f"the hub at {address}")

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
        root = paths[0] if paths[0].is_dir() else paths[0].parent
        found = [path for given in paths for path in _files_in(given)]
        files = [self._put(path, check_name(_name_below(root, path))) for path in found]
        self.push(blob_from_proto(file.blob) for file in files)
        return files

    def _put(self, path: Path, name: str) -> adapter_pb2.File:
        try:
            return adapter_pb2.File(name=name, blob=blob_to_proto(self.store.put_file(path)))
        except ValueError as error:
            raise BadRequest(str(error)) from error

    def push(self, blobs: Iterable[Blob]) -> None:
        """Sends to the hub those blobs of the store that it doesn't have."""
        wanted = list(blobs)
        self._transfer(lambda: self._remote.push(wanted))

    def read(self, blob: blob_pb2.Blob) -> bytes:
        """The content of a blob that the hub has."""
        wanted = blob_from_proto(blob)
        self._transfer(lambda: self._remote.fetch([wanted]))
        return bytes(self.store.open(wanted))

    def download(self, files: Iterable[adapter_pb2.File], folder: Path) -> list[Path]:
        """Writes files into a folder; each appears whole or not at all."""
        blobs = {check_name(file.name): blob_from_proto(file.blob) for file in files}
        self._transfer(lambda: self._remote.fetch(blobs.values()))
        written = []
        for name, blob in blobs.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self.store.link_to(blob, path)
            written.append(path)
        return written

    def create(self, spec: hub_pb2.ConversionSpec, request_id: str = "") -> hub_pb2.Conversion:
        """Starts a conversion. With a request_id, a second call returns the first one's."""
        request = hub_pb2.CreateConversionRequest(spec=spec, request_id=request_id)
        return self._call(lambda: self._stub.CreateConversion(request, timeout=_CALL_SECONDS))

    def get(self, name: str) -> hub_pb2.Conversion:
        """A conversion as it is now."""
        request = hub_pb2.GetConversionRequest(name=name)
        return self._call(lambda: self._stub.GetConversion(request, timeout=_CALL_SECONDS))

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
        return self._call(lambda: self._stub.ListConversions(request, timeout=_CALL_SECONDS))

    def cancel(self, name: str) -> hub_pb2.Conversion:
        """Stops a conversion."""
        request = hub_pb2.CancelConversionRequest(name=name)
        return self._call(lambda: self._stub.CancelConversion(request, timeout=_CALL_SECONDS))

    def delete(self, name: str) -> None:
        """Forgets a conversion that has ended."""
        request = hub_pb2.DeleteConversionRequest(name=name)
        self._call(lambda: self._stub.DeleteConversion(request, timeout=_CALL_SECONDS))

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
                meant = self._meant(error)
                failures += 1
                if not isinstance(meant, Unreachable) or failures > _RECONNECTS:
                    raise meant from error
                time.sleep(_PAUSE_SECONDS)
            finally:
                stream.cancel()

    def adapters(self) -> Sequence[hub_pb2.AdapterStatus]:
        """The adapters that the hub knows, those that don't answer too."""
        request = hub_pb2.ListAdaptersRequest()
        response = self._call(lambda: self._stub.ListAdapters(request, timeout=_CALL_SECONDS))
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
        return self._call(lambda: self._stub.InspectModel(request, timeout=_INSPECT_SECONDS))

    def recover(self, model: Blob) -> hub_pb2.RecoverModelResponse:
        """An IR with its high-level ops."""
        request = hub_pb2.RecoverModelRequest(model=blob_to_proto(model))
        return self._call(lambda: self._stub.RecoverModel(request, timeout=_INSPECT_SECONDS))

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
        """What a call ended with, with all its problems, where its trailers hadn't room."""
        error = from_rpc(rpc_error)
        if isinstance(error, Unreachable):
            return Unreachable(
                f"The hub at {self.address} doesn't answer ({error}). Start it with `irhub up`, or "
                "try again in a moment."
            )
        digest = error.metadata.get("problems_digest")
        if digest is not None:
            size = int(error.metadata["problems_size_bytes"])
            content = self.read(blob_pb2.Blob(digest=digest, size_bytes=size))
            error.problems = tuple(problems_of(error_details_pb2.BadRequest.FromString(content)))
        return error

    def _transfer(self, transfer: Callable[[], None]) -> None:
        try:
            transfer()
        except BlobError as error:
            raise answer(error) from error


def _files_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file())


def _name_below(root: Path, path: Path) -> str:
    try:
        return PurePosixPath(path.absolute().relative_to(root.absolute())).as_posix()
    except ValueError:
        raise BadRequest(
            f"{path} isn't below {root}, the folder of the model's first file: put a model's "
            "files into one folder"
        ) from None
