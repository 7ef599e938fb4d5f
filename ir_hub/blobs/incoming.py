"""A blob on its way into a store: a temporary file, hashed while it is written."""

from __future__ import annotations

import hashlib
import os
import uuid
from io import FileIO
from types import TracebackType
from typing import Self

from ir_hub.blobs.copying import clone
from ir_hub.blobs.digest import Data, as_bytes
from ir_hub.blobs.errors import reports_full
from ir_hub.blobs.locks import locked, own
from ir_hub.blobs.places import Places
from ir_hub.ir.tensor import Blob

# Larger pieces can take much longer into a new file, where the kernel looks for large pages: 1 MiB
# at a time up to ten times as long, on ext4 in a virtual machine; smaller ones switch threads more.
_STEP_BYTES = 1 << 18


class Incoming:
    """Bytes that aren't a blob yet. Nobody sees them; if we die, others clean them away."""

    def __init__(self, places: Places, known: Blob | None = None) -> None:
        """Starts empty. `known` says what is going to be written, so that it isn't hashed."""
        self._root = places.root
        self._known = known
        self.path = places.scratch / uuid.uuid4().hex
        self.size = 0
        self._hash = hashlib.sha256()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        # The lock keeps cleaners away between the file's creation and its ownership.
        with reports_full(self._root, 1), locked(places.lock, exclusive=False):
            self._descriptor = os.open(self.path, flags, 0o600)
            own(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, data: Data) -> None:
        """Appends bytes.

        Raises:
            StoreFull: the disk is full; what was written before is still there.
        """
        rest = as_bytes(data)
        with reports_full(self._root, rest.nbytes):
            while rest.nbytes:
                # Advances by what the kernel took, so that a failure leaves size and hash true.
                taken = os.write(self._descriptor, rest[:_STEP_BYTES])
                if self._known is None:
                    self._hash.update(rest[:taken])
                self.size += taken
                rest = rest[taken:]

    def fill(self, source: FileIO) -> None:
        """Takes a whole file's bytes, reading them once; shares its extents if that can be."""
        buffer = memoryview(bytearray(_STEP_BYTES))
        if clone(source.fileno(), self._descriptor):
            # Hashes the clone, not the source: the source may be changing.
            with open(self._descriptor, "rb", buffering=0, closefd=False) as copy:
                while count := copy.readinto(buffer):
                    self._hash.update(buffer[:count])
                    self.size += count
            return
        while count := source.readinto(buffer):
            self.write(buffer[:count])

    def blob(self) -> Blob:
        """What the bytes written so far are."""
        return self._known or Blob(self._hash.hexdigest(), self.size)

    def seal(self, *, sync: bool) -> None:
        """Makes the file read-only for everybody; `sync` waits until the disk has it."""
        os.fchmod(self._descriptor, 0o444)
        if sync:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Forgets the bytes, unless the file has been renamed to a blob."""
        if self._descriptor >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1
