"""The blobs of another process: fetched into a local store, and pushed from it."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import FileIO
from typing import TypeVar

import grpc

from ir_hub.blobs.chunks import BlobCalls
from ir_hub.blobs.errors import BlobNotFound, BlobServiceError
from ir_hub.blobs.incoming import Incoming
from ir_hub.blobs.store import LocalStore
from ir_hub.blobs.wire import CHUNK_BYTES, blob_from_proto, blob_to_proto, error_of
from ir_hub.ir.tensor import Blob
from irhub.blob.v1 import blob_pb2

# What passes by itself: the other side restarts, is busy, or a connection breaks.
_PASSING = {
    "ABORTED",
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "INTERNAL",
    "TOO_MANY_UPLOADS",
    "UNAVAILABLE",
    "UPLOAD_OFFSET",
}
_FIRST_PAUSE_SECONDS = 0.2
_BLOBS_PER_REQUEST = 1000
# A stream slower than this counts as stuck; the next attempt goes on where it was.
_BYTES_PER_SECOND = 1 << 20
_CALL_SECONDS = 30.0

_T = TypeVar("_T")


class RemoteStore:
    """A blob service seen from a process with a local store, its `cache`.

    Interrupted transfers go on where they were; only `attempts` failures in a row without a byte
    in between are an error. `where` names the service in messages.
    """

    def __init__(
        self,
        channel: grpc.Channel,
        cache: LocalStore,
        where: str = "the other end",
        attempts: int = 5,
    ) -> None:
        self._calls = BlobCalls(channel)
        self._cache = cache
        self._where = where
        self._attempts = attempts

    def missing(self, blobs: Iterable[Blob]) -> list[Blob]:
        """Those of the blobs that the service doesn't have, once each."""
        asked = list(dict.fromkeys(blobs))
        lost: list[Blob] = []
        for start in range(0, len(asked), _BLOBS_PER_REQUEST):
            part = asked[start : start + _BLOBS_PER_REQUEST]
            request = blob_pb2.FindMissingBlobsRequest(blobs=map(blob_to_proto, part))
            ask = partial(self._calls.find_missing, request, timeout=_CALL_SECONDS)
            lost += map(blob_from_proto, self._insist(ask).missing_blobs)
        return lost

    def fetch(self, blobs: Iterable[Blob]) -> None:
        """Brings into the cache those blobs that aren't there.

        Raises:
            BlobNotFound: the service doesn't have them; all such blobs are listed.
            DigestMismatch: it sent something else.
            StoreFull: the cache has no room.
            BlobServiceError: it refused, or can't be reached.
        """
        wanted = self._cache.missing(blobs)
        lost = self.missing(wanted)
        if lost:
            raise BlobNotFound([blob.digest for blob in lost], self._where)
        for blob in wanted:
            self._fetch(blob)

    def push(self, blobs: Iterable[Blob]) -> None:
        """Sends from the cache those blobs that the service doesn't have.

        Raises:
            BlobNotFound: they aren't in the cache; all such blobs are listed.
            StoreFull: the service has no room.
            BlobServiceError: it refused, or can't be reached.
        """
        blobs = list(blobs)
        self._cache.require(blobs)
        for blob in self.missing(blobs):
            self._push(blob)

    def _fetch(self, blob: Blob) -> None:
        with self._cache.incoming(blob.size) as incoming:
            self._insist(lambda: self._read(blob, incoming), lambda: incoming.size)
            self._cache.commit(incoming, blob)

    def _push(self, blob: Blob) -> None:
        with open(self._cache.path(blob), "rb", buffering=0) as content:
            upload = _Outgoing(self._calls, blob, content)
            self._insist(upload.send, lambda: upload.committed)

    def _read(self, blob: Blob, incoming: Incoming) -> None:
        if incoming.size >= blob.size:
            return
        request = blob_pb2.ReadBlobRequest(blob=blob_to_proto(blob), read_offset=incoming.size)
        call = self._calls.read(request, timeout=_timeout(blob.size - incoming.size))
        try:
            # The next chunk arrives while this one is hashed and written.
            with ThreadPoolExecutor(1) as writer:
                writing = writer.submit(incoming.write, b"")
                for data in call:
                    writing.result()
                    if incoming.size > blob.size:
                        # Too much already: commit will say so.
                        return
                    writing = writer.submit(incoming.write, data)
                writing.result()
        finally:
            call.cancel()

    def _insist(self, attempt: Callable[[], _T], progress: Callable[[], int] = lambda: 0) -> _T:
        """Tries until it works, fails for good, or fails too often without progress."""
        failures, before = 0, progress()
        while True:
            try:
                return attempt()
            except grpc.RpcError as error:
                meant = error_of(error, self._where)
                if not isinstance(meant, BlobServiceError) or meant.reason not in _PASSING:
                    raise meant from error
                after = progress()
                failures = 1 if after > before else failures + 1
                before = after
                if failures >= self._attempts:
                    raise meant from error
            time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (failures - 1))


class _Outgoing:
    """One upload, that goes on where the service says it is."""

    def __init__(self, calls: BlobCalls, blob: Blob, content: FileIO) -> None:
        self.committed = 0
        self._calls = calls
        self._blob = blob
        self._content = content
        self._upload_id = uuid.uuid4().hex
        self._begun = False

    def send(self) -> None:
        """Sends the rest; to be called again after a failure."""
        if self._begun:
            request = blob_pb2.QueryWriteRequest(
                blob=blob_to_proto(self._blob), upload_id=self._upload_id
            )
            status = self._calls.query_write(request, timeout=_CALL_SECONDS)
            self.committed = status.committed_size_bytes
            if status.complete:
                return
        self._begun = True
        timeout = _timeout(self._blob.size - self.committed)
        self._calls.write(self._messages(self.committed), timeout=timeout)

    def _messages(self, start: int) -> Iterator[blob_pb2.WriteBlobRequest | bytes]:
        yield blob_pb2.WriteBlobRequest(
            blob=blob_to_proto(self._blob),
            upload_id=self._upload_id,
            write_offset=start,
            data=self._chunk(start),
        )
        for offset in range(start + CHUNK_BYTES, self._blob.size, CHUNK_BYTES):
            yield self._chunk(offset)

    def _chunk(self, offset: int) -> bytes:
        # Not from a mapping: its pages would count as this process's memory.
        return os.pread(self._content.fileno(), CHUNK_BYTES, offset)


def _timeout(size: int) -> float:
    return _CALL_SECONDS + size / _BYTES_PER_SECOND
