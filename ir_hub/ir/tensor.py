"""Constants: arrays in memory, and arrays that lie in a blob until they are read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ir_hub.ir.types import DType


@dataclass(frozen=True)
class Blob:
    """Bytes by content: SHA-256 as lowercase hexadecimal, and how many bytes."""

    digest: str
    size: int


class Tensor(Protocol):
    """A constant; its shape and type cost nothing, its elements may cost reading a file."""

    @property
    def dtype(self) -> DType:
        """The type of an element."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes, after any permutation."""

    def numpy(self) -> np.ndarray:
        """The elements, as a read-only view wherever that is possible."""

    def permuted(self, permutation: Sequence[int]) -> Tensor:
        """The same bytes with their axes in another order; nothing is moved."""

    def with_axes(self, axes: Sequence[int | None]) -> Tensor:
        """The same bytes, where axis i is the axis `axes[i]`, or a new one of size 1 for None.

        An axis that isn't named goes; ValueError when its size isn't 1. Nothing is moved.
        """


@dataclass(frozen=True, eq=False)
class ArrayTensor:
    """A constant in memory; TypeError when it is of objects that are no texts."""

    array: np.ndarray

    def __post_init__(self) -> None:
        if self.array.dtype.kind == "O":
            for item in self.array.flat:
                _text(item)

    @property
    def dtype(self) -> DType:
        """The type of an element."""
        return DType.of(self.array.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""
        return self.array.shape

    def numpy(self) -> np.ndarray:
        """The array itself."""
        return self.array

    def permuted(self, permutation: Sequence[int]) -> ArrayTensor:
        """A transposed view."""
        return ArrayTensor(self.array.transpose(permutation))

    def with_axes(self, axes: Sequence[int | None]) -> ArrayTensor:
        """A view with other axes of size 1."""
        shape, order = _with_axes(self.shape, range(self.array.ndim), axes)
        return ArrayTensor(self.array.reshape(shape).transpose(order))


@dataclass(frozen=True, eq=False)
class BlobTensor:
    """A constant in a blob. `stored_shape` is the order of the bytes; axis i is stored axis
    `permutation[i]`. `open_blob` maps a blob into memory."""

    blob: Blob
    offset: int
    dtype: DType
    stored_shape: tuple[int, ...]
    open_blob: Callable[[Blob], memoryview]
    permutation: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes, after the permutation."""
        return tuple(self.stored_shape[axis] for axis in self._axes())

    def numpy(self) -> np.ndarray:
        """A view of the mapped blob; packed and string types are unpacked into memory."""
        array = decode(self.open_blob(self.blob), self.dtype, self.stored_shape, self.offset)
        return array.transpose(self._axes()) if self.permutation else array

    def permuted(self, permutation: Sequence[int]) -> BlobTensor:
        """The same bytes, read in another order."""
        return self.with_axes(permutation)

    def with_axes(self, axes: Sequence[int | None]) -> BlobTensor:
        """The same bytes, read with other axes of size 1."""
        shape, order = _with_axes(self.stored_shape, self._axes(), axes)
        in_order = order == tuple(range(len(order)))
        return replace(self, stored_shape=shape, permutation=() if in_order else order)

    def _axes(self) -> tuple[int, ...]:
        return self.permutation or tuple(range(len(self.stored_shape)))


@dataclass(frozen=True, eq=False)
class ReshapedTensor:
    """A constant with the elements of another one in another shape. `stored_shape` is that shape;
    axis i is its axis `permutation[i]`. Elements are read, and moved, when they are asked for."""

    base: Tensor
    stored_shape: tuple[int, ...]
    permutation: tuple[int, ...]

    @property
    def dtype(self) -> DType:
        """The type of an element."""
        return self.base.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes, after the permutation."""
        return tuple(self.stored_shape[axis] for axis in self.permutation)

    def numpy(self) -> np.ndarray:
        """The elements; a copy where the other constant's aren't in order."""
        return self.base.numpy().reshape(self.stored_shape).transpose(self.permutation)

    def permuted(self, permutation: Sequence[int]) -> ReshapedTensor:
        """The same elements, to be read in another order."""
        return self.with_axes(permutation)

    def with_axes(self, axes: Sequence[int | None]) -> ReshapedTensor:
        """The same elements, with other axes of size 1."""
        return ReshapedTensor(self.base, *_with_axes(self.stored_shape, self.permutation, axes))


def reshaped(tensor: Tensor, shape: Sequence[int]) -> ReshapedTensor:
    """The elements of a constant, in row-major order, in another shape; nothing is read yet."""
    return ReshapedTensor(tensor, tuple(shape), tuple(range(len(shape))))


def _with_axes(
    shape: Sequence[int], permutation: Sequence[int], axes: Sequence[int | None]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What `Tensor.with_axes` makes of a stored shape and its permutation."""
    sources = [None if axis is None else permutation[axis] for axis in axes]
    kept = sorted(source for source in sources if source is not None)
    gone = [size for axis, size in enumerate(shape) if axis not in kept]
    if any(size != 1 for size in gone):
        raise ValueError(f"the axes {tuple(axes)} leave out axes of the sizes {gone}")
    if kept == [source for source in sources if source is not None]:
        stored = tuple(1 if source is None else shape[source] for source in sources)
        return stored, tuple(range(len(stored)))
    new = itertools.count(len(kept))  # the last ones of the stored axes: there they move nothing
    order = tuple(next(new) if source is None else kept.index(source) for source in sources)
    return tuple(shape[axis] for axis in kept) + (1,) * sources.count(None), order


def byte_size(dtype: DType, shape: Sequence[int]) -> int:
    """Bytes that a tensor takes in a blob; strings have no fixed size: ValueError."""
    if dtype is DType.STRING:
        raise ValueError("the size of a string tensor depends on its elements")
    return (math.prod(shape) * dtype.bits + 7) // 8


def least_byte_size(dtype: DType, shape: Sequence[int]) -> int:
    """Bytes that a tensor takes in a blob at least: of strings, what empty ones take."""
    return 8 * math.prod(shape) if dtype is DType.STRING else byte_size(dtype, shape)


def decode(
    buffer: bytes | memoryview, dtype: DType, shape: Sequence[int], offset: int = 0
) -> np.ndarray:
    """Reads a tensor from bytes in the IR's one representation (see Tensor in ir.proto).

    Raises:
        ValueError: the buffer is too short, a bool is neither 0 nor 1, or the strings make no
            sense.
    """
    count = math.prod(shape)
    needed = least_byte_size(dtype, shape)
    if offset < 0 or memoryview(buffer).nbytes - offset < needed:
        raise ValueError(
            f"a tensor of {needed} bytes at offset {offset} "
            f"does not fit a blob of {memoryview(buffer).nbytes} bytes"
        )
    if dtype is DType.STRING:
        return _decode_strings(memoryview(buffer)[offset:], count).reshape(shape)
    if dtype is DType.BOOL and np.frombuffer(buffer, np.uint8, count, offset).max(initial=0) > 1:
        raise ValueError(f"a bool of the {count} at offset {offset} is neither 0 nor 1")
    if dtype.bits >= 8:
        return np.frombuffer(buffer, dtype.numpy, count, offset).reshape(shape)
    packed = np.frombuffer(buffer, np.uint8, needed, offset)
    return _unpack(packed, dtype, count).reshape(shape)


def encode(array: np.ndarray) -> bytes:
    """Writes a tensor in the IR's one representation: the inverse of `decode`."""
    return byte_view(array).tobytes()


def byte_view(array: np.ndarray) -> memoryview:
    """The bytes that `encode` writes; where the array has just these in memory, no copy of them.

    Raises:
        TypeError: there is no element type for the array, or an element isn't a text.
    """
    dtype = DType.of(array.dtype)
    if dtype is DType.STRING:
        return memoryview(_encode_strings(array))
    if dtype.bits < 8:
        return memoryview(_pack(array, dtype))
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8).data


def _unpack(packed: np.ndarray, dtype: DType, count: int) -> np.ndarray:
    bits, per_byte = dtype.bits, 8 // dtype.bits
    shifts = np.arange(per_byte, dtype=np.uint8) * bits
    fields = (packed[:, None] >> shifts) & (2**bits - 1)
    codes: np.ndarray = fields.reshape(-1)[:count].astype(np.uint8)
    if dtype in (DType.INT4, DType.INT2):
        sign = np.uint8(2 ** (bits - 1))
        return ((codes ^ sign).astype(np.int8) - np.int8(sign)).astype(dtype.numpy)
    return codes.view(dtype.numpy) if dtype.is_float else codes.astype(dtype.numpy)


def _pack(array: np.ndarray, dtype: DType) -> bytes:
    bits, per_byte = dtype.bits, 8 // dtype.bits
    flat = np.ascontiguousarray(array).reshape(-1)
    codes = flat.view(np.uint8) if dtype.is_float else flat.astype(np.int8).astype(np.uint8)
    codes = np.concatenate([codes, np.zeros(-len(codes) % per_byte, np.uint8)])
    shifts = np.arange(per_byte, dtype=np.uint8) * bits
    fields = (codes.reshape(-1, per_byte) & (2**bits - 1)) << shifts
    packed: np.ndarray = np.bitwise_or.reduce(fields, axis=1).astype(np.uint8)
    return packed.tobytes()


def _decode_strings(view: memoryview, count: int) -> np.ndarray:
    ends = np.frombuffer(view, "<i8", count)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if count else ends
    text = view[8 * count :]
    if np.any(ends < starts) or (count and (starts[0] < 0 or ends[-1] > text.nbytes)):
        raise ValueError("the end offsets of a string tensor are out of order or out of range")
    array = np.empty(count, dtype=object)
    array[:] = [bytes(text[a:b]).decode() for a, b in zip(starts, ends, strict=True)]
    return array


def _encode_strings(array: np.ndarray) -> bytes:
    items = [_text(item) for item in array.reshape(-1).tolist()]
    ends = np.cumsum([len(item) for item in items], dtype="<i8")
    return ends.tobytes() + b"".join(items)


def _text(item: object) -> bytes:
    if isinstance(item, bytes):
        item = item.decode()
    if not isinstance(item, str):
        raise TypeError(f"{item!r} is in a tensor of strings, but is no text")
    return item.encode()
