"""ONNX files made byte by byte, so that they can be wrong in every way; no package of ONNX's."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

FLOAT, INT64 = 1, 7
OPSET = 20
_ELEMENTS = {np.dtype(np.float32): FLOAT, np.dtype(np.int64): INT64}


def model(
    graph: bytes,
    opset: int = OPSET,
    domains: Sequence[str] = (),
    producer: str = "test",
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A ModelProto."""
    imports = [_opset("", opset), *(_opset(domain, 1) for domain in domains)]
    return (
        _field(1, 10)
        + _field(2, producer)
        + _field(3, producer)
        + _field(4, producer)
        + _field(6, producer)
        + _field(7, graph)
        + b"".join(_field(8, entry) for entry in imports)
        + _properties(14, metadata)
    )


def graph(
    nodes: Sequence[bytes],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[str],
    weights: Sequence[bytes] = (),
    name: str = "main",
) -> bytes:
    """A GraphProto with inputs of float32 and outputs whose types it doesn't say."""
    return (
        b"".join(_field(1, node) for node in nodes)
        + _field(2, name)
        + b"".join(_field(5, weight) for weight in weights)
        + _field(10, name)
        + b"".join(_field(11, _input(*item)) for item in inputs.items())
        + b"".join(_field(12, _field(1, output)) for output in outputs)
    )


def node(
    op: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    name: str = "",
    domain: str = "",
    metadata: Mapping[str, str] | None = None,
    **attributes: Any,
) -> bytes:
    """A NodeProto; attributes are integers, floats, lists of integers, tensors or graphs."""
    return (
        b"".join(_field(1, each) for each in inputs)
        + b"".join(_field(2, each) for each in outputs)
        + _field(3, name)
        + _field(4, op)
        + b"".join(_field(5, _attribute(*item)) for item in attributes.items())
        + _field(6, name)
        + _field(7, domain)
        + _properties(9, metadata)
    )


class Body(bytes):
    """A GraphProto that is an attribute."""


def tensor(name: str, array: np.ndarray) -> bytes:
    """A TensorProto that holds its elements."""
    return (
        _shaped(array.shape, _ELEMENTS[array.dtype], name)
        + _field(9, array.tobytes())
        + _field(12, name)
    )


def external(name: str, shape: Sequence[int], **said: str) -> bytes:
    """A TensorProto of float32 that says where its elements are."""
    entries = (_field(13, _field(1, key) + _field(2, text)) for key, text in said.items())
    return _shaped(shape, FLOAT, name) + b"".join(entries) + _field(14, 1)


def _shaped(shape: Sequence[int], element: int, name: str) -> bytes:
    return b"".join(_field(1, size) for size in shape) + _field(2, element) + _field(8, name)


def _input(name: str, shape: Sequence[int | str]) -> bytes:
    dims = (_field(1, _field(1 if isinstance(size, int) else 2, size)) for size in shape)
    type_ = _field(1, _field(1, FLOAT) + _field(2, b"".join(dims)))
    return _field(1, name) + _field(2, type_)


def _attribute(name: str, value: Any) -> bytes:
    match value:
        case int():
            said = _field(3, value) + _field(20, 2)
        case float():
            said = _varint(2 << 3 | 5) + struct.pack("<f", value) + _field(20, 1)
        case Body():
            said = _field(6, value) + _field(20, 5)
        case bytes():
            said = _field(5, value) + _field(20, 4)
        case _:
            said = b"".join(_field(8, each) for each in value) + _field(20, 7)
    return _field(1, name) + said


def _opset(domain: str, version: int) -> bytes:
    return _field(1, domain) + _field(2, version)


def _properties(number: int, said: Mapping[str, str] | None) -> bytes:
    entries = (_field(1, key) + _field(2, text) for key, text in (said or {}).items())
    return b"".join(_field(number, entry) for entry in entries)


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value %= 1 << 64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
