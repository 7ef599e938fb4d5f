"""Reads PyTorch's ops that make tensors of sizes and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import Operand, aten, operand
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import cast, dtype_of, only, shape_of

LARGEST = 1 << 20  # elements of a constant that is written out


def _type_of(*items: Operand) -> DType:
    """The type of a tensor made of numbers."""
    if any(isinstance(item, float) for item in items):
        return DType.FLOAT32
    bools = all(isinstance(item, bool) for item in items)
    return DType.BOOL if bools else DType.INT64


def _full(b: Builder, size: Sequence[Dim], value: Operand, dtype: DType) -> Any:
    if isinstance(value, Value):
        return b.expand(cast(b, value, dtype), tuple(size))
    exact = value if dtype.is_float else int(value)
    return b.constant_of_shape(
        tuple(size), value=bool(exact) if dtype is DType.BOOL else exact, dtype=dtype
    )


@aten("full.default")
def full(b: Builder, size: Sequence[Dim], fill_value: Operand, dtype: DType | None = None) -> Any:
    return _full(b, size, fill_value, dtype or _type_of(fill_value))


@aten("zeros.default")
def zeros(b: Builder, size: Sequence[Dim], dtype: DType | None = None) -> Any:
    return _full(b, size, 0, dtype or DType.FLOAT32)


@aten("ones.default")
def ones(b: Builder, size: Sequence[Dim], dtype: DType | None = None) -> Any:
    return _full(b, size, 1, dtype or DType.FLOAT32)


@aten("full_like.default")
def full_like(b: Builder, x: Value, fill_value: Operand, dtype: DType | None = None) -> Any:
    return _full(b, shape_of(x), fill_value, dtype or dtype_of(x))


@aten("zeros_like.default")
def zeros_like(b: Builder, x: Value, dtype: DType | None = None) -> Any:
    return full_like(b, x, 0, dtype)


@aten("ones_like.default")
def ones_like(b: Builder, x: Value, dtype: DType | None = None) -> Any:
    return full_like(b, x, 1, dtype)


@aten("new_full.default")
def new_full(
    b: Builder, x: Value, size: Sequence[Dim], fill_value: Operand, dtype: DType | None = None
) -> Any:
    return _full(b, size, fill_value, dtype or dtype_of(x))


@aten("new_zeros.default")
def new_zeros(b: Builder, x: Value, size: Sequence[Dim], dtype: DType | None = None) -> Any:
    return _full(b, size, 0, dtype or dtype_of(x))


@aten("new_ones.default")
def new_ones(b: Builder, x: Value, size: Sequence[Dim], dtype: DType | None = None) -> Any:
    return _full(b, size, 1, dtype or dtype_of(x))


@aten("scalar_tensor.default")
def scalar_tensor(b: Builder, s: Operand, dtype: DType | None = None) -> Any:
    if isinstance(s, Value):
        return cast(b, s, dtype or DType.FLOAT32)
    return b.constant(s, dtype or DType.FLOAT32)


@aten("arange.default", "arange.start", "arange.start_step")
def arange(
    b: Builder, end: Operand, start: Operand = 0, step: Operand = 1, dtype: DType | None = None
) -> Any:
    found = dtype or _type_of(start, end, step, 0)
    if not any(isinstance(item, Value) for item in (start, end, step)):
        values = np.arange(start, end, step)  # type: ignore[arg-type]
        only(values.size <= LARGEST, f"a range of {values.size} numbers")
        return b.constant(values.astype(found.numpy), name="range")
    whole = all(not isinstance(item, float) for item in (start, end, step))
    within = DType.INT64 if whole else found
    limits = (cast(b, operand(b, item, within), within) for item in (start, end, step))
    return cast(b, b.range(*limits), found)


@aten("linspace.default")
def linspace(
    b: Builder, start: Operand, end: Operand, steps: int, dtype: DType | None = None
) -> Any:
    given = not isinstance(start, Value) and not isinstance(end, Value)
    only(given and steps <= LARGEST, "linspace between computed numbers")
    found = dtype or DType.FLOAT32
    return b.constant(np.linspace(start, end, steps).astype(found.numpy), name="range")  # type: ignore[arg-type]


@aten("eye.default", "eye.m")
def eye(b: Builder, n: int, m: int | None = None, dtype: DType | None = None) -> Any:
    columns = n if m is None else m
    only(n * columns <= LARGEST, f"an identity matrix of {n} rows")
    return b.constant(np.eye(n, columns).astype((dtype or DType.FLOAT32).numpy), name="identity")
