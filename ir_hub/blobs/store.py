"""A content-addressed store in a local folder, safe for several processes at once.

Durability: a blob appears under its digest by an atomic rename, whole or not at all, whatever
kills the writer. Against a crash of the operating system itself files are synced only with
`sync=True`: without it a blob written in the last seconds may come back short, which its size
gives away; it then counts as missing and is written again.
"""

from __future__ import annotations

import mmap
import os
import shutil
import stat
import uuid
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from ir_hub.blobs.copying import materialise
from ir_hub.blobs.digest import Data, as_bytes, digest_of, sha256
from ir_hub.blobs.errors import BlobNotFound, DigestMismatch, reports_full
from ir_hub.blobs.evict import Keep, prune, sweep
from ir_hub.blobs.incoming import Incoming
from ir_hub.blobs.leases import Lease
from ir_hub.blobs.locks import locked, own
from ir_hub.blobs.places import Places
from ir_hub.blobs.room import RECENT_SECONDS, Room
from ir_hub.ir.tensor import Blob

# Smaller blobs are read: a mapping takes a page, a descriptor and more time than the copy.
_MAP_FROM_BYTES = 1 << 16


class LocalStore:
    """Blobs in the folder `root`, which is made if it isn't there.

    With `limit_bytes`, additions evict what was used least recently, held by no lease and not
    used for five minutes; StoreFull if that isn't enough. Digests may come from strangers: they
    are checked before they become paths (InvalidDigest).
    """

    def __init__(self, root: Path, limit_bytes: int | None = None, *, sync: bool = False) -> None:
        self.root = Path(root)
        self._places = Places(self.root)
        self._room = Room(self._places, limit_bytes)
        self._sync = sync
        self._mapped: weakref.WeakValueDictionary[str, mmap.mmap] = weakref.WeakValueDictionary()
        self._places.create()
        sweep(self._places)

    def put_bytes(self, data: Data) -> Blob:
        """Stores bytes in memory; any contiguous buffer."""
        content = as_bytes(data)
        blob = Blob(sha256(content), content.nbytes)
        if self.missing([blob]):
            self._room.require(blob.size)
            with Incoming(self._places, known=blob) as incoming:
                incoming.write(content)
                self.commit(incoming)
        return blob

    def put_chunks(self, chunks: Iterable[Data]) -> Blob:
        """Stores a sequence of buffers as one blob, without holding more than one of them."""
        with self.incoming() as incoming:
            for chunk in chunks:
                incoming.write(chunk)
            return self.commit(incoming)

    def put_file(self, path: Path) -> Blob:
        """Stores a file of the user's, who may change or delete it afterwards.

        The file's extents are shared where the file system can, else its bytes are copied.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it isn't a regular file.
        """
        with open(path, "rb", buffering=0, opener=_open_without_waiting) as source:
            status = os.fstat(source.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(f"{path} is not a regular file: give the path of a file")
            with self.incoming(status.st_size) as incoming:
                incoming.fill(source)
                return self.commit(incoming)

    def adopt(self, path: Path) -> Blob:
        """Makes a file written in a `scratch` folder a blob by renaming it.

        Nothing may write to the file any more.

        Raises:
            ValueError: the file isn't in the store's scratch folder, or isn't a file of its own.
        """
        status = path.lstat()
        if not path.resolve().is_relative_to(self._places.scratch.resolve()):
            raise ValueError(f"{path} is not in {self._places.scratch}: use put_file for it")
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise ValueError(f"{path} is a link, a folder or has a second name: use put_file")
        blob = Blob(digest_of(path), status.st_size)
        self._room.require(blob.size, on_disk=blob.size)
        path.chmod(0o444)
        # A file that was unpacked may say that it is old.
        os.utime(path)
        self._place(path, blob)
        path.unlink(missing_ok=True)
        return blob

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A new folder for files that may be adopted; it is removed at the end.

        If this process dies, the next one that opens the store removes it.
        """
        folder = self._places.scratch / uuid.uuid4().hex
        with reports_full(self.root, 1), locked(self._places.lock, exclusive=False):
            folder.mkdir()
            descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            own(descriptor)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)

    def incoming(self, size: int = 0) -> Incoming:
        """Starts a blob whose bytes arrive piece by piece; `size` as far as it is known.

        Use it with `with`, and `commit` it inside; else its bytes are forgotten.

        Raises:
            StoreFull: the store has no room for `size` bytes.
        """
        self._room.require(size)
        return Incoming(self._places)

    def commit(self, incoming: Incoming, expected: Blob | None = None) -> Blob:
        """Makes what has arrived a blob.

        Raises:
            DigestMismatch: it isn't `expected`.
            StoreFull: it makes the store larger than its limit.
        """
        blob = incoming.blob()
        if expected is not None and blob != expected:
            raise DigestMismatch(expected, blob, str(self.root))
        self._room.require(blob.size, on_disk=blob.size)
        with reports_full(self.root, blob.size):
            incoming.seal(sync=self._sync)
            self._place(incoming.path, blob)
        return blob

    def open(self, blob: Blob | str) -> memoryview:
        """The content, read-only; a large one is a mapping of the file, one for all who open it.

        It stays readable as long as the view lives, even if the blob is evicted meanwhile.

        Raises:
            BlobNotFound: there is no blob of this digest and size.
        """
        digest = blob if isinstance(blob, str) else blob.digest
        mapped = self._mapped.get(digest)
        if mapped is not None and _fits(blob, len(mapped)):
            self._places.find(digest, touched=True)
            return memoryview(mapped)
        path = self.path(blob)
        try:
            with open(path, "rb", buffering=0) as file:
                return self._view(file, digest)
        except FileNotFoundError as error:
            raise BlobNotFound([digest], str(self.root)) from error

    def path(self, blob: Blob | str) -> Path:
        """The file of a blob, for reading only; hold a lease while something uses the path.

        Raises:
            BlobNotFound: there is no blob of this digest and size.
        """
        digest = blob if isinstance(blob, str) else blob.digest
        size = self._places.find(digest, touched=True)
        if size is None or not _fits(blob, size):
            raise BlobNotFound([digest], str(self.root))
        return self._places.blob(digest)

    def size(self, digest: str) -> int:
        """The length of a blob in bytes; BlobNotFound if it isn't there."""
        size = self._places.find(digest, touched=False)
        if size is None:
            raise BlobNotFound([digest], str(self.root))
        return size

    def has(self, blob: Blob | str) -> bool:
        """Whether the blob is there; says nothing about how long. See `lease`."""
        digest = blob if isinstance(blob, str) else blob.digest
        size = self._places.find(digest, touched=False)
        return size is not None and _fits(blob, size)

    def missing(self, blobs: Iterable[Blob]) -> list[Blob]:
        """Those of the blobs that aren't there, once each; the others count as just used."""
        asked = dict.fromkeys(blobs)
        find = self._places.find
        with locked(self._places.lock, exclusive=False):
            return [blob for blob in asked if find(blob.digest, touched=True) != blob.size]

    def require(self, blobs: Iterable[Blob]) -> None:
        """Nothing, if all blobs are there; else BlobNotFound that lists all missing ones."""
        lost = self.missing(blobs)
        if lost:
            raise BlobNotFound([blob.digest for blob in lost], str(self.root))

    def link_to(self, blob: Blob | str, target: Path) -> None:
        """Puts the content into a file of the user's own, by sharing extents or copying.

        The file appears whole or not at all, and replaces one that is there.
        """
        materialise(self.path(blob), target)

    def lease(self, name: str, blobs: Iterable[Blob] = (), seconds: float = 3600.0) -> Lease:
        """Holds blobs, so that no process evicts them; use it with `with`, or release it.

        Raises:
            BlobNotFound: some of them aren't there (any more); then nothing is held.
        """
        lease = Lease(self._places, name, seconds)
        try:
            lease.add(blobs)
        except BaseException:
            lease.release()
            raise
        return lease

    def prune(
        self, limit_bytes: int, keep: Keep = frozenset(), older_than: float = RECENT_SECONDS
    ) -> list[Blob]:
        """Evicts least recently used blobs until at most `limit_bytes` remain.

        Stay: what a live lease holds, what `keep` (a set of digests, or a function of one) says,
        and what was used within the last `older_than` seconds. Returns what was removed.
        """
        return prune(self._places, limit_bytes, older_than, keep)

    def verify(self, *, remove: bool = False) -> list[str]:
        """Reads every blob, and gives the digests of those that are damaged; slow."""
        damaged = []
        for entry in self._places.entries():
            path = self._places.blob(entry.digest)
            with suppress(FileNotFoundError):
                if digest_of(path) != entry.digest:
                    damaged.append(entry.digest)
                    if remove:
                        path.unlink()
        return damaged

    def used_bytes(self) -> int:
        """The length of all blobs together."""
        return sum(entry.size for entry in self._places.entries())

    def _view(self, file: FileIO, digest: str) -> memoryview:
        if os.fstat(file.fileno()).st_size < _MAP_FROM_BYTES:
            return memoryview(file.readall())
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._mapped[digest] = mapped
        return memoryview(mapped)

    def _place(self, path: Path, blob: Blob) -> None:
        # Under the lock, so that no eviction falls between the look and the rename.
        with locked(self._places.lock, exclusive=False):
            if self._places.find(blob.digest, touched=True) == blob.size:
                return
            target = self._places.blob(blob.digest)
            target.parent.mkdir(exist_ok=True)
            path.rename(target)
            if self._sync:
                _sync_folder(target.parent)
        self._room.added(blob.size)


def _fits(blob: Blob | str, size: int) -> bool:
    return isinstance(blob, str) or blob.size == size


def _open_without_waiting(path: str, flags: int) -> int:
    # A pipe without a writer would block here, before it can be refused.
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
