"""Weights in other shapes and orders, without touching a byte."""

from __future__ import annotations

from collections.abc import Sequence

from ir_hub.ir.graph import Value, constant
from ir_hub.ir.tensor import ReshapedTensor, reshaped
from ir_hub.ir.types import DType


def is_weight(value: Value) -> bool:
    """Whether it is a constant of numbers that shapes aren't computed with."""
    return value.is_constant and value.dtype is not None and value.dtype is not DType.STRING


def in_shape(weight: Value, shape: Sequence[int]) -> Value:
    """A constant's elements in another shape."""
    data = weight.data
    assert data is not None
    while isinstance(data, ReshapedTensor) and data.permutation == tuple(range(len(data.shape))):
        data = data.base
    same = data.shape == tuple(shape)
    return constant(data if same else reshaped(data, shape), weight.name)


def in_order(weight: Value, perm: Sequence[int]) -> Value:
    """A constant with its axes in another order."""
    assert weight.data is not None
    return constant(weight.data.permuted(perm), weight.name)
