"""What can go wrong with a store, in words that say what, where and what to do."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ir_hub.ir.tensor import Blob

_SHOWN = 20


class BlobError(Exception):
    """Any failure of a blob store or its service."""


class BlobNotFound(BlobError):
    """Blobs that were asked for are not in the store.

    `digests` names all of them, not only the first.
    """

    def __init__(self, digests: Sequence[str], where: str) -> None:
        self.digests = tuple(digests)
        self.where = where
        shown = ", ".join(self.digests[:_SHOWN])
        more = f" and {len(self.digests) - _SHOWN} more" if len(self.digests) > _SHOWN else ""
        super().__init__(
            f"{len(self.digests)} blob(s) are not in {where}: {shown}{more}; "
            "upload them (again): a store may forget what nothing holds"
        )


class DigestMismatch(BlobError):
    """Content is not what its digest and size say."""

    def __init__(self, expected: Blob, found: Blob, where: str) -> None:
        self.expected = expected
        self.found = found
        self.where = where
        super().__init__(
            f"the content received by {where} is {found.size} bytes with SHA-256 {found.digest}, "
            f"but {expected.size} bytes with SHA-256 {expected.digest} were announced; "
            "the content was changed on its way: send it again"
        )


class StoreFull(BlobError):
    """There is no room for more bytes: the disk or the store's own limit is reached."""

    def __init__(self, where: str | Path, needed_bytes: int, free_bytes: int, cause: str) -> None:
        self.where = str(where)
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes
        self.cause = cause
        super().__init__(
            f"the blob store {where} is full ({cause}): {needed_bytes} more bytes are needed, "
            f"{free_bytes} are free; make room with `irhub store prune`, or give it more space"
        )


class BlobServiceError(BlobError):
    """A blob service refuses a call, or can't be reached.

    `reason` is one of those that blob.proto lists, or the name of a gRPC status code;
    `metadata` are the details that belong to it.
    """

    def __init__(self, reason: str, message: str, **metadata: object) -> None:
        self.reason = reason
        self.metadata = {key: str(value) for key, value in metadata.items()}
        super().__init__(message)


@contextmanager
def reports_full(root: Path, needed_bytes: int) -> Iterator[None]:
    """Turns the operating system's "no space left" and "quota exceeded" into StoreFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = shutil.disk_usage(root).free
        cause = "the disk" if error.errno == errno.ENOSPC else "the disk quota"
        raise StoreFull(root, needed_bytes, free, cause) from error
