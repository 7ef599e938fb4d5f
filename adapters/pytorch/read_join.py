"""Reads PyTorch's ops that join tensors and part them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from adapters.pytorch.aten import aten
from adapters.pytorch.promotion import common_type
from adapters.pytorch.read_shape import END
from ir_hub.ir.dims import Dim, ceildiv
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import axis_of, cast, only, rank_of, shape_of


@aten("cat.default", "concat.default")
def cat(b: Builder, tensors: Sequence[Value], dim: int = 0) -> Any:
    parts = [t for t in tensors if t.shape != (0,) or len(tensors) == 1] or list(tensors[:1])
    dtype = common_type(*tensors)
    parts = [cast(b, part, dtype) for part in parts]
    return parts[0] if len(parts) == 1 else b.concat(tuple(parts), axis=axis_of(parts[0], dim))


@aten("stack.default")
def stack(b: Builder, tensors: Sequence[Value], dim: int = 0) -> Any:
    dtype, axis = common_type(*tensors), dim % (rank_of(tensors[0]) + 1)
    parts = tuple(b.unsqueeze(cast(b, part, dtype), (axis,)) for part in tensors)
    return b.concat(parts, axis=axis)


@aten("split.Tensor")
def split(b: Builder, x: Value, split_size: Dim, dim: int = 0) -> Any:
    size = shape_of(x)[axis_of(x, dim)]
    whole = isinstance(size, int) and isinstance(split_size, int)
    only(whole, "split of an open size")
    return _parts(b, x, int(size), int(split_size), dim)


@aten("split_with_sizes.default", "split.sizes")
def split_with_sizes(
    b: Builder,
    x: Value,
    split_sizes: Sequence[Dim] | None = None,
    dim: int = 0,
    split_size: Sequence[Dim] | None = None,
) -> Any:
    sizes = tuple(split_size if split_sizes is None else split_sizes)  # type: ignore[arg-type]
    return b.split(x, sizes, axis=axis_of(x, dim), count=len(sizes))


@aten("chunk.default")
def chunk(b: Builder, x: Value, chunks: int, dim: int = 0) -> Any:
    size = shape_of(x)[axis_of(x, dim)]
    if isinstance(size, int):
        return _parts(b, x, size, max(-(-size // chunks), 1), dim)
    each = ceildiv(size, chunks)  # the file was exported for this many chunks
    sizes = (*(each,) * (chunks - 1), size - each * (chunks - 1))
    return b.split(x, sizes, axis=axis_of(x, dim), count=chunks)


@aten("tensor_split.indices")
def tensor_split(b: Builder, x: Value, indices: Sequence[Dim], dim: int = 0) -> Any:
    """The parts before, between and after the indices."""
    axis = axis_of(x, dim)
    size = shape_of(x)[axis]
    known = [index for index in (*indices, size) if isinstance(index, int)]
    if len(known) == len(indices) + 1 and known == sorted(known) and known[0] >= 0:
        sizes = tuple(end - start for start, end in pairwise((0, *known)))
        return b.split(x, sizes, axis=axis, count=len(sizes))
    return tuple(
        b.slice(x, (start,), (end,), (axis,), (1,)) for start, end in pairwise((0, *indices, END))
    )


@aten("tensor_split.sections")
def tensor_split_evenly(b: Builder, x: Value, sections: Dim, dim: int = 0) -> Any:
    """Parts of one size, the first ones with an element more where it doesn't divide."""
    axis = axis_of(x, dim)
    size = shape_of(x)[axis]
    only(isinstance(size, int) and isinstance(sections, int), "tensor_split of an open size")
    each, more = divmod(int(size), int(sections))
    sizes = tuple(each + (i < more) for i in range(int(sections)))
    return b.split(x, None if not more else sizes, axis=axis, count=len(sizes))


def _parts(b: Builder, x: Value, size: int, each: int, dim: int) -> Any:
    count = max(-(-size // each), 1)
    if count == 1:
        return (x,)
    sizes = (*(each,) * (count - 1), size - each * (count - 1))
    equal = len(set(sizes)) == 1
    return b.split(x, None if equal else sizes, axis=axis_of(x, dim), count=count)


@aten("unbind.int")
def unbind(b: Builder, x: Value, dim: int = 0) -> Any:
    axis = axis_of(x, dim)
    count = shape_of(x)[axis]
    only(isinstance(count, int), "unbind of an open size")
    if count == 1:
        return (b.squeeze(x, (axis,)),)
    parts = b.split(x, None, axis=axis, count=count)
    return tuple(b.squeeze(part, (axis,)) for part in parts)


@aten("diff.default")
def diff(
    b: Builder, x: Value, n: int = 1, dim: int = -1,
    prepend: Value | None = None, append: Value | None = None,
) -> Any:  # fmt: skip
    """What each item of an axis has more than the one before it."""
    axis = axis_of(x, dim)
    only(n == 1 and x.dtype is not DType.BOOL, "differences of differences, or of truth values")
    whole = cat(b, [part for part in (prepend, x, append) if part is not None], axis)
    later = b.slice(whole, (1,), (END,), (axis,), (1,))
    return b.sub(later, b.slice(whole, (0,), (-1,), (axis,), (1,)))
