"""How much a store holds and may hold."""

from __future__ import annotations

import shutil
import threading
import time

from ir_hub.blobs.errors import StoreFull
from ir_hub.blobs.evict import prune
from ir_hub.blobs.places import Places

_RESCAN_SECONDS = 30.0
# A blob that was used this recently is never evicted to make room: its user may be about to
# hold it. Longer than the minute for which uses go unrecorded.
RECENT_SECONDS = 300.0


class Room:
    """Keeps a store under its limit by evicting what was used least recently.

    What other processes add is seen within half a minute, so that the limit can be exceeded by
    what they write meanwhile; the disk's own limit can't.
    """

    def __init__(self, places: Places, limit_bytes: int | None) -> None:
        self._places = places
        self._limit = limit_bytes
        self._used = 0
        self._scanned = float("-inf")
        self._mutex = threading.Lock()

    def require(self, needed_bytes: int, on_disk: int = 0) -> None:
        """Makes sure that so many bytes fit, `on_disk` of which have been written already.

        Raises:
            StoreFull: they don't, even without all that may be evicted.
        """
        with self._mutex:
            free, cause = self._free(needed_bytes, on_disk)
            if free < needed_bytes and self._limit is not None:
                # A tenth more than needed, so that not every addition has to evict.
                target = self._used - (needed_bytes - free) - self._limit // 10
                prune(self._places, max(target, 0), RECENT_SECONDS)
                self._scanned = float("-inf")
                free, cause = self._free(needed_bytes, on_disk)
        if free < needed_bytes:
            raise StoreFull(self._places.root, needed_bytes, max(free, 0), cause)

    def added(self, size: int) -> None:
        """Counts a new blob."""
        with self._mutex:
            self._used += size

    def _free(self, needed_bytes: int, on_disk: int) -> tuple[int, str]:
        disk = shutil.disk_usage(self._places.root).free + on_disk
        if self._limit is None:
            return disk, "the disk"
        stale = time.monotonic() - self._scanned > _RESCAN_SECONDS
        if stale or self._limit - self._used < needed_bytes:
            self._used = sum(entry.size for entry in self._places.entries())
            self._scanned = time.monotonic()
        allowed = self._limit - self._used
        if disk < allowed:
            return disk, "the disk"
        return allowed, f"its limit of {self._limit} bytes"
