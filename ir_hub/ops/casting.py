"""Changing the type of elements."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.families import is_symbolic
from ir_hub.ops.op import Array, Layout, op
from ir_hub.ops.precision import widened
from ir_hub.ops.shape_rules import same_rule


@op(layout=Layout.ELEMENTWISE, shape=same_rule, dtypes=("to",), symbolic=True)
def cast(x: Array, *, to: DType, saturate: bool = True, round_mode: str = "up") -> Array:
    """x as another type: floats become integers by dropping the fraction, strings are parsed.

    Beyond the range of an 8-bit float lies its greatest value (saturate), or infinity or NaN.
    `round_mode` is for powers of two (float8_e8m0fnu): "up", "down" or "nearest".
    """
    with np.errstate(all="ignore"):
        if to is DType.STRING:
            return _printed(x)
        if x.dtype == object:
            return _sizes(x, to) if is_symbolic(x) else _parsed(x, to)
        if to is DType.FLOAT8_E8M0FNU:
            return _power_of_two(x.astype(np.float32), saturate, round_mode)
        if to.is_float and to.bits <= 8:
            return _small_float(x, to, saturate)
        if to.is_integer and to.bits < 8:  # whole bytes first, so that the low bits are kept
            return widened(x).astype(np.int64).astype(np.int8).astype(to.numpy)
        return (x if to is DType.BOOL else widened(x)).astype(to.numpy)


@op(layout=Layout.ELEMENTWISE, shape=same_rule, dtypes=("to",))
def bit_cast(x: Array, *, to: DType) -> Array:
    """The same bits read as another type of that width."""
    return np.ascontiguousarray(x).view(to.numpy).reshape(x.shape)


def _small_float(x: Array, to: DType, saturate: bool) -> Array:
    wide = x if x.dtype == np.float64 else x.astype(np.float32)
    if saturate:
        limit = float(ml_dtypes.finfo(to.numpy).max)  # type: ignore[no-untyped-call]
        wide = np.clip(wide, -limit, limit)
    return wide.astype(to.numpy)


def _power_of_two(x: Array, saturate: bool, round_mode: str) -> Array:
    """The type has neither sign nor zero nor infinity: 0 gives its least power."""
    fraction, exponent = np.frexp(np.abs(x))  # fraction within 0.5..1
    above = {"up": fraction > 0.5, "nearest": fraction >= 0.75, "down": fraction >= 1}
    power = np.where(fraction == 0, -127, np.maximum(exponent - 1 + above[round_mode], -127))
    found = np.ldexp(np.float64(1), np.minimum(power, 127))
    beyond = ~np.isfinite(x) | ((power > 127) & (not saturate))
    return np.where(beyond, np.nan, found).astype(ml_dtypes.float8_e8m0fnu)


def _sizes(x: Array, to: DType) -> Array:
    """Sizes stay sizes as integers; as anything else they must be known."""
    if to.is_integer:
        return x
    return np.array([int(size) for size in x.flat], np.int64).reshape(x.shape).astype(to.numpy)


def _parsed(x: Array, to: DType) -> Array:
    number: Any = int if to.is_integer else float
    numbers = [number(text) for text in x.flat]
    return np.array(numbers, np.float64 if to.is_float else None).reshape(x.shape).astype(to.numpy)


def _printed(x: Array) -> Array:
    texts = np.empty(x.size, object)
    texts[:] = [str(item) for item in widened(x).reshape(-1).astype(np.str_)]
    return texts.reshape(x.shape)
