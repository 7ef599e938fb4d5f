"""Writes .onnx files: the graph at once, the weights one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnx
from onnx import numpy_helper

from adapters.onnx.elements import TO_ONNX
from adapters.onnx.wire import bytes_header
from ir_hub.ir.tensor import Tensor, byte_size, encode
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Progress

LARGEST = (1 << 31) - 1  # bytes of a protobuf message
SMALL = 1024  # bytes of a tensor that stays in the model file in any case
ALIGNMENT = 4096  # of tensors in the data file, so that they can be mapped
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9  # field numbers


def write_model(
    model: onnx.ModelProto,
    weights: Sequence[tuple[str, Tensor]],
    path: Path,
    progress: Progress,
    limit: int = LARGEST,
) -> list[Path]:
    """Writes a model whose initializers are given apart; returns the files.

    No more than one weight is in memory at a time. What would make the model file larger than
    `limit` goes into a file of its own beside it.
    """
    heads = [_head(name, tensor) for name, tensor in weights]
    total = model.ByteSize() + sum(
        len(head) + _raw_size(tensor) + 64 for head, (_, tensor) in zip(heads, weights, strict=True)
    )
    if total <= limit:
        _write_file(model, heads, weights, path, progress)
        return [path]
    data = path.with_name(path.name + ".data")
    heads, kept = _write_data(weights, data, progress)
    _write_file(model, heads, kept, path, progress)
    return [path, data]


def _write_file(
    model: onnx.ModelProto,
    heads: Sequence[bytes],
    weights: Sequence[tuple[str, Tensor | None]],
    path: Path,
    progress: Progress,
) -> None:
    graph = model.graph.SerializeToString()
    shell = onnx.ModelProto()
    shell.CopyFrom(model)
    shell.ClearField("graph")
    sizes = [_raw_size(tensor) for _, tensor in weights]
    starts = []
    for head, size, (_, tensor) in zip(heads, sizes, weights, strict=True):
        raw = bytes_header(_RAW_DATA, size) if _is_raw(tensor) else b""
        starts.append(bytes_header(_INITIALIZER, len(head) + len(raw) + size) + head + raw)
    length = len(graph) + sum(map(len, starts)) + sum(sizes)
    with path.open("wb") as file:
        file.write(shell.SerializeToString())
        file.write(bytes_header(_GRAPH, length))
        file.write(graph)
        for index, (start, (_, tensor)) in enumerate(zip(starts, weights, strict=True)):
            file.write(start)
            if _is_raw(tensor):
                _write_elements(tensor, file)
            progress("emit", (index + 1) / len(weights))


def _write_data(
    weights: Sequence[tuple[str, Tensor]], path: Path, progress: Progress
) -> tuple[list[bytes], list[tuple[str, Tensor | None]]]:
    """Writes the big weights to a file of their own; returns what the model file has of all."""
    heads: list[bytes] = []
    kept: list[tuple[str, Tensor | None]] = []
    with path.open("wb") as file:
        for index, (name, tensor) in enumerate(weights):
            if not _is_raw(tensor) or _raw_size(tensor) < SMALL:
                heads.append(_head(name, tensor))
                kept.append((name, tensor))
                continue
            file.write(bytes(-file.tell() % ALIGNMENT))
            heads.append(_external_head(name, tensor, path.name, file.tell()))
            kept.append((name, None))
            _write_elements(tensor, file)
            progress("emit", (index + 1) / len(weights))
    return heads, kept


def _is_raw(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.dtype is not DType.STRING


def _raw_size(tensor: Tensor | None) -> int:
    """Bytes of raw data; 0 where there are none."""
    return byte_size(tensor.dtype, tensor.shape) if tensor is not None and _is_raw(tensor) else 0


def _head(name: str, tensor: Tensor) -> bytes:
    """A TensorProto as far as it comes before its raw data."""
    if tensor.dtype is DType.STRING:
        return bytes(numpy_helper.from_array(tensor.numpy(), name).SerializeToString())
    return bytes(_proto(name, tensor).SerializeToString())


def _external_head(name: str, tensor: Tensor, location: str, offset: int) -> bytes:
    proto = _proto(name, tensor)
    proto.data_location = onnx.TensorProto.EXTERNAL
    said = {"location": location, "offset": offset, "length": _raw_size(tensor)}
    for key, value in said.items():
        proto.external_data.add(key=key, value=str(value))
    return bytes(proto.SerializeToString())


def _proto(name: str, tensor: Tensor) -> onnx.TensorProto:
    return onnx.TensorProto(name=name, data_type=TO_ONNX[tensor.dtype], dims=tensor.shape)


def _write_elements(tensor: Tensor | None, file: BinaryIO) -> None:
    """The elements as ONNX has them in raw data, which is as the IR has them."""
    assert tensor is not None
    array = tensor.numpy()
    if tensor.dtype.bits < 8:
        file.write(encode(array))
        return
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    file.write(np.ascontiguousarray(little).reshape(-1).view(np.uint8).data)
