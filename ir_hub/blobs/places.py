"""Where a store keeps what, and the blobs found there."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ir_hub.blobs.digest import EMPTY_DIGEST, check_digest, is_digest

_SHARD = re.compile(r"[0-9a-f]{2}")
_TOUCH_SECONDS = 60.0


@dataclass(frozen=True)
class Entry:
    """A blob as found on disk. `used` is when it was last used, in seconds since 1970."""

    digest: str
    size: int
    used: float


@dataclass(frozen=True)
class Places:
    """The folders of a store.

    `blobs/ab/abcdef...` are the blobs, `scratch/` what is being written, `leases/` what is held,
    `trusted/` names the blobs that are code of our own.
    """

    root: Path

    @property
    def blobs(self) -> Path:
        """The folder of the blobs."""
        return self.root / "blobs"

    @property
    def scratch(self) -> Path:
        """The folder of unfinished files; in the blobs' file system, so renames work."""
        return self.root / "scratch"

    @property
    def leases(self) -> Path:
        """The folder of the lease files."""
        return self.root / "leases"

    @property
    def trusted(self) -> Path:
        """The folder of the marks of trusted blobs; see `Trust`."""
        return self.root / "trusted"

    @property
    def lock(self) -> Path:
        """Held shared by who adds blobs, scratch files or leases; exclusive by who removes."""
        return self.root / "lock"

    def create(self) -> None:
        """Makes the folders that don't exist yet."""
        for folder in (self.blobs, self.scratch, self.leases, self.trusted):
            folder.mkdir(parents=True, exist_ok=True)

    def blob(self, digest: str) -> Path:
        """The path of a blob, which may not exist; InvalidDigest for anything but a digest."""
        check_digest(digest)
        return self.blobs / digest[:2] / digest

    def mark(self, digest: str) -> Path:
        """The file that is there when a blob is trusted; InvalidDigest as in `blob`."""
        return self.trusted / check_digest(digest)

    def find(self, digest: str, *, touched: bool) -> int | None:
        """The size of a blob; None if it isn't there whole. `touched` notes that it is used."""
        path = self.blob(digest)
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        # After a crash of the operating system a file can be empty that wasn't.
        if status.st_size == 0 and digest != EMPTY_DIGEST:
            return None
        if touched and time.time() - status.st_mtime > _TOUCH_SECONDS:
            # Another user's file, a read-only store, a blob just removed: reading goes on without.
            with suppress(OSError):
                os.utime(path)
        return status.st_size

    def entries(self) -> Iterator[Entry]:
        """Every blob of the store, in no order."""
        for shard in os.scandir(self.blobs):
            if not _SHARD.fullmatch(shard.name):
                continue
            for file in os.scandir(shard.path):
                if not is_digest(file.name):
                    continue
                # Another process may be removing blobs meanwhile.
                with suppress(FileNotFoundError):
                    status = file.stat(follow_symlinks=False)
                    yield Entry(file.name, status.st_size, status.st_mtime)
