"""Blobs that are arriving at a service, over one stream or several after interruptions."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass

from ir_hub.blobs.digest import Data
from ir_hub.blobs.errors import BlobServiceError, DigestMismatch
from ir_hub.blobs.incoming import Incoming
from ir_hub.blobs.store import LocalStore
from ir_hub.ir.tensor import Blob

_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True)
class Limits:
    """What a blob service takes from its clients."""

    blob_bytes: int = 64 << 30
    """The largest blob."""
    uploads: int = 64
    """Unfinished uploads at a time."""
    unfinished_bytes: int = 256 << 30
    """The announced sizes of all unfinished uploads together."""
    blobs_per_request: int = 10_000
    """Blobs that one FindMissingBlobs may name."""
    idle_seconds: float = 600.0
    """After so long without data an unfinished upload may be forgotten."""


class Upload:
    """One arriving blob. Calls may come from any thread; the last stream that writes wins."""

    def __init__(self, blob: Blob, incoming: Incoming) -> None:
        self.blob = blob
        self.used = time.monotonic()
        self._incoming = incoming
        self._mutex = threading.Lock()
        self._open = True

    @property
    def committed(self) -> int:
        """How many bytes have arrived; waits for a write that is under way."""
        with self._mutex:
            return self._incoming.size

    def write(self, offset: int, data: Data) -> int:
        """Appends data and returns the new length.

        Raises:
            BlobServiceError: UPLOAD_OFFSET, the data doesn't begin where the upload ends.
            DigestMismatch: there are more bytes than announced.
            StoreFull: the disk is full.
        """
        with self._mutex:
            size = self._incoming.size
            if offset != size or not self._open:
                raise BlobServiceError(
                    "UPLOAD_OFFSET",
                    f"{size} bytes have arrived, but the data begins at {offset}; "
                    "ask QueryWrite and go on from there",
                    committed_size_bytes=size,
                )
            if size + len(data) > self.blob.size:
                found = Blob(self._incoming.blob().digest, size + len(data))
                raise DigestMismatch(self.blob, found, "this service")
            self._incoming.write(data)
            self.used = time.monotonic()
            return self._incoming.size

    def finish(self, store: LocalStore) -> None:
        """Makes what has arrived a blob; DigestMismatch if it isn't the one announced."""
        with self._mutex:
            if self._open:
                store.commit(self._incoming, self.blob)

    def close(self) -> None:
        """Forgets what has arrived, unless it has become a blob."""
        with self._mutex:
            self._open = False
            self._incoming.close()


class Uploads:
    """The unfinished uploads of a service, by the names their clients gave them; thread-safe."""

    def __init__(self, store: LocalStore, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self._uploads: dict[str, Upload] = {}
        self._mutex = threading.RLock()

    def find(self, upload_id: str, blob: Blob) -> Upload | None:
        """The upload of this name, if it has begun.

        Raises:
            BlobServiceError: INVALID_UPLOAD, the name is malformed or belongs to another blob.
        """
        if not _UPLOAD_ID.fullmatch(upload_id):
            raise BlobServiceError(
                "INVALID_UPLOAD",
                f"{upload_id[:80]!r} can't name an upload: use 8 to 64 letters, digits, - and _",
            )
        upload = self._uploads.get(upload_id)
        if upload is not None and upload.blob != blob:
            raise BlobServiceError(
                "INVALID_UPLOAD",
                f"upload {upload_id} is of blob {upload.blob.digest}, not of {blob.digest}; "
                "use a new name for each upload",
            )
        return upload

    def begin(self, upload_id: str, blob: Blob) -> Upload:
        """The upload of this name, begun if it hasn't.

        Raises:
            BlobServiceError: INVALID_UPLOAD, BLOB_TOO_LARGE or TOO_MANY_UPLOADS.
            StoreFull: the store has no room for the blob.
        """
        with self._mutex:
            upload = self.find(upload_id, blob)
            if upload is None:
                self._admit(blob)
                upload = Upload(blob, self._store.incoming(blob.size))
                self._uploads[upload_id] = upload
            return upload

    def end(self, upload_id: str) -> None:
        """Forgets an upload, finished or not."""
        with self._mutex:
            upload = self._uploads.pop(upload_id, None)
        if upload is not None:
            upload.close()

    def end_all(self) -> None:
        """Forgets all uploads."""
        for upload_id in list(self._uploads):
            self.end(upload_id)

    def _admit(self, blob: Blob) -> None:
        limits = self._limits
        if blob.size > limits.blob_bytes:
            raise BlobServiceError(
                "BLOB_TOO_LARGE",
                f"blob {blob.digest} has {blob.size} bytes; this service takes up to "
                f"{limits.blob_bytes}",
                limit=limits.blob_bytes,
            )
        oldest = time.monotonic() - limits.idle_seconds
        for upload_id in [name for name, it in self._uploads.items() if it.used < oldest]:
            self.end(upload_id)
        unfinished = sum(upload.blob.size for upload in self._uploads.values())
        if len(self._uploads) >= limits.uploads or unfinished + blob.size > limits.unfinished_bytes:
            raise BlobServiceError(
                "TOO_MANY_UPLOADS",
                f"{len(self._uploads)} uploads of {unfinished} bytes are unfinished; "
                "try again later",
            )
