"""Reads what takes parts of tensors, looks up in them, and joins them."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.tensorflow.dialect import END
from adapters.tensorflow.saved.reading import op
from adapters.tensorflow.saved.sizes import axes_of, elements, int_of, ints_of, sizes_of
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import axis_of, dtype_of, only, rank_of, shape_of

Cut = tuple[Dim, Dim, int, int]  # from, up to, of the axis, by


@op("StridedSlice")
def strided_slice(
    b: Builder, x: Value, begin: Value, end: Value, strides: Value, *, begin_mask: int,
    end_mask: int, ellipsis_mask: int, new_axis_mask: int, shrink_axis_mask: int,
) -> Any:  # fmt: skip
    """One item for each axis: a range, one place, a new axis, or all axes in between."""
    starts, ends = sizes_of(begin, "where it begins"), sizes_of(end, "where it ends")
    by = ints_of(strides, "its steps")
    only(len(starts) == len(ends) == len(by), "its begin, end and strides are of several lengths")
    kinds = _kinds(len(by), ellipsis_mask, new_axis_mask, shrink_axis_mask)
    cuts: list[Cut] = []
    gone, new, axis, result = [], [], 0, 0
    for i, kind in enumerate(kinds):
        if kind == "place":
            last = END if starts[i] == -1 else starts[i] + 1
            cuts.append((starts[i], last, axis, 1))
            gone.append(axis)
        elif kind == "range":
            open_ends = bool(begin_mask >> i & 1), bool(end_mask >> i & 1)
            cuts.append(_range(starts[i], ends[i], axis, by[i], *open_ends))
        elif kind == "new":
            new.append(result)
        skipped = rank_of(x) - kinds.count("place") - kinds.count("range")
        axis += skipped if kind == "rest" else kind != "new"
        result += skipped if kind == "rest" else kind != "place"
    only(axis <= rank_of(x), f"it takes {axis} axes of {rank_of(x)}")
    cuts = [cut for cut in cuts if (*cut[:2], cut[3]) != (0, END, 1)]
    if cuts:
        x = b.slice(x, *(tuple(cut[k] for cut in cuts) for k in range(4)))
    x = b.squeeze(x, tuple(gone)) if gone else x
    return b.unsqueeze(x, tuple(new)) if new else x


def _kinds(count: int, ellipsis: int, new: int, shrink: int) -> list[str]:
    """What each item is, by the bits of the masks."""
    masks = (("rest", ellipsis), ("new", new), ("place", shrink))
    return [next((kind for kind, mask in masks if mask >> i & 1), "range") for i in range(count)]


def _range(first: Dim, last: Dim, axis: int, step: int, open_first: bool, open_last: bool) -> Cut:
    """A range; where it is open, it goes from one end to the other, by the sign of its steps."""
    backwards = step < 0
    first = (END if backwards else 0) if open_first else first
    last = (-END if backwards else END) if open_last else last
    return first, last, axis, step


@op("Slice")
def slice_(b: Builder, x: Value, begin: Value, size: Value) -> Any:
    starts, sizes = sizes_of(begin, "where it begins"), sizes_of(size, "its size")
    only(len(starts) == len(sizes) == rank_of(x), f"it takes {len(starts)} axes of {rank_of(x)}")
    ends = tuple(END if n == -1 else a + n for a, n in zip(starts, sizes, strict=True))
    return b.slice(x, starts, ends)


@op("GatherV2")
def gather(b: Builder, x: Value, indices: Value, axis: Value, *, batch_dims: int) -> Any:
    place = axis_of(x, int_of(axis, "its axis"))
    if batch_dims == 0:
        return _looked_up(b, x, indices, place)
    only(place == batch_dims, "it looks up image by image (batch_dims), beyond its first axis")
    return b.gather_nd(x, b.unsqueeze(indices, (-1,)), batch_dims=batch_dims)


@op("Gather")
def gather_first(b: Builder, x: Value, indices: Value) -> Any:
    return _looked_up(b, x, indices, 0)


@op("ResourceGather")
def gather_variable(b: Builder, x: Value, indices: Value, *, batch_dims: int) -> Any:
    only(batch_dims == 0, "it looks up image by image (batch_dims)")
    return _looked_up(b, x, indices, 0)


def _looked_up(b: Builder, x: Value, indices: Value, axis: int) -> Any:
    is_table = x.is_constant and rank_of(x) == 2 and axis == 0 and dtype_of(x).is_float
    if not is_table:
        return b.gather(x, indices, axis=axis)
    return b.embedding(_counted_from_end(indices, shape_of(x)[0]), x)


def _counted_from_end(indices: Value, size: Dim) -> Value:
    """Indices of which the negative ones were counted from the end, as they were: a table is
    looked up in so anyway."""
    chosen = indices.producer
    if chosen is None or chosen.op != "where":
        return indices
    below, moved = chosen.condition.producer, chosen.x.producer
    own = chosen.y
    is_below = below is not None and below.op == "less" and (below.x, below.y.scalar) == (own, 0)
    if not is_below or moved is None or moved.op != "add" or moved.x is not own:
        return indices
    by = elements(moved.y)
    return own if by is not None and by.size == 1 and by.item() == size else indices


@op("GatherNd")
def gather_nd(b: Builder, x: Value, indices: Value) -> Any:
    return b.gather_nd(x, indices)


@op("TensorScatterUpdate")
def scatter(b: Builder, x: Value, indices: Value, updates: Value) -> Any:
    return b.scatter_nd(x, indices, updates)


@op("TensorScatterAdd")
def scatter_add(b: Builder, x: Value, indices: Value, updates: Value) -> Any:
    return b.scatter_nd(x, indices, updates, reduction="add")


@op("Roll")
def roll(b: Builder, x: Value, shift: Value, axis: Value) -> Any:
    """What is pushed beyond the end comes in again at the beginning."""
    shifts, axes = ints_of(shift, "its shift"), ints_of(axis, "its axis")
    for by, given in zip(shifts, axes, strict=True):
        place = axis_of(x, given)
        size = shape_of(x)[place]
        only(isinstance(size, int), "the size of its axis isn't known: give the input's type")
        first = -by % size
        parts = ((first, END), (0, first))
        pieces = (b.slice(x, (a,), (z,), (place,)) for a, z in parts)
        x = b.concat(tuple(pieces), axis=place) if first else x
    return x


@op("ReverseSequence")
def reverse_sequence(b: Builder, x: Value, lengths: Value, *, seq_dim: int, batch_dim: int) -> Any:
    return b.reverse_sequence(x, lengths, batch_axis=batch_dim, time_axis=seq_dim)


@op("OneHot")
def one_hot(b: Builder, indices: Value, depth: Value, on: Value, off: Value, *, axis: int) -> Any:
    """A negative index is nowhere, as one beyond the end is."""
    (size,) = ints_of(depth, "its depth")
    zero, beyond = (b.constant(np.array(n, dtype_of(indices).numpy)) for n in (0, size))
    if not dtype_of(indices).value.startswith("u"):
        indices = b.where(b.less(indices, zero), beyond, indices)
    values = b.concat((b.reshape(off, (1,)), b.reshape(on, (1,))), axis=0)
    return b.one_hot(indices, (size,), values, axis=axis)


@op("Pack")
def pack(b: Builder, *items: Value, axis: int) -> Any:
    place = axis_of(items[0], axis, more=1)
    return b.concat(tuple(b.unsqueeze(item, (place,)) for item in items), axis=place)


@op("Unpack")
def unpack(b: Builder, x: Value, *, num: int, axis: int) -> Any:
    place = axis_of(x, axis)
    only(shape_of(x)[place] == num, f"it takes {num} of {shape_of(x)[place]} parts")
    parts = b.split(x, (1,) * num, axis=place, count=num)
    return [b.squeeze(part, (place,)) for part in parts]


@op("ConcatV2")
def concat(b: Builder, *items: Value) -> Any:
    *xs, axis = items
    return b.concat(tuple(xs), axis=axis_of(xs[0], int_of(axis, "its axis")))


@op("Split")
def split(b: Builder, axis: Value, x: Value, *, num_split: int) -> Any:
    place = axis_of(x, int_of(axis, "its axis"))
    size = shape_of(x)[place]
    only(isinstance(size, int) and size % num_split == 0, f"it cuts {size} into {num_split}")
    return b.split(x, (size // num_split,) * num_split, axis=place, count=num_split)


@op("SplitV")
def split_by_sizes(b: Builder, x: Value, sizes: Value, axis: Value, *, num_split: int) -> Any:
    place, parts = axis_of(x, int_of(axis, "its axis")), ints_of(sizes, "its parts")
    only(len(parts) == num_split, f"it cuts into {num_split} parts of {len(parts)} sizes")
    if -1 in parts:
        rest = shape_of(x)[place] - sum(part for part in parts if part != -1)
        only(isinstance(rest, int), "the size of what is left isn't known: give the input's type")
        parts = tuple(rest if part == -1 else part for part in parts)
    return b.split(x, parts, axis=place, count=num_split)


@op("ReverseV2")
def reverse(b: Builder, x: Value, axes: Value) -> Any:
    found = axes_of(axes, x)
    return b.reverse(x, axes=found) if found else x


@op("MatrixBandPart")
def band(b: Builder, x: Value, lower: Value, upper: Value) -> Any:
    """What is kept below and above the diagonal; -1 keeps all."""
    for number, is_upper in (
        (int_of(lower, "its width"), True),
        (int_of(upper, "its width"), False),
    ):
        if number >= 0:
            k = b.constant(np.array(-number if is_upper else number, np.int64))
            x = b.trilu(x, k, upper=is_upper)
    return x
