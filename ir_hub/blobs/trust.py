"""Which blobs are code that this deployment wrote itself, so that it may be run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ir_hub.blobs.errors import reports_full
from ir_hub.blobs.locks import locked
from ir_hub.blobs.places import Places
from ir_hub.ir.tensor import Blob


class Trust:
    """The trusted blobs of the store at `root`: an empty file each, named by the digest.

    No service writes there, so that nobody becomes trusted by an upload. A mark goes when its
    blob is pruned.
    """

    def __init__(self, root: Path) -> None:
        self._places = Places(root)

    def add(self, blobs: Iterable[Blob]) -> None:
        """Trusts blobs that the store has.

        Raises:
            StoreFull: the disk is full.
        """
        with locked(self._places.lock, exclusive=False), reports_full(self._places.root, 1):
            for blob in blobs:
                self._places.mark(blob.digest).touch()

    def __contains__(self, blob: Blob) -> bool:
        return self._places.mark(blob.digest).exists()
