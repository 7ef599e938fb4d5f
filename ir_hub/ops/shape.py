"""Changing the shape of a tensor, not its elements."""

from __future__ import annotations

import math

import numpy as np

from ir_hub.ir.dims import Dim, divide_exactly
from ir_hub.ir.types import DType, Shape, TensorType
from ir_hub.ops.families import OpenShape, Ranked, SizesSeen, known_length, product
from ir_hub.ops.op import Array, Layout, Sizes, op
from ir_hub.ops.shape_rules import axis_of, broadcast


@op(dtypes=(DType.INT64,), symbolic=True)
def shape_of(x: Array, *, start: int = 0, end: int | None = None) -> Array:
    """The sizes of x, or those of the axes from `start` up to `end`."""
    return np.array(x.shape[start:end], np.int64)


@shape_of.shape
def _(x: Ranked, *, start: int, end: int | None) -> Shape:
    return (len(x.shape[start:end]),)


@op(dtypes=(DType.INT64,), shape=lambda x: (), symbolic=True)
def size_of(x: Array) -> Array:
    """How many elements x has."""
    return np.array(x.size, np.int64)


@op(symbolic=True)
def reshape(x: Array, shape: Sizes, *, allow_zero: bool = False) -> Array:
    """The elements of x in another shape. One size can be -1, for what is left; 0 means the size
    that x has there, or with allow_zero 0."""
    sizes = [x.shape[i] if n == 0 and not allow_zero else int(n) for i, n in enumerate(shape)]
    return x.reshape(sizes)


@reshape.shape
def _(x: Ranked, shape: SizesSeen, *, allow_zero: bool) -> OpenShape | None:
    if isinstance(shape, TensorType):
        return known_length(shape)
    sizes: list[Dim] = []
    for axis, size in enumerate(shape):
        copied = isinstance(size, int) and size == 0 and not allow_zero
        if copied and axis >= len(x.shape):
            raise ValueError(f"reshape to {shape} takes size {axis} of a tensor of shape {x.shape}")
        sizes.append(x.shape[axis] if copied else size)
    total, known = product(x.shape), product(n for n in sizes if n != -1)
    if -1 in sizes:
        sizes[sizes.index(-1)] = _rest(total, known, f"reshape of {x.shape} to {shape}")
    elif isinstance(total, int) and isinstance(known, int) and total != known:
        raise ValueError(f"reshape of {x.shape} to {shape} changes the number of elements")
    return tuple(sizes)


def _rest(total: Dim, known: Dim, what: str) -> Dim:
    if isinstance(known, int) and (known == 0 or (isinstance(total, int) and total % known)):
        raise ValueError(f"{what}: {total} elements can't be divided by {known}")
    exact = divide_exactly(total, known)
    return total // known if exact is None else exact


@op()
def flatten(x: Array, *, axis: int = 1) -> Array:
    """x as a matrix: the axes before `axis` make the rows, the others the columns."""
    rows = math.prod(x.shape[:axis])
    return x.reshape(rows, math.prod(x.shape[axis:]))


@flatten.shape
def _(x: Ranked, *, axis: int) -> Shape:
    if not -len(x.shape) <= axis <= len(x.shape):
        raise ValueError(f"flatten at axis {axis} of a tensor of shape {x.shape}")
    return product(x.shape[:axis]), product(x.shape[axis:])


@op(layout=Layout.AXIS, symbolic=True)
def expand(x: Array, shape: Sizes) -> Array:
    """x repeated to the shape that it and `shape` broadcast to."""
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(int(n) for n in shape)))


@expand.shape
def _(x: Ranked, shape: SizesSeen) -> OpenShape | None:
    if not isinstance(shape, TensorType):
        return broadcast(x.shape, shape)
    wanted = known_length(shape)
    return None if wanted is None else (None,) * max(len(wanted), len(x.shape))


@op(symbolic=True)
def transpose(x: Array, *, perm: tuple[int, ...]) -> Array:
    """x with its axes in another order: axis i of the result is axis perm[i] of x."""
    return x.transpose(perm)


@transpose.shape
def _(x: Ranked, *, perm: tuple[int, ...]) -> Shape:
    numbers = [axis_of(axis, len(x.shape)) for axis in perm]
    if sorted(numbers) != list(range(len(x.shape))):
        raise ValueError(f"{perm} is no order of the axes of a tensor of shape {x.shape}")
    return tuple(x.shape[axis] for axis in numbers)


@op(symbolic=True)
def squeeze(x: Array, axes: Sizes | None = None) -> Array:
    """x without some axes of size 1; without any such axis, when none are named."""
    return np.squeeze(x, None if axes is None else tuple(int(axis) for axis in axes))


@squeeze.shape
def _(x: Ranked, axes: SizesSeen | None = None) -> OpenShape | None:
    rank = len(x.shape)
    if isinstance(axes, TensorType):
        named = known_length(axes)
        return None if named is None else (None,) * (rank - len(named))
    if axes is None:
        known = all(isinstance(size, int) for size in x.shape)
        return tuple(size for size in x.shape if size != 1) if known else None
    gone = {axis_of(int(axis), rank) for axis in axes}
    wrong = [axis for axis in gone if isinstance(x.shape[axis], int) and x.shape[axis] != 1]
    if wrong:
        raise ValueError(f"squeeze of the axes {tuple(wrong)} of {x.shape}: they aren't of size 1")
    return tuple(size for axis, size in enumerate(x.shape) if axis not in gone)


@op(symbolic=True)
def unsqueeze(x: Array, axes: Sizes) -> Array:
    """x with new axes of size 1; `axes` are where they are in the result."""
    return np.expand_dims(x, tuple(int(axis) for axis in axes))


@unsqueeze.shape
def _(x: Ranked, axes: SizesSeen) -> OpenShape | None:
    if isinstance(axes, TensorType):
        named = known_length(axes)
        return None if named is None else (None,) * (len(x.shape) + len(named))
    rank = len(x.shape) + len(axes)
    new = {axis_of(int(axis), rank) for axis in axes}
    if len(new) != len(axes):
        raise ValueError(f"unsqueeze names an axis twice: {axes}")
    old = iter(x.shape)
    return tuple(1 if axis in new else next(old) for axis in range(rank))


@op(layout=Layout.AXIS, symbolic=True)
def tile(x: Array, repeats: Sizes) -> Array:
    """x repeated along each axis; one number for each."""
    return np.tile(x, tuple(int(n) for n in repeats))


@tile.shape
def _(x: Ranked, repeats: SizesSeen) -> OpenShape | None:
    if isinstance(repeats, TensorType):
        return (None,) * len(x.shape)
    if len(repeats) != len(x.shape):
        raise ValueError(f"tile by {repeats} of a tensor of shape {x.shape}")
    return tuple(size * count for size, count in zip(x.shape, repeats, strict=True))
