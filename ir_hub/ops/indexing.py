"""Reading and writing elements by their place."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.types import Shape
from ir_hub.ops.families import OpenShape, Ranked
from ir_hub.ops.op import Array, Sizes, op
from ir_hub.ops.precision import widened
from ir_hub.ops.shape_rules import axis_of, same_rule

_COMBINE = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


@op(symbolic=True)
def gather(x: Array, indices: Array, *, axis: int = 0) -> Array:
    """The slices of x along the axis that the indices name; the indices' axes take its place."""
    return np.take(x, indices.astype(np.int64), axis=axis)


@gather.shape
def _(x: Ranked, indices: Ranked, *, axis: int) -> Shape:
    number = axis_of(axis, len(x.shape))
    return (*x.shape[:number], *indices.shape, *x.shape[number + 1 :])


@op(shape=lambda x, indices, *, axis: indices.shape)
def gather_elements(x: Array, indices: Array, *, axis: int = 0) -> Array:
    """For each index the element of x in its place, but for the axis, where the index says."""
    return x[_places(x, indices, axis)]


@op()
def gather_nd(x: Array, indices: Array, *, batch_dims: int = 0) -> Array:
    """The elements or slices of x that the rows of the indices name: the last axis of the indices
    holds places along the first axes of x after `batch_dims` ones, which go in step."""
    rows = np.moveaxis(indices.astype(np.int64), -1, 0)
    batch = np.ogrid[tuple(slice(n) for n in indices.shape[:batch_dims])] if batch_dims else []
    inner = rows.ndim - 1 - batch_dims
    steps = [grid.reshape(grid.shape + (1,) * inner) for grid in batch]
    return x[(*steps, *rows)]


@gather_nd.shape
def _(x: Ranked, indices: Ranked, *, batch_dims: int) -> OpenShape | None:
    depth = indices.shape[-1]
    if not isinstance(depth, int):
        return None
    if batch_dims + depth > len(x.shape):
        raise ValueError(f"gather_nd of places with {depth} numbers in a tensor of {x.shape}")
    return (*indices.shape[:-1], *x.shape[batch_dims + depth :])


@op(shape=same_rule)
def scatter_elements(
    x: Array, indices: Array, updates: Array, *, axis: int = 0, reduction: str = "none"
) -> Array:
    """x with the updates in their places, but for the axis, where the indices say; written over
    what was there, or combined with it by "add", "mul", "max" or "min"."""
    return _written(x, _places(x, indices, axis), updates, reduction)


@op(shape=same_rule)
def scatter_nd(x: Array, indices: Array, updates: Array, *, reduction: str = "none") -> Array:
    """x with the updates written where the rows of the indices say: the last axis of the indices
    holds places along the first axes of x. What was there is combined as in scatter_elements."""
    rows = np.moveaxis(indices.astype(np.int64), -1, 0)
    return _written(x, tuple(rows), updates, reduction)


@op(shape=same_rule)
def tensor_scatter(
    x: Array,
    update: Array,
    write_indices: Array | None = None,
    *,
    axis: int = -2,
    mode: str = "linear",
) -> Array:
    """A cache x with the update written along the axis, for each element of the first axis from
    the place in `write_indices` on (0 by default); "circular" goes on at the front past the end.
    """
    number = axis_of(axis, x.ndim)
    size, count = x.shape[number], update.shape[number]
    starts = np.zeros(len(x), np.int64) if write_indices is None else write_indices
    found = np.moveaxis(x, number, 1).copy()
    source = np.moveaxis(update, number, 1)
    for batch, start in enumerate(starts.tolist()):
        places = np.arange(start, start + count)
        if mode == "linear" and start + count > size:
            raise ValueError(f"tensor_scatter of {count} elements at {start} in {size}")
        found[batch, places % size] = source[batch]
    return np.moveaxis(found, 1, number)


@op(dtypes=("values",))
def one_hot(indices: Array, depth: Sizes, values: Array, *, axis: int = -1) -> Array:
    """values[1] where the place along a new axis of size `depth` is the index, values[0] elsewhere.
    Negative indices count from the end; beyond the axis there is no place."""
    places = np.floor(widened(indices)).astype(np.int64)
    number = axis_of(axis, indices.ndim + 1)
    wrapped = np.expand_dims(np.where(places < 0, places + depth[0], places), number)
    along = np.arange(depth[0]).reshape((-1,) + (1,) * (indices.ndim - number))
    return np.where(wrapped == along, values[1], values[0]).astype(values.dtype)


@one_hot.shape
def _(indices: Ranked, depth: object, values: Ranked, *, axis: int) -> OpenShape:
    number = axis_of(axis, len(indices.shape) + 1)
    size: Dim | None = depth[0] if isinstance(depth, tuple) else None
    return (*indices.shape[:number], size, *indices.shape[number:])


@op()
def compress(x: Array, condition: Array, *, axis: int | None = None) -> Array:
    """The slices of x along the axis, or its elements in row-major order, whose condition is true;
    a condition that is too short is false from there on."""
    return np.take(x, np.flatnonzero(condition), axis=axis)


@compress.shape
def _(x: Ranked, condition: Ranked, *, axis: int | None) -> OpenShape:
    if axis is None:
        return (None,)
    number = axis_of(axis, len(x.shape))
    return (*x.shape[:number], None, *x.shape[number + 1 :])


def _places(x: Array, indices: Array, axis: int) -> tuple[Array, ...]:
    """Each index's own place in x, with the index itself along the axis."""
    grid: list[Array] = list(np.indices(indices.shape, sparse=True))
    grid[axis_of(axis, x.ndim)] = indices.astype(np.int64)
    return tuple(grid)


def _written(x: Array, places: tuple[Array, ...], updates: Array, reduction: str) -> Array:
    if reduction == "none":
        found = x.copy()
        found[places] = updates
        return found
    wide = widened(x).copy()
    if x.dtype == np.bool_ and reduction in ("add", "mul"):
        raise ValueError(f"scatter of booleans by {reduction}")
    _COMBINE[reduction].at(wide, places, widened(updates))
    return wide.astype(x.dtype)
