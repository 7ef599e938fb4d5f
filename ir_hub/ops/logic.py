"""Comparing, logic, bits and choosing, element by element."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.dims import Dim, Expr, bounds
from ir_hub.ops.families import elementwise, is_symbolic, predicate, predicate_of_sizes
from ir_hub.ops.op import Array, Layout, op
from ir_hub.ops.shape_rules import broadcast_rule, same_rule


@predicate_of_sizes
def equal(x: Array, y: Array) -> Array:
    """Whether x is y."""
    if is_symbolic(x) or is_symbolic(y):
        return np.asarray(np.frompyfunc(_equal, 2, 1)(x, y))
    return np.asarray(x == y)


@predicate
def not_equal(x: Array, y: Array) -> Array:
    """Whether x isn't y."""
    return np.asarray(x != y)


@predicate
def less(x: Array, y: Array) -> Array:
    """Whether x is below y."""
    return np.asarray(x < y)


@predicate
def less_equal(x: Array, y: Array) -> Array:
    """Whether x is below y or equal to it."""
    return np.asarray(x <= y)


@predicate
def greater(x: Array, y: Array) -> Array:
    """Whether x is above y."""
    return np.asarray(x > y)


@predicate
def greater_equal(x: Array, y: Array) -> Array:
    """Whether x is above y or equal to it."""
    return np.asarray(x >= y)


@predicate
def logical_and(x: Array, y: Array) -> Array:
    """Whether both x and y are true."""
    return np.logical_and(x, y)


@predicate
def logical_or(x: Array, y: Array) -> Array:
    """Whether x or y is true."""
    return np.logical_or(x, y)


@predicate
def logical_xor(x: Array, y: Array) -> Array:
    """Whether just one of x and y is true."""
    return np.logical_xor(x, y)


@predicate
def logical_not(x: Array) -> Array:
    """Whether x is false."""
    return np.logical_not(x)


@predicate
def is_nan(x: Array) -> Array:
    """Whether x is not a number."""
    return np.isnan(x)


@predicate
def is_inf(x: Array, *, positive: bool = True, negative: bool = True) -> Array:
    """Whether x is infinite; one sign can be left out."""
    return np.isinf(x) & (((x > 0) & positive) | ((x < 0) & negative))


@elementwise
def bitwise_and(x: Array, y: Array) -> Array:
    """The bits that both x and y have."""
    return np.bitwise_and(x, y)


@elementwise
def bitwise_or(x: Array, y: Array) -> Array:
    """The bits that x or y has."""
    return np.bitwise_or(x, y)


@elementwise
def bitwise_xor(x: Array, y: Array) -> Array:
    """The bits that just one of x and y has."""
    return np.bitwise_xor(x, y)


@elementwise
def bitwise_not(x: Array) -> Array:
    """The bits that x doesn't have."""
    return np.bitwise_not(x)


@elementwise
def bit_shift(x: Array, y: Array, *, direction: str) -> Array:
    """The bits of x moved by y places to the "left" or "right"; the sign bit stays."""
    return np.left_shift(x, y) if direction == "left" else np.right_shift(x, y)


@op(layout=Layout.ELEMENTWISE, shape=broadcast_rule, dtypes=("x",), symbolic=True)
def where(condition: Array, x: Array, y: Array) -> Array:
    """x where the condition is true, y elsewhere."""
    return np.where(condition, x, y)


@op(layout=Layout.ELEMENTWISE, shape=same_rule)
def clip(x: Array, low: Array | None = None, high: Array | None = None) -> Array:
    """x held within low..high, either of which can be left out; NaN stays NaN.

    `high` wins where it is below `low`.
    """
    limited = x if low is None else np.maximum(x, low)
    return limited if high is None else np.minimum(limited, high)


@op(layout=Layout.ELEMENTWISE, shape=same_rule, symbolic=True)
def identity(x: Array) -> Array:
    """x."""
    return x


@op(layout=Layout.ELEMENTWISE, shape=same_rule)
def dropout(x: Array, *, rate: float = 0.5) -> Array:
    """x; while training, `rate` of the elements would be 0 and the others scaled up to match."""
    return x


def _equal(a: Dim, b: Dim) -> bool:
    """Whether two sizes are equal, if that doesn't depend on the symbols."""
    difference = a - b
    if not isinstance(difference, Expr):
        return difference == 0
    low, high = bounds(difference, {})
    if (low is not None and low > 0) or (high is not None and high < 0):
        return False
    raise TypeError(f"whether {a} equals {b} depends on the run")
