"""Reads the outline of an .onnx file: all but the big weights, which are left where they lie.

Parsing 100 MB of weights only to know where they are would copy them all. So the file is walked
on the wire level, and a copy of it is made in which every big `raw_data` is replaced by where its
bytes are: as external data whose location is empty, which stands for the file itself.
"""

from __future__ import annotations

from collections.abc import Mapping

Chunks = list[bytes | memoryview]
BIG = 1024  # bytes of raw_data that are not worth moving
DEEPEST = 100  # protobuf's own limit for messages in messages

# Message -> field number -> the message in that field; only what leads to a tensor.
_PATHS: Mapping[str, Mapping[int, str]] = {
    "ModelProto": {7: "GraphProto", 25: "FunctionProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto"},
    "FunctionProto": {7: "NodeProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {5: "TensorProto", 6: "GraphProto", 10: "TensorProto", 11: "GraphProto"},
    "TensorProto": {},
}
_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Malformed(Exception):
    """The bytes aren't protobuf; `end`: they stop too early, rather than make no sense."""

    def __init__(self, message: str, end: bool) -> None:
        super().__init__(message)
        self.end = end


def outline(file: memoryview) -> bytes:
    """The model in a file as a serialised ModelProto without its big weights.

    Raises:
        Malformed: the file isn't protobuf, or ends too early.
    """
    chunks: Chunks = []
    _copy(file, 0, len(file), "ModelProto", chunks, 0)
    return b"".join(chunks)


def _copy(file: memoryview, start: int, end: int, message: str, chunks: Chunks, depth: int) -> int:
    """Appends a message's outline to the chunks; returns how many bytes that is."""
    if depth > DEEPEST:
        raise Malformed(f"messages are nested more than {DEEPEST} deep", end=False)
    paths = _PATHS[message]
    length, kept = 0, start  # what lies between kept and position is copied as it is
    position = start
    moved = b""  # goes last: what a tensor said before of where it lies is no longer so
    while position < end:
        field = position
        tag, position = _varint(file, position, end)
        size, position = _size(file, tag & 7, position, end)
        number = tag >> 3
        inner: Chunks | None = None
        if size >= BIG and tag & 7 == _BYTES and number in paths:
            inner = []
            inner_length = _copy(file, position, position + size, paths[number], inner, depth + 1)
            inner.insert(0, _tag(number, _BYTES) + _encoded(inner_length))
        elif size >= BIG and message == "TensorProto" and number == _RAW_DATA:
            inner, moved = [], _elsewhere(position, size)
        position += size
        if inner is not None:
            chunks += [file[kept:field], *inner]
            length += field - kept + sum(map(len, inner))
            kept = position
    chunks += [file[kept:end], moved]
    return length + end - kept + len(moved)


def _size(file: memoryview, kind: int, position: int, end: int) -> tuple[int, int]:
    """How many bytes a field's value takes, and where it starts."""
    if kind == _BYTES:
        size, position = _varint(file, position, end)
    elif kind == _VARINT:
        _, after = _varint(file, position, end)
        size = after - position
    elif kind in (_FIXED32, _FIXED64):
        size = 4 if kind == _FIXED32 else 8
    else:
        raise Malformed(f"a field of the kind {kind} at byte {position}", end=False)
    if size > end - position:
        missing = size - (end - position)
        raise Malformed(f"{missing} bytes are missing after byte {end}", end=end == len(file))
    return size, position


def _varint(file: memoryview, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if position >= end:
            raise Malformed(f"a number is cut off at byte {position}", end=end == len(file))
        byte = file[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise Malformed(f"a number without an end at byte {position}", end=False)


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tag(number: int, kind: int) -> bytes:
    return _encoded(number << 3 | kind)


def _elsewhere(offset: int, size: int) -> bytes:
    """The fields of a tensor that say: external data, in this very file."""
    said = _tag(_DATA_LOCATION, _VARINT) + _encoded(1)
    for key, value in (("location", ""), ("offset", str(offset)), ("length", str(size))):
        entry = _text(1, key) + _text(2, value)
        said += _tag(_EXTERNAL_DATA, _BYTES) + _encoded(len(entry)) + entry
    return said


def _text(number: int, text: str) -> bytes:
    return _tag(number, _BYTES) + _encoded(len(text)) + text.encode()


def bytes_header(number: int, size: int) -> bytes:
    """What comes before the `size` bytes of a field of bytes, text or a message."""
    return _tag(number, _BYTES) + _encoded(size)
