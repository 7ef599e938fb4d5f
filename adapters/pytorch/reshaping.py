"""Small steps that many rules take: constants in another shape, axes in another order, a batch
of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value, constant
from ir_hub.ir.tensor import ArrayTensor
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import only, rank_of

Ints = int | Sequence[int]


def with_shape(b: Builder, value: Value, shape: Sequence[int]) -> Value:
    """A tensor in another shape; a constant stays one."""
    if value.is_constant:
        return constant(ArrayTensor(value.array().reshape(tuple(shape))), value.name)
    reshaped: Value = b.reshape(value, tuple(shape))
    return reshaped


def moved(b: Builder, x: Value, order: Sequence[int]) -> Value:
    """A tensor with its axes in an order; itself when that is the one they are in."""
    if list(order) == list(range(rank_of(x))):
        return x
    transposed: Value = b.transpose(x, perm=tuple(order))
    return transposed


def filled(value: float, count: Dim, like: Value, name: str) -> Value:
    """A constant vector of equal elements, for a weight that a layer was made without."""
    if not isinstance(count, int) or like.dtype is None:
        raise Unsupported(f"the size of {name} isn't known")
    array: Any = np.full((count,), value, like.dtype.numpy)
    return constant(array, name)


def spread(item: Ints, count: int) -> tuple[int, ...]:
    """One number for all axes, or one for each."""
    items = (item,) if isinstance(item, int) else tuple(item)
    return items * count if len(items) == 1 else items


def batched(b: Builder, x: Value, spatial: int, run: Callable[[Value], Any]) -> Any:
    """Runs an op that needs a batch on what may be one sample alone."""
    if rank_of(x) == spatial + 2:
        return run(x)
    only(rank_of(x) == spatial + 1, f"{rank_of(x)} axes where {spatial} are spatial")
    return b.squeeze(run(b.unsqueeze(x, (0,))), (0,))
