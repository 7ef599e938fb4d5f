"""Arithmetic, element by element."""

from __future__ import annotations

import math

import numpy as np

from ir_hub.ir.dims import Dim, bounds, floordiv, maximum, minimum
from ir_hub.ops.families import elementwise, elementwise_of_sizes, is_symbolic
from ir_hub.ops.op import Array
from ir_hub.ops.trace import Term, Tracer

_erf = np.frompyfunc(math.erf, 1, 1)  # as fast as any polynomial of that accuracy


@elementwise_of_sizes
def add(x: Array, y: Array) -> Array:
    """x + y."""
    return x + y


@elementwise_of_sizes
def sub(x: Array, y: Array) -> Array:
    """x - y."""
    return x - y


@elementwise_of_sizes
def mul(x: Array, y: Array) -> Array:
    """x * y."""
    return x * y


@elementwise_of_sizes
def div(x: Array, y: Array) -> Array:
    """x / y; integers round toward zero."""
    if x.dtype == object or y.dtype == object:
        return np.asarray(np.frompyfunc(_truncated, 2, 1)(x, y))
    if x.dtype.kind not in "iu":
        return x / y
    quotient = x // y
    inexact = quotient * y != x
    return quotient + (inexact & ((x < 0) != (y < 0))).astype(x.dtype)


@elementwise_of_sizes
def floor_div(x: Array, y: Array) -> Array:
    """x / y rounded down, for integers and floats."""
    return np.floor_divide(x, y)


@elementwise_of_sizes
def mod(x: Array, y: Array, *, fmod: bool = False) -> Array:
    """The remainder of x / y with the sign of y, or with the sign of x (fmod)."""
    if not fmod:
        return x % y
    sizes = x.dtype == object or y.dtype == object
    return np.asarray(np.frompyfunc(_remainder, 2, 1)(x, y)) if sizes else np.fmod(x, y)


@elementwise
def pow_(x: Array, y: Array) -> Array:
    """x to the power y; integers to a negative power round toward zero."""
    if x.dtype.kind in "iu" and y.dtype.kind in "iu":
        whole = np.power(x, np.maximum(y, np.zeros((), y.dtype)))
        fraction = np.where(np.abs(x) == 1, np.where(y % 2 == 0, x * x, x), np.zeros_like(x))
        return np.where(y < 0, fraction, whole)
    return np.power(x, y)


@elementwise_of_sizes
def minimum_(x: Array, y: Array) -> Array:
    """The lesser of x and y; NaN if either is."""
    if x.dtype == object or y.dtype == object:
        return np.asarray(np.frompyfunc(minimum, 2, 1)(x, y))
    return np.minimum(x, y)


@elementwise_of_sizes
def maximum_(x: Array, y: Array) -> Array:
    """The greater of x and y; NaN if either is."""
    if x.dtype == object or y.dtype == object:
        return np.asarray(np.frompyfunc(maximum, 2, 1)(x, y))
    return np.maximum(x, y)


@elementwise_of_sizes
def neg(x: Array) -> Array:
    """-x."""
    return -x


@elementwise
def abs_(x: Array) -> Array:
    """x without its sign."""
    return np.abs(x)


@elementwise_of_sizes
def sign(x: Array) -> Array:
    """-1, 0 or 1 as x is below, at or above zero; NaN of NaN."""
    if is_symbolic(x):
        return np.asarray(np.frompyfunc(_sign, 1, 1)(x))
    return np.sign(x)


@elementwise
def reciprocal(x: Array) -> Array:
    """1 / x."""
    return np.reciprocal(x)


@elementwise
def sqrt(x: Array) -> Array:
    """The square root; NaN below zero."""
    return np.sqrt(x)


@elementwise
def rsqrt(x: Array) -> Array:
    """1 / the square root."""
    return np.reciprocal(np.sqrt(x))


@rsqrt.spelled
def _(b: Tracer, x: Term) -> Term:
    return b.reciprocal(b.sqrt(x))


@elementwise
def square(x: Array) -> Array:
    """x * x."""
    return x * x


@square.spelled
def _(b: Tracer, x: Term) -> Term:
    return x * x


@elementwise
def exp(x: Array) -> Array:
    """e to the power x."""
    return np.exp(x)


@elementwise
def log(x: Array) -> Array:
    """The natural logarithm; NaN below zero."""
    return np.log(x)


@elementwise
def log1p(x: Array) -> Array:
    """log(1 + x), exact near zero."""
    return np.log1p(x)


@elementwise
def expm1(x: Array) -> Array:
    """exp(x) - 1, exact near zero."""
    return np.expm1(x)


@elementwise
def erf(x: Array) -> Array:
    """The error function."""
    return gauss_error(x)


@elementwise
def ceil(x: Array) -> Array:
    """x rounded up."""
    return x if x.dtype.kind in "iu" else np.ceil(x)


@elementwise
def floor(x: Array) -> Array:
    """x rounded down."""
    return x if x.dtype.kind in "iu" else np.floor(x)


@elementwise
def round_(x: Array) -> Array:
    """x rounded to the nearest integer, halves to the even one."""
    return x if x.dtype.kind in "iu" else np.rint(x)


def gauss_error(x: Array) -> Array:
    """The error function of an array of floats, in its type."""
    return np.asarray(_erf(x)).astype(x.dtype)


def _truncated(a: Dim, b: Dim) -> Dim:
    """a / b rounded toward zero, for sizes: // where neither is negative."""
    if _least(a) >= 0 and _least(b) >= 0:
        return floordiv(a, b)
    if _least(b) < 0:
        if _least(-b) < 0:
            raise TypeError(f"the sign of {b} isn't known, so {a} / {b} isn't either")
        a, b = -a, -b
    return floordiv(maximum(a, 0), b) - floordiv(maximum(-a, 0), b)


def _remainder(a: Dim, b: Dim) -> Dim:
    """What `_truncated` leaves of a."""
    return a % b if _least(a) >= 0 and _least(b) >= 0 else a - _truncated(a, b) * b


def _sign(a: Dim) -> int:
    low, high = bounds(a, {})
    for sign_, holds in ((1, _least(a) > 0), (-1, _least(-a) > 0), (0, low == high == 0)):
        if holds:
            return sign_
    raise TypeError(f"the sign of {a} isn't known")


def _least(a: Dim) -> float:
    low, _ = bounds(a, {})
    return -math.inf if low is None else low
