"""Reads PyTorch's ops that put elements by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.pytorch.aten import Operand, aten, operand
from adapters.pytorch.read_indexing import places_of
from adapters.pytorch.reshaping import moved
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import axis_of, cast, dtype_of, only, rank_of, shape_of

_REDUCTIONS = {"sum": "add", "add": "add", "prod": "mul", "multiply": "mul", "amax": "max",
               "amin": "min"}  # fmt: skip


@aten("index_put.default")
def index_put(
    b: Builder, x: Value, indices: Sequence[Value | None], values: Value, accumulate: bool = False
) -> Any:
    axes = [axis for axis, item in enumerate(indices) if item is not None]
    items = [item for item in indices if item is not None]
    if len(items) == 1 and items[0].dtype is DType.BOOL:
        only(axes == [0], "putting by a mask of axes that aren't the first ones")
        only(values.shape == () and not accumulate, "putting several values by a mask")
        more = rank_of(x) - rank_of(items[0])
        mask = (
            b.unsqueeze(items[0], tuple(range(rank_of(x) - more, rank_of(x)))) if more else items[0]
        )
        return b.where(mask, values, x)
    only(bool(items) and all(dtype_of(item).is_integer for item in items), "putting by a mask")
    places = places_of(b, items)
    width, others = rank_of(places) - 1, [a for a in range(rank_of(x)) if a not in axes]
    # The places lie where the first index is, if all indices are of neighbouring axes.
    first = axes[0] if axes == list(range(axes[0], axes[0] + len(axes))) else 0
    rest = [shape_of(x)[axis] for axis in others]
    shape = (*rest[:first], *shape_of(places)[:-1], *rest[first:])
    updates = values if values.shape == shape else b.expand(values, shape)
    leading = [*range(first, first + width), *range(first), *range(first + width, len(shape))]
    return _put(b, x, [*axes, *others], places, moved(b, updates, leading),
                "add" if accumulate else "none")  # fmt: skip


def _put(
    b: Builder, x: Value, order: Sequence[int], places: Value, updates: Value, how: str
) -> Any:
    """Puts into x with its axes in an order, and has them as they were."""
    found = b.scatter_nd(moved(b, x, order), places, updates, reduction=how)
    return moved(b, found, [order.index(axis) for axis in range(len(order))])


def _put_along(b: Builder, x: Value, dim: int, index: Value, source: Value, how: str) -> Any:
    """Puts whole items of one axis."""
    axis = axis_of(x, dim)
    order = [axis, *(other for other in range(rank_of(x)) if other != axis)]
    return _put(b, x, order, places_of(b, [index]), moved(b, source, order), how)


@aten("index_add.default")
def index_add(
    b: Builder, x: Value, dim: int, index: Value, source: Value, alpha: Operand = 1
) -> Any:
    if isinstance(alpha, Value) or alpha != 1:
        source = b.mul(source, operand(b, alpha, dtype_of(source)))
    return _put_along(b, x, dim, index, source, "add")


@aten("index_copy.default")
def index_copy(b: Builder, x: Value, dim: int, index: Value, source: Value) -> Any:
    return _put_along(b, x, dim, index, source, "none")


@aten("index_fill.int_Scalar", "index_fill.int_Tensor")
def index_fill(b: Builder, x: Value, dim: int, index: Value, value: Operand) -> Any:
    axis, sizes = axis_of(x, dim), shape_of(x)
    shape = (*sizes[:axis], *shape_of(index), *sizes[axis + 1 :])
    filled = b.expand(cast(b, operand(b, value, dtype_of(x)), x.dtype), shape)
    return _put_along(b, x, dim, index, filled, "none")


@aten("scatter.src", "scatter.value", "scatter.reduce", "scatter.value_reduce")
def scatter(
    b: Builder, x: Value, dim: int, index: Value, src: Value | None = None, value: Operand = 0,
    reduce: str = "",
) -> Any:  # fmt: skip
    if src is None:
        filled = cast(b, operand(b, value, dtype_of(x)), x.dtype)
        src = b.expand(filled, shape_of(index))
    return _scatter(b, x, dim, index, src, _REDUCTIONS[reduce] if reduce else "none")


@aten("scatter_add.default")
def scatter_add(b: Builder, x: Value, dim: int, index: Value, src: Value) -> Any:
    return _scatter(b, x, dim, index, src, "add")


@aten("scatter_reduce.two")
def scatter_reduce(
    b: Builder, x: Value, dim: int, index: Value, src: Value, reduce: str,
    include_self: bool = True,
) -> Any:  # fmt: skip
    only(reduce in _REDUCTIONS, f"scattering by their {reduce}")
    only(include_self, "scattering that leaves out what was there")
    return _scatter(b, x, dim, index, src, _REDUCTIONS[reduce])


def _scatter(b: Builder, x: Value, dim: int, index: Value, src: Value, how: str) -> Any:
    """The source may be larger than the index, whose part is scattered then."""
    sizes = list(zip(shape_of(src), shape_of(index), strict=True))
    longer = [axis for axis, (size, wanted) in enumerate(sizes) if size != wanted]
    if longer:
        ends = tuple(sizes[axis][1] for axis in longer)
        src = b.slice(src, (0,) * len(longer), ends, tuple(longer), (1,) * len(longer))
    return b.scatter_elements(x, index, src, axis=axis_of(x, dim), reduction=how)


@aten("select_scatter.default")
def select_scatter(b: Builder, x: Value, src: Value, dim: int, index: int) -> Any:
    axis = axis_of(x, dim)
    return slice_scatter(b, x, b.unsqueeze(src, (axis,)), axis, index, index + 1 or None)


@aten("slice_scatter.default")
def slice_scatter(
    b: Builder, x: Value, src: Value, dim: int = 0, start: int | None = None,
    end: int | None = None, step: int = 1,
) -> Any:  # fmt: skip
    axis = axis_of(x, dim)
    size = shape_of(x)[axis]
    only(isinstance(size, int) and step == 1, "putting a slice into an open size")
    first, last, _ = slice(start, end).indices(int(size))
    parts = [
        b.slice(x, (0,), (first,), (axis,), (1,)) if first > 0 else None,
        src,
        b.slice(x, (last,), (size,), (axis,), (1,)) if last < size else None,
    ]
    present = tuple(part for part in parts if part is not None)
    return present[0] if len(present) == 1 else b.concat(present, axis=axis)
