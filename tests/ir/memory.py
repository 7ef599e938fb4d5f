"""Blobs in memory, for tests that need no store."""

from __future__ import annotations

import hashlib

from ir_hub.ir.tensor import Blob


class MemoryBlobs:
    """Keeps what is put; `opened` counts the blobs that were read."""

    def __init__(self) -> None:
        self.contents: dict[Blob, bytes] = {}
        self.opened = 0

    def put(self, content: bytes | memoryview) -> Blob:
        data = bytes(content)
        blob = Blob(hashlib.sha256(data).hexdigest(), len(data))
        self.contents[blob] = data
        return blob

    def open(self, blob: Blob) -> memoryview:
        self.opened += 1
        return memoryview(self.contents[blob])
