"""Leases: files that say which blobs a living process holds, so that nobody evicts them."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

from ir_hub.blobs.errors import BlobNotFound, reports_full
from ir_hub.blobs.locks import is_owned, locked, own
from ir_hub.blobs.places import Places
from ir_hub.ir.tensor import Blob

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


class Lease:
    """Blobs that stay in the store until the lease is released, expires or its owner dies.

    The file is a log of JSON lines: the owner and when it expires, then held digests. It is locked
    by its owner; the process id in it is for people to read.
    """

    def __init__(self, places: Places, name: str, seconds: float) -> None:
        """Starts an empty lease; `name` says what for (letters, digits, `_.-`)."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} can't name a lease: use 1 to 100 letters, digits, _ . -")
        self._places = places
        # Hub and adapter may hold blobs for the same purpose, each in its own file.
        self.path = places.leases / f"{name}.{uuid.uuid4().hex}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        with reports_full(places.root, 1), locked(places.lock, exclusive=False):
            self._descriptor = os.open(self.path, flags, 0o644)
            own(self._descriptor)
        self.renew(seconds)

    def add(self, blobs: Iterable[Blob]) -> None:
        """Holds more blobs.

        Raises:
            BlobNotFound: some are not in the store (any more); the others are held.
        """
        blobs = list(blobs)
        self._append({"digests": [blob.digest for blob in blobs]})
        # Looked for after they are held: nothing can evict them any more.
        find = self._places.find
        lost = [b.digest for b in blobs if find(b.digest, touched=True) != b.size]
        if lost:
            raise BlobNotFound(lost, str(self._places.root))

    def renew(self, seconds: float) -> None:
        """Lets the lease expire in so many seconds from now."""
        self._append({"pid": os.getpid(), "expires": time.time() + seconds})

    def release(self) -> None:
        """Ends the lease. A second call does nothing."""
        if self._descriptor >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _append(self, record: dict[str, object]) -> None:
        line = json.dumps(record).encode() + b"\n"
        # Evictions read the leases under the exclusive lock: they never see half a line.
        with locked(self._places.lock, exclusive=False):
            before = os.fstat(self._descriptor).st_size
            try:
                with reports_full(self._places.root, len(line)):
                    _write_all(self._descriptor, line)
            except BaseException:
                os.ftruncate(self._descriptor, before)
                raise


def held_digests(places: Places) -> set[str]:
    """The digests in all leases of living owners that haven't expired."""
    held: set[str] = set()
    for path in places.leases.iterdir():
        # A lease may be released meanwhile.
        with suppress(FileNotFoundError):
            if is_owned(path):
                held |= _read(path.read_bytes())
    return held


def _read(log: bytes) -> set[str]:
    expires = 0.0
    digests: set[str] = set()
    for line in log.splitlines():
        record = json.loads(line)
        expires = record.get("expires", expires)
        digests.update(record.get("digests", ()))
    return digests if time.time() < expires else set()


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest.nbytes:
        rest = rest[os.write(descriptor, rest) :]
