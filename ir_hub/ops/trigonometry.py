"""Trigonometric and hyperbolic functions, element by element; angles are in radians."""

from __future__ import annotations

import numpy as np

from ir_hub.ops.families import elementwise
from ir_hub.ops.op import Array


@elementwise
def sin(x: Array) -> Array:
    """The sine."""
    return np.sin(x)


@elementwise
def cos(x: Array) -> Array:
    """The cosine."""
    return np.cos(x)


@elementwise
def tan(x: Array) -> Array:
    """The tangent."""
    return np.tan(x)


@elementwise
def asin(x: Array) -> Array:
    """The angle within -pi/2..pi/2 whose sine is x."""
    return np.arcsin(x)


@elementwise
def acos(x: Array) -> Array:
    """The angle within 0..pi whose cosine is x."""
    return np.arccos(x)


@elementwise
def atan(x: Array) -> Array:
    """The angle within -pi/2..pi/2 whose tangent is x."""
    return np.arctan(x)


@elementwise
def atan2(x: Array, y: Array) -> Array:
    """The angle within -pi..pi of the point that is x up and y to the right."""
    return np.arctan2(x, y)


@elementwise
def sinh(x: Array) -> Array:
    """The hyperbolic sine."""
    return np.sinh(x)


@elementwise
def cosh(x: Array) -> Array:
    """The hyperbolic cosine."""
    return np.cosh(x)


@elementwise
def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    return np.tanh(x)


@elementwise
def asinh(x: Array) -> Array:
    """The inverse of the hyperbolic sine."""
    return np.arcsinh(x)


@elementwise
def acosh(x: Array) -> Array:
    """The inverse of the hyperbolic cosine; NaN below 1."""
    return np.arccosh(x)


@elementwise
def atanh(x: Array) -> Array:
    """The inverse of the hyperbolic tangent; NaN beyond -1..1."""
    return np.arctanh(x)
