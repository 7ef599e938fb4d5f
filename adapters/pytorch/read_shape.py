"""Reads PyTorch's ops that change shapes, join and part tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import Operand, aten, operand
from adapters.pytorch.reshaping import moved
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import axis_of, cast, only, rank_of, shape_of

END = (1 << 63) - 1


@aten("sym_size.int")
def sym_size(b: Builder, x: Value, dim: int) -> Any:
    axis = axis_of(x, dim)
    return b.reshape(b.shape_of(x, start=axis, end=axis + 1), ())


@aten("sym_numel.default")
def sym_numel(b: Builder, x: Value) -> Any:
    return b.size_of(x)


@aten("view.default", "reshape.default", "_unsafe_view.default")
def view(
    b: Builder, x: Value, size: Sequence[Dim] | None = None, shape: Sequence[Dim] | None = None
) -> Any:
    sizes = tuple(shape if size is None else size)  # type: ignore[arg-type]
    if 0 in sizes:
        return b.reshape(x, sizes, allow_zero=True)
    if sizes[:1] == shape_of(x)[:1] and sizes[1:] == (-1,):
        return b.flatten(x, axis=1)
    return b.reshape(x, sizes)


@aten("view_as.default", "reshape_as.default")
def view_as(b: Builder, x: Value, other: Value) -> Any:
    return b.reshape(x, shape_of(other))


@aten("flatten.using_ints")
def flatten(b: Builder, x: Value, start_dim: int = 0, end_dim: int = -1) -> Any:
    if rank_of(x) == 0:
        return b.reshape(x, (1,))
    start, end = axis_of(x, start_dim), axis_of(x, end_dim)
    if start == end:
        return x
    if start == 1 and end == rank_of(x) - 1:
        return b.flatten(x, axis=1)
    sizes = shape_of(x)
    return b.reshape(x, (*sizes[:start], -1, *sizes[end + 1 :]))


@aten("unflatten.int")
def unflatten(b: Builder, x: Value, dim: int, sizes: Sequence[Dim]) -> Any:
    axis, own = axis_of(x, dim), shape_of(x)
    return b.reshape(x, (*own[:axis], *sizes, *own[axis + 1 :]))


@aten("permute.default")
def permute(b: Builder, x: Value, dims: Sequence[int]) -> Any:
    return moved(b, x, [axis_of(x, d) for d in dims])


@aten("transpose.int", "swapaxes.default", "swapdims.default")
def transpose(
    b: Builder, x: Value, dim0: int | None = None, dim1: int | None = None,
    axis0: int | None = None, axis1: int | None = None,
) -> Any:  # fmt: skip
    first = axis_of(x, axis0 if dim0 is None else dim0)  # type: ignore[arg-type]
    second = axis_of(x, axis1 if dim1 is None else dim1)  # type: ignore[arg-type]
    order = list(range(rank_of(x)))
    if order:
        order[first], order[second] = second, first
    return moved(b, x, order)


@aten("t.default", "numpy_T.default")
def reversed_axes(b: Builder, x: Value) -> Any:
    return moved(b, x, range(rank_of(x))[::-1])


@aten("mT.default")
def last_two(b: Builder, x: Value) -> Any:
    return transpose(b, x, -2, -1)


@aten("movedim.intlist", "movedim.int", "moveaxis.intlist", "moveaxis.int")
def movedim(
    b: Builder, x: Value, source: int | Sequence[int], destination: int | Sequence[int]
) -> Any:
    sources, places = (
        [axis_of(x, d) for d in ((item,) if isinstance(item, int) else item)]
        for item in (source, destination)
    )
    order = [axis for axis in range(rank_of(x)) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return moved(b, x, order)


@aten("unsqueeze.default")
def unsqueeze(b: Builder, x: Value, dim: int) -> Any:
    return b.unsqueeze(x, (dim % (rank_of(x) + 1),))


@aten("squeeze.default", "squeeze.dim", "squeeze.dims")
def squeeze(b: Builder, x: Value, dim: int | Sequence[int] | None = None) -> Any:
    """Axes of another size than 1 stay. An open size counts as another one, as in the file."""
    named = range(rank_of(x)) if dim is None else (dim,) if isinstance(dim, int) else dim
    axes = [axis_of(x, d) for d in named] if rank_of(x) else []
    ones = tuple(axis for axis in axes if shape_of(x)[axis] == 1)
    return b.squeeze(x, ones) if ones else x


@aten("expand.default", "broadcast_to.default")
def expand(b: Builder, x: Value, size: Sequence[Dim], implicit: bool = False) -> Any:
    own = (*(1,) * (len(size) - rank_of(x)), *shape_of(x))
    sizes = tuple(a if n == -1 else n for n, a in zip(size, own, strict=True))
    return x if sizes == shape_of(x) else b.expand(x, sizes)


@aten("expand_as.default")
def expand_as(b: Builder, x: Value, other: Value) -> Any:
    return expand(b, x, shape_of(other))


@aten("repeat.default", "tile.default")
def repeat(
    b: Builder, x: Value, repeats: Sequence[Dim] | None = None, dims: Sequence[Dim] | None = None
) -> Any:
    counts = tuple(dims if repeats is None else repeats)  # type: ignore[arg-type]
    counts = (*(1,) * (rank_of(x) - len(counts)), *counts)
    more = len(counts) - rank_of(x)
    sizes = (*(1,) * more, *shape_of(x))
    if all(1 in (size, count) for size, count in zip(sizes, counts, strict=True)):
        return expand(b, x, tuple(s * n for s, n in zip(sizes, counts, strict=True)))
    return b.tile(b.unsqueeze(x, tuple(range(more))) if more else x, counts)


@aten("select.int")
def select(b: Builder, x: Value, dim: int, index: Operand) -> Any:
    axis = axis_of(x, dim)
    return b.gather(x, operand(b, index, DType.INT64), axis=axis)


@aten("slice.Tensor")
def slice_(
    b: Builder,
    x: Value,
    dim: int = 0,
    start: Dim | None = None,
    end: Dim | None = None,
    step: int = 1,
) -> Any:
    first, last = 0 if start is None else start, END if end is None else end
    axis = axis_of(x, dim)
    if step == 1 and first == 0 and last in (END, shape_of(x)[axis]):
        return x
    return b.slice(x, (first,), (last,), (axis,), (step,))


@aten("narrow.default")
def narrow(b: Builder, x: Value, dim: int, start: Dim, length: Dim) -> Any:
    end = start + length
    return b.slice(x, (start,), (END if start == -length else end,), (axis_of(x, dim),), (1,))


@aten("flip.default")
def flip(b: Builder, x: Value, dims: Sequence[int]) -> Any:
    return b.reverse(x, axes=tuple(axis_of(x, d) for d in dims)) if dims else x


@aten("roll.default")
def roll(b: Builder, x: Value, shifts: int | Sequence[int], dims: Any = ()) -> Any:
    places = (dims,) if isinstance(dims, int) else tuple(dims)
    by = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if not places:
        flat = b.reshape(x, (-1,))
        return b.reshape(roll(b, flat, by, (0,)), shape_of(x))
    for shift, dim in zip(by, places, strict=True):
        axis = axis_of(x, dim)
        size = shape_of(x)[axis]
        cut = -shift % size if isinstance(size, int) and size else -shift
        if cut:
            tail = b.slice(x, (cut,), (END,), (axis,), (1,))
            x = b.concat((tail, b.slice(x, (0,), (cut,), (axis,), (1,))), axis=axis)
    return x


_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@aten("pad.default")
def pad(
    b: Builder, x: Value, pad: Sequence[Dim], mode: str = "constant", value: Operand | None = None
) -> Any:
    """The last axis comes first, each with its begin and end."""
    only(mode in _MODES, f"the padding mode {mode!r}")
    count = len(pad) // 2
    begins, ends = tuple(pad[0::2][::-1]), tuple(pad[1::2][::-1])
    axes = tuple(range(rank_of(x) - count, rank_of(x)))
    used = value if _MODES[mode] == "constant" and value != 0 else None
    fill = None if used is None else cast(b, operand(b, used, x.dtype), x.dtype)  # type: ignore[arg-type]
    return b.pad(x, (*begins, *ends), fill, axes, mode=_MODES[mode])


@aten("constant_pad_nd.default")
def constant_pad(b: Builder, x: Value, pad: Sequence[Dim], value: Operand = 0) -> Any:
    return _pad(b, x, pad, "constant", value)


def _padded(mode: str) -> Any:
    def rule(b: Builder, x: Value, padding: Sequence[Dim]) -> Any:
        return _pad(b, x, padding, mode)

    return rule


_pad = pad
for _n in (1, 2, 3):
    aten(f"reflection_pad{_n}d.default")(_padded("reflect"))
    aten(f"replication_pad{_n}d.default")(_padded("replicate"))


@aten("tril.default")
def tril(b: Builder, x: Value, diagonal: int = 0) -> Any:
    return b.trilu(x, b.constant(np.int64(diagonal)) if diagonal else None, upper=False)


@aten("triu.default")
def triu(b: Builder, x: Value, diagonal: int = 0) -> Any:
    return b.trilu(x, b.constant(np.int64(diagonal)) if diagonal else None, upper=True)


@aten("meshgrid.default", "meshgrid.indexing")
def meshgrid(b: Builder, tensors: Sequence[Value], indexing: str = "ij") -> Any:
    only(indexing == "ij", "meshgrid with the first two axes swapped")
    sizes = tuple(shape_of(t)[0] if t.shape else 1 for t in tensors)
    count = len(tensors)
    lying = [b.reshape(t, (*(1,) * i, -1, *(1,) * (count - i - 1))) for i, t in enumerate(tensors)]
    return tuple(b.expand(t, sizes) for t in lying)
