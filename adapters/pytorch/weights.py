"""Writes safetensors files, one tensor at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from ir_hub.ir.tensor import Tensor, byte_size, byte_view
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Progress

CODES = {
    DType.BOOL: "BOOL",
    DType.INT8: "I8",
    DType.INT16: "I16",
    DType.INT32: "I32",
    DType.INT64: "I64",
    DType.UINT8: "U8",
    DType.UINT16: "U16",
    DType.UINT32: "U32",
    DType.UINT64: "U64",
    DType.FLOAT16: "F16",
    DType.BFLOAT16: "BF16",
    DType.FLOAT32: "F32",
    DType.FLOAT64: "F64",
    DType.COMPLEX64: "C64",
    DType.FLOAT8_E4M3FN: "F8_E4M3",
    DType.FLOAT8_E4M3FNUZ: "F8_E4M3FNUZ",
    DType.FLOAT8_E5M2: "F8_E5M2",
    DType.FLOAT8_E5M2FNUZ: "F8_E5M2FNUZ",
}


def write_weights(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], progress: Progress
) -> None:
    """Writes tensors under their names. Each is read when its turn comes and freed after it.

    The types must be in CODES; wide types come first, so that every tensor is aligned.
    """
    names = sorted(tensors, key=lambda name: (-tensors[name].dtype.bits, name))
    with path.open("wb") as file:
        file.write(_header({name: tensors[name] for name in names}, metadata))
        total = sum(byte_size(t.dtype, t.shape) for t in tensors.values()) or 1
        done = 0
        for name in names:
            done += _copy(tensors[name], file)
            progress("weights", done / total)


def _header(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    entries: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + byte_size(tensor.dtype, tensor.shape)
        entries[name] = {
            "dtype": CODES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _copy(tensor: Tensor, file: BinaryIO) -> int:
    return file.write(byte_view(tensor.numpy()))
