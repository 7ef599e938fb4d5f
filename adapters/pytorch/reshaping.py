"""Small steps that many rules take: constants in another shape, axes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import rank_of
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value, constant
from ir_hub.ir.tensor import ArrayTensor
from ir_hub.ops.build import Builder


def with_shape(b: Builder, value: Value, shape: Sequence[Dim]) -> Value:
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
        raise ValueError(f"the size of {name} isn't known")
    array: Any = np.full((count,), value, like.dtype.numpy)
    return constant(array, name)
