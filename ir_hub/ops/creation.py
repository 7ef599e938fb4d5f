"""Making tensors of few numbers: ranges, constants, triangles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.families import OpenShape, SizesSeen, known_length
from ir_hub.ops.op import Array, Sizes, op
from ir_hub.ops.precision import widened
from ir_hub.ops.shape_rules import same_rule
from ir_hub.ops.trace import Term, Tracer

_LARGEST = 1 << 20  # elements of a constant that is written out


@op(shape=lambda start, limit, delta: (None,), symbolic=True)
def range_(start: Array, limit: Array, delta: Array) -> Array:
    """The numbers from `start` up to `limit`, which isn't reached, by `delta`."""
    first, last, step = (widened(item).reshape(()).item() for item in (start, limit, delta))
    count = max(math.ceil((last - first) / step), 0)
    wide = np.float64 if DType.of(start.dtype).is_float else np.int64
    return (np.arange(count, dtype=wide) * step + first).astype(start.dtype)


@op(dtypes=(DType.INT64,), symbolic=True)
def positions(size: Sizes) -> Array:
    """0, 1, 2 and so on: as many numbers as the one size says."""
    (count,) = size
    return np.arange(int(count), dtype=np.int64)


@positions.shape
def _(size: SizesSeen) -> OpenShape | None:
    return (None,) if isinstance(size, TensorType) else size


@op(dtypes=("dtype",), symbolic=True)
def constant_of_shape(shape: Sizes, *, value: bool | int | float, dtype: DType) -> Array:
    """A tensor of that shape with the value everywhere."""
    return np.full(tuple(int(n) for n in shape), value, dtype.numpy)


@constant_of_shape.shape
def _(shape: SizesSeen, **_: object) -> OpenShape | None:
    return known_length(shape) if isinstance(shape, TensorType) else shape


@constant_of_shape.spelled
def _(b: Tracer, shape: Any, *, value: bool | int | float, dtype: DType) -> Term:
    """Its open sizes, and such as would make it large, are repetitions."""
    sizes = [n if isinstance(n, int) else 1 for n in shape] if isinstance(shape, tuple) else []
    own = sizes if math.prod(sizes) <= _LARGEST else []
    found: Term = b.expand(b.constant(np.full(own, value, dtype.numpy)), shape)
    return found


@op(shape=same_rule, dtypes=("dtype",))
def eye_like(x: Array, *, k: int = 0, dtype: DType) -> Array:
    """Ones on the diagonal that is k above the main one, zeros elsewhere, in the shape of x."""
    rows, columns = x.shape
    return np.eye(rows, columns, k).astype(dtype.numpy)


@op(shape=same_rule)
def trilu(x: Array, k: Array | None = None, *, upper: bool = True) -> Array:
    """The upper (or lower) triangle of each matrix in the last two axes, zeros elsewhere; its edge
    is the diagonal that is k above the main one."""
    offset = 0 if k is None else int(k.reshape(()))
    rows, columns = np.indices(x.shape[-2:], sparse=True)
    inside = columns - rows >= offset if upper else columns - rows <= offset
    return np.where(inside, x, np.zeros((), x.dtype))
