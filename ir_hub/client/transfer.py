"""Files and blobs between this machine and a hub; every error is an AdapterError."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from ir_hub.blobs import BlobError, LocalStore
from ir_hub.blobs.remote import RemoteStore
from ir_hub.blobs.wire import blob_from_proto, blob_to_proto
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.errors import BadRequest
from ir_hub.sdk.stages import check_name
from ir_hub.sdk.status import answer
from irhub.adapter.v1 import adapter_pb2


class Transfer:
    """Files pass through `store`, which may be the hub's own folder; the hub's is `remote`."""

    def __init__(self, store: LocalStore, remote: RemoteStore) -> None:
        self.store = store
        self._remote = remote

    def upload(self, paths: Sequence[Path]) -> list[adapter_pb2.File]:
        """See `HubClient.upload`."""
        root = paths[0] if paths[0].is_dir() else paths[0].parent
        found = [path for given in paths for path in _files_in(given)]
        files = [self._put(path, check_name(_name_below(root, path))) for path in found]
        self.push(blob_from_proto(file.blob) for file in files)
        return files

    def push(self, blobs: Iterable[Blob]) -> None:
        """See `HubClient.push`."""
        wanted = list(blobs)
        _answered(lambda: self._remote.push(wanted))

    def read(self, blob: Blob) -> bytes:
        """The content of a blob that the hub has."""
        _answered(lambda: self._remote.fetch([blob]))
        return bytes(self.store.open(blob))

    def download(self, files: Iterable[adapter_pb2.File], folder: Path) -> list[Path]:
        """See `HubClient.download`."""
        blobs = {check_name(file.name): blob_from_proto(file.blob) for file in files}
        _answered(lambda: self._remote.fetch(blobs.values()))
        written = []
        for name, blob in blobs.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self.store.link_to(blob, path)
            written.append(path)
        return written

    def _put(self, path: Path, name: str) -> adapter_pb2.File:
        try:
            return adapter_pb2.File(name=name, blob=blob_to_proto(self.store.put_file(path)))
        except ValueError as error:
            raise BadRequest(str(error)) from error


def _answered(transfer: Callable[[], None]) -> None:
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
