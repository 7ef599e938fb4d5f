"""PyTorch's rules for operands of several types: which type they are computed in."""

from __future__ import annotations

from functools import reduce

import numpy as np

from adapters.pytorch.aten import Operand, operand
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import cast, dtype_of, only

_NUMBERS = {bool: DType.BOOL, int: DType.INT64, float: DType.FLOAT32}


def category(dtype: DType) -> int:
    if dtype.is_float:
        return 2
    if dtype in (DType.COMPLEX64, DType.COMPLEX128):
        return 3
    return 0 if dtype is DType.BOOL else 1


def joined(a: DType, b: DType) -> DType:
    """The type that elements of two types have together; Unsupported when PyTorch has none."""
    if a is b or category(a) > category(b):
        return a
    if category(a) < category(b):
        return b
    if a.is_float:
        halves = {DType.FLOAT16, DType.BFLOAT16}
        return DType.FLOAT32 if {a, b} == halves else max(a, b, key=lambda t: t.bits)
    try:
        found = DType.of(np.promote_types(a.numpy, b.numpy))
    except TypeError as error:
        raise Unsupported(f"{a.value} with {b.value}") from error
    only(found.is_integer, f"{a.value} with {b.value}")
    return found


def common_type(*items: Operand) -> DType:
    """The type that operands are computed in: tensors with axes decide; those without, and then
    numbers, only where they are of a higher kind."""
    groups: list[list[DType]] = [[], [], []]
    for item in items:
        if isinstance(item, Value):
            groups[0 if item.shape != () else 1].append(dtype_of(item))
        else:
            groups[2].append(_NUMBERS[type(item)])
    found: DType | None = None
    for group in filter(None, groups):
        dtype = reduce(joined, group)
        if found is None or category(dtype) > category(found):
            found = dtype
    assert found is not None
    return found


def promoted(b: Builder, *items: Operand) -> list[Value]:
    """Operands in the type that they are computed in."""
    dtype = common_type(*items)
    return [cast(b, operand(b, item, dtype), dtype) for item in items]


def as_float(b: Builder, x: Value) -> Value:
    """Integers and bools as float32, which is what functions of real numbers make of them."""
    return x if category(dtype_of(x)) > 1 else cast(b, x, DType.FLOAT32)
