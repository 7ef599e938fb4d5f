"""The weights in a `.pt2` archive: tensors that point to where their bytes lie in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from adapters.pytorch.archive import Archive, Member
from ir_hub.ir.tensor import ArrayTensor, BlobTensor, Tensor, byte_size, decode
from ir_hub.ir.types import DType
from ir_hub.sdk.errors import BadModel

# The numbers are those of torch.export's schema.
DTYPES = {
    1: DType.UINT8,
    2: DType.INT8,
    3: DType.INT16,
    4: DType.INT32,
    5: DType.INT64,
    6: DType.FLOAT16,
    7: DType.FLOAT32,
    8: DType.FLOAT64,
    10: DType.COMPLEX64,
    11: DType.COMPLEX128,
    12: DType.BOOL,
    13: DType.BFLOAT16,
    28: DType.UINT16,
    29: DType.FLOAT8_E4M3FN,
    30: DType.FLOAT8_E5M2,
    31: DType.FLOAT8_E4M3FNUZ,
    32: DType.FLOAT8_E5M2FNUZ,
    33: DType.FLOAT8_E8M0FNU,
    34: DType.UINT32,
    35: DType.UINT64,
}
LARGEST_REPEATED = 1 << 28  # bytes of a tensor that repeats its own
_STRIDED = 7


class Payloads:
    """The tensors of one kind, "weights" or "constants", by their names in the module."""

    def __init__(self, archive: Archive, kind: str, model: str) -> None:
        self.archive, self.kind = archive, kind
        config = archive.json(f"data/{kind}/{model}_{kind}_config.json")
        entries = config.get("config") if isinstance(config, dict) else None
        if not isinstance(entries, dict):
            raise BadModel(f"{archive.file.name} has a list of {kind} that makes no sense")
        self.entries: Mapping[str, Any] = entries
        self.checked: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name.

        Raises:
            BadModel: it isn't there, was pickled, or isn't what the file says.
        """
        entry = self.entries.get(name)
        try:
            meta = entry["tensor_meta"]  # type: ignore[index]
            if entry["use_pickle"]:  # type: ignore[index]
                self.fail(name, "was pickled (it is no plain tensor), and nothing is unpickled")
            dtype = DTYPES.get(meta["dtype"])
            if dtype is None or meta["layout"] != _STRIDED:
                self.fail(name, "isn't a dense tensor of a type that is known")
            shape, strides = _whole(meta["sizes"]), _whole(meta["strides"])
            (offset,) = _whole([meta["storage_offset"]])
            path = f"data/{self.kind}/{entry['path_name']}"  # type: ignore[index]
        except (KeyError, TypeError, ValueError) as error:
            self.fail(name, f"isn't described as PyTorch does: {error!r}")
        if len(shape) != len(strides):
            self.fail(name, f"has {len(shape)} sizes and {len(strides)} strides")
        return self.placed(name, self.archive.require(path), dtype, shape, strides, offset)

    def placed(
        self,
        name: str,
        member: Member,
        dtype: DType,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int,
    ) -> Tensor:
        """A tensor in its member, whose bytes it may share with others."""
        last = offset + sum(s * (n - 1) for n, s in zip(shape, strides, strict=True))
        needed = byte_size(dtype, (last + 1,)) if math.prod(shape) else 0
        if needed > member.size:
            self.fail(name, f"needs {needed} bytes; its member {member.name} has {member.size}")
        if member.stored and member.name not in self.checked:
            self.archive.read(member.name)
            self.checked.add(member.name)
        order = _order(shape, strides)
        if order is None or not member.stored:
            try:
                return self.copied(member, dtype, shape, strides, offset)
            except ValueError as error:
                self.fail(name, f"can't be read: {error}")
        start = member.offset + byte_size(dtype, (offset,))
        stored = tuple(shape[axis] for axis in order)
        plain = BlobTensor(self.archive.blob, start, dtype, stored, self.archive.files.open_blob)
        turned = tuple(order.index(axis) for axis in range(len(order)))
        return plain if turned == tuple(range(len(order))) else plain.permuted(turned)

    def copied(
        self,
        member: Member,
        dtype: DType,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int,
    ) -> ArrayTensor:
        """A tensor that is packed, or whose elements don't lie side by side, in memory."""
        if math.prod(shape) * dtype.bits > 8 * max(LARGEST_REPEATED, member.size):
            raise ValueError(f"its {math.prod(shape)} elements repeat {member.size} bytes")
        data = self.archive.read(member.name)
        flat = decode(data, dtype, (member.size * 8 // dtype.bits,))
        apart = tuple(stride * flat.itemsize for stride in strides)
        if not math.prod(shape):
            return ArrayTensor(np.zeros(shape, dtype.numpy))
        view = np.lib.stride_tricks.as_strided(flat[offset:], shape, apart, writeable=False)
        return ArrayTensor(np.array(view, order="C"))

    def fail(self, name: str, problem: str) -> NoReturn:
        raise BadModel(f"{self.archive.file.name}: the tensor {name!r} {problem}")


def _whole(items: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """Sizes that are numbers; ValueError when one isn't, or is negative."""
    found = tuple(item["as_int"] for item in items)
    if any(not isinstance(size, int) or isinstance(size, bool) or size < 0 for size in found):
        raise ValueError(f"sizes {found}")
    return found


def _order(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes in the order that they lie in the bytes; None when there are gaps or overlaps."""
    order = sorted(range(len(shape)), key=lambda axis: (-strides[axis], shape[axis] != 1, axis))
    if _is_dense(tuple(range(len(shape))), shape, strides):
        return tuple(range(len(shape)))
    return tuple(order) if _is_dense(tuple(order), shape, strides) else None


def _is_dense(order: tuple[int, ...], shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    step = 1
    for axis in reversed(order):
        if shape[axis] != 1 and strides[axis] != step:
            return False
        step *= shape[axis]
    return True
