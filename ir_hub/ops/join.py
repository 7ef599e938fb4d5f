"""Putting tensors together and cutting them up along axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

import numpy as np

from ir_hub.ir.dims import Dim, bounds, ceildiv, maximum, minimum
from ir_hub.ir.types import Shape, TensorType
from ir_hub.ops.families import OpenShape, Ranked, SizesSeen
from ir_hub.ops.op import Array, Arrays, Layout, Sizes, op
from ir_hub.ops.shape_rules import axis_of, same_rule

_FAR = 10**9  # exporters write this, or more, for "up to the end"


@op(layout=Layout.AXIS, symbolic=True)
def concat(xs: Arrays, *, axis: int) -> Array:
    """The tensors one after the other along the axis."""
    return np.concatenate(xs, axis=axis)


@concat.shape
def _(xs: tuple[Ranked, ...], *, axis: int) -> Shape:
    shapes = [x.shape for x in xs]
    number = axis_of(axis, len(shapes[0]))
    if len({len(shape) for shape in shapes}) > 1:
        raise ValueError(f"concat of tensors of different ranks: {', '.join(map(str, shapes))}")
    sizes: list[Dim] = []
    for i, column in enumerate(zip(*shapes, strict=True)):
        sizes.append(_total(column) if i == number else _same(column, shapes))
    return tuple(sizes)


@op(layout=Layout.AXIS, results=lambda args: int(args["count"]), symbolic=True)
def split(x: Array, sizes: Sizes | None = None, *, axis: int = 0, count: int) -> Arrays:
    """x cut into `count` parts along the axis: of the given sizes, or equal but for the last."""
    parts = _equal_parts(x.shape[axis], count) if sizes is None else sizes
    ends = list(accumulate(int(part) for part in parts))
    if len(ends) != count or ends[-1] != x.shape[axis]:
        raise ValueError(f"split of axis {axis} of {x.shape} into {count} parts of {parts}")
    return tuple(np.split(x, ends[:-1], axis=axis))


@split.shape
def _(x: Ranked, sizes: SizesSeen | None = None, *, axis: int, count: int) -> list[OpenShape]:
    number = axis_of(axis, len(x.shape))
    if isinstance(sizes, TensorType):
        parts: Sequence[Dim | None] = [None] * count
    else:
        parts = _equal_parts(x.shape[number], count) if sizes is None else sizes
    total, size = _total(p for p in parts if p is not None), x.shape[number]
    if len(parts) != count:
        raise ValueError(f"split into {count} parts of the sizes {tuple(parts)}")
    known = isinstance(total, int) and isinstance(size, int) and None not in parts
    if known and total != size:
        raise ValueError(f"split of an axis of {size} into parts of {tuple(parts)}")
    return [(*x.shape[:number], part, *x.shape[number + 1 :]) for part in parts]


def _equal_parts(size: Dim, count: int) -> list[Dim]:
    chunk = ceildiv(size, count)
    last = size - chunk * (count - 1)
    if isinstance(last, int) and last < 0:
        raise ValueError(f"an axis of {size} can't be split into {count} parts of {chunk}")
    return [*[chunk] * (count - 1), last]


@op(layout=Layout.AXIS, symbolic=True)
def slice_(
    x: Array,
    starts: Sizes,
    ends: Sizes,
    axes: Sizes | None = None,
    steps: Sizes | None = None,
) -> Array:
    """Part of x: from start up to end by step along each of the axes (by default the first ones).
    Negative places count from the end, and those beyond x are held within it."""
    places = [slice(None)] * x.ndim
    for axis, start, end, step in _cuts(x.ndim, starts, ends, axes, steps):
        places[axis] = slice(int(start), int(end), int(step))
    return x[tuple(places)]


@slice_.shape
def _(
    x: Ranked,
    starts: SizesSeen,
    ends: SizesSeen,
    axes: SizesSeen | None = None,
    steps: SizesSeen | None = None,
) -> OpenShape:
    rank = len(x.shape)
    if isinstance(axes, TensorType):
        return (None,) * rank
    count = next((len(s) for s in (starts, ends, axes) if isinstance(s, tuple)), rank)
    if any(isinstance(s, TensorType) for s in (starts, ends, steps)):
        touched = [axis_of(int(axis), rank) for axis in axes] if axes else range(count)
        return tuple(None if i in touched else size for i, size in enumerate(x.shape))
    assert isinstance(starts, tuple)
    assert isinstance(ends, tuple)
    sizes: list[Dim | None] = list(x.shape)
    chosen = None if isinstance(steps, TensorType) else steps
    for axis, start, end, step in _cuts(rank, starts, ends, axes, chosen):
        sizes[axis] = _cut_size(x.shape[axis], start, end, step)
    return tuple(sizes)


def _cuts(
    rank: int,
    starts: Sequence[Dim],
    ends: Sequence[Dim],
    axes: Sequence[Dim] | None,
    steps: Sequence[Dim] | None,
) -> list[tuple[int, Dim, Dim, Dim]]:
    """The axis, start, end and step of each cut."""
    chosen = range(len(starts)) if axes is None else axes
    strides = [1] * len(starts) if steps is None else steps
    if len({len(starts), len(ends), len(chosen), len(strides)}) > 1:
        raise ValueError(f"slice from {starts} to {ends} along {axes} by {steps}: lengths differ")
    numbers = [axis_of(int(axis), rank) for axis in chosen]
    return list(zip(numbers, starts, ends, strides, strict=True))


def _cut_size(size: Dim, start: Dim, end: Dim, step: Dim) -> Dim | None:
    """How many elements a cut leaves; None when that depends on signs that aren't known."""
    if not isinstance(step, int):
        return None
    if step == 0:
        raise ValueError("slice by a step of 0")
    if isinstance(size, int) and isinstance(start, int) and isinstance(end, int):
        return len(range(*slice(start, end, step).indices(size)))
    if step < 0:
        whole = _is_int(start, lambda n: n == -1 or n >= _FAR) and _is_int(end, lambda n: n < -_FAR)
        return ceildiv(size, -step) if whole else None
    span = _span(size, start, end)
    return None if span is None else ceildiv(maximum(span, 0), step)


def _span(size: Dim, start: Dim, end: Dim) -> Dim | None:
    """From start up to end within 0..size; below 0 where the end comes first."""
    if _is_int(end, lambda n: n >= _FAR):
        stop = size
    elif _is_negative(end) is None:
        return None
    else:
        stop = size + end if _is_negative(end) else minimum(end, size)
    if _is_negative(start) is None:
        return None
    return minimum(stop - size - start, stop) if _is_negative(start) else stop - start


def _is_int(place: Dim, test: Callable[[int], bool]) -> bool:
    return isinstance(place, int) and test(place)


def _is_negative(place: Dim) -> bool | None:
    """Whether a place counts from the end; None when that isn't known."""
    low, high = bounds(place, {})
    if low is not None and low >= 0:
        return False
    return True if high is not None and high < 0 else None


@op(layout=Layout.AXIS, shape=same_rule)
def reverse(x: Array, *, axes: tuple[int, ...]) -> Array:
    """x from back to front along the axes."""
    return np.flip(x, axes)


@op(layout=Layout.AXIS)
def pad(
    x: Array,
    pads: Sizes,
    value: Array | None = None,
    axes: Sizes | None = None,
    *,
    mode: str = "constant",
) -> Array:
    """x with elements added before and after: `pads` holds how many before along each axis, then
    how many after; negative numbers take away. Added is the value (0 by default), or with "edge"
    the outermost element, with "reflect" the mirror image without it, with "wrap" the other end.
    """
    widths = [(int(a), int(b)) for a, b in _pad_widths(x.ndim, pads, axes)]
    kept = x[
        tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(widths, x.shape, strict=True))
    ]
    added = [(max(a, 0), max(b, 0)) for a, b in widths]
    if mode != "constant":
        return kept[
            np.ix_(*(_sources(n, *ab, mode) for n, ab in zip(kept.shape, added, strict=True)))
        ]
    shape = [a + n + b for n, (a, b) in zip(kept.shape, added, strict=True)]
    filling = np.zeros((), x.dtype) if value is None else value.reshape(()).astype(x.dtype)
    found = np.full(shape, filling, x.dtype)
    found[tuple(slice(a, a + n) for n, (a, _) in zip(kept.shape, added, strict=True))] = kept
    return found


@pad.shape
def _(x: Ranked, pads: SizesSeen, value: object, axes: SizesSeen | None, **_: object) -> OpenShape:
    if isinstance(pads, TensorType) or isinstance(axes, TensorType):
        return (None,) * len(x.shape)
    widths = _pad_widths(len(x.shape), pads, axes)
    sizes = tuple(size + a + b for size, (a, b) in zip(x.shape, widths, strict=True))
    if any(isinstance(size, int) and size < 0 for size in sizes):
        raise ValueError(f"pads {pads} take more away than {x.shape} has")
    return sizes


def _pad_widths(
    rank: int, pads: Sequence[Dim], axes: Sequence[Dim] | None
) -> list[tuple[Dim, Dim]]:
    """How much is added before and after along every axis."""
    numbers = range(rank) if axes is None else [axis_of(int(axis), rank) for axis in axes]
    if len(pads) != 2 * len(numbers):
        raise ValueError(f"{len(pads)} pads for {len(numbers)} axes: there must be two for each")
    widths: list[tuple[Dim, Dim]] = [(0, 0)] * rank
    for axis, before, after in zip(
        numbers, pads[: len(numbers)], pads[len(numbers) :], strict=True
    ):
        widths[axis] = before, after
    return widths


def _sources(size: int, before: int, after: int, mode: str) -> Array:
    """Which elements along one axis the padded ones are."""
    places = np.arange(-before, size + after)
    if mode == "edge":
        return np.clip(places, 0, size - 1)
    if mode == "wrap":
        return places % size
    if mode != "reflect":
        raise ValueError(f"pad knows no mode {mode!r}")
    period = max(2 * (size - 1), 1)
    return np.minimum(places % period, -places % period)


def _total(sizes: Iterable[Dim]) -> Dim:
    total: Dim = 0
    for size in sizes:
        total = total + size
    return total


def _same(sizes: Sequence[Dim], shapes: Sequence[Shape]) -> Dim:
    """The one size that tensors must share: the known one, if any is."""
    known = {size for size in sizes if isinstance(size, int)}
    if len(known) > 1:
        raise ValueError(f"concat of tensors whose other axes differ: {shapes}")
    return known.pop() if known else sizes[0]
