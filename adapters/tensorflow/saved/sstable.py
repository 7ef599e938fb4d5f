"""Reads tables as TensorFlow writes the index of a checkpoint: LevelDB's format, uncompressed."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.tensorflow.saved.checksum import masked

_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_FOOTER = 48  # bytes
_TRAILER = 5  # bytes after a block: how it is compressed, and its checksum
_WORD = 4  # bytes of an offset


def read_table(data: memoryview) -> dict[bytes, bytes]:
    """The entries of a table, in order.

    Raises:
        ValueError: it isn't a whole table.
    """
    if len(data) < _FOOTER or data[-len(_MAGIC) :] != _MAGIC:
        raise ValueError("it isn't a table, or is cut off")
    footer = _Cursor(data[-_FOOTER:])
    footer.handle()  # of what is said about the table itself
    found: dict[bytes, bytes] = {}
    for _, place in _entries(_block(data, *footer.handle())):
        found.update(_entries(_block(data, *_Cursor(memoryview(place)).handle())))
    return found


def _block(data: memoryview, offset: int, size: int) -> memoryview:
    end = offset + size
    if end + _TRAILER > len(data):
        raise ValueError("a block of it lies beyond its end: it is cut off")
    if data[end]:
        raise ValueError("a block of it is compressed, which TensorFlow doesn't write")
    stored = int.from_bytes(data[end + 1 : end + _TRAILER], "little")
    if masked(data[offset : end + 1]) != stored:
        raise ValueError("a block of it doesn't fit its checksum: the file is damaged")
    return data[offset:end]


def _entries(block: memoryview) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values; a key begins like the one before it."""
    if len(block) < _WORD:
        raise ValueError("a block of it is too short")
    restarts = int.from_bytes(block[-_WORD:], "little")
    end = len(block) - _WORD * (restarts + 1)
    if end < 0:
        raise ValueError("a block of it is too short")
    cursor, key = _Cursor(block[:end]), b""
    while cursor.left:
        shared, more, size = cursor.varint(), cursor.varint(), cursor.varint()
        key = key[:shared] + cursor.take(more)
        yield key, cursor.take(size)


class _Cursor:
    """Reads bytes from front to back."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise ValueError("an entry of it is cut off")
        self.at += size
        return bytes(self.data[self.at - size : self.at])

    def varint(self) -> int:
        found, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return found
            if shift > 63:
                raise ValueError("a number in it is too long")

    def handle(self) -> tuple[int, int]:
        """Where a block is, and its size."""
        return self.varint(), self.varint()
