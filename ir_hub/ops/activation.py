"""Activation functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ir_hub.ir.types import Shape
from ir_hub.ops.elementwise import gauss_error
from ir_hub.ops.families import Ranked, elementwise, keeps_type
from ir_hub.ops.op import Array, Layout, Op, op
from ir_hub.ops.shape_rules import axis_of
from ir_hub.ops.trace import Term, Tracer


@elementwise
def relu(x: Array) -> Array:
    """x where x > 0, 0 elsewhere."""
    return np.maximum(x, np.zeros((), x.dtype))


@elementwise
def relu6(x: Array) -> Array:
    """x held within 0..6."""
    return np.clip(x, 0, 6)


@relu6.spelled
def _(b: Tracer, x: Term) -> Term:
    return b.clip(x, 0, 6)


@elementwise
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return logistic(x)


@elementwise
def silu(x: Array) -> Array:
    """x * sigmoid(x)."""
    return x * logistic(x)


@silu.spelled
def _(b: Tracer, x: Term) -> Term:
    return x * b.sigmoid(x)


@elementwise
def swish(x: Array, *, alpha: float = 1.0) -> Array:
    """x * sigmoid(alpha * x)."""
    return x * logistic(alpha * x)


@swish.spelled
def _(b: Tracer, x: Term, *, alpha: float) -> Term:
    return x * b.sigmoid(x if alpha == 1 else alpha * x)


@elementwise
def hard_sigmoid(x: Array, *, alpha: float = 0.2, beta: float = 0.5) -> Array:
    """alpha * x + beta held within 0..1."""
    return np.clip(alpha * x + beta, 0, 1)


@elementwise
def hard_swish(x: Array) -> Array:
    """x * (x / 6 + 1 / 2 held within 0..1)."""
    return x * np.clip(x / 6 + 0.5, 0, 1)


@hard_swish.spelled
def _(b: Tracer, x: Term) -> Term:
    return x * b.clip(x / 6 + 0.5, 0, 1)


@elementwise
def softplus(x: Array, *, beta: float = 1.0) -> Array:
    """log(1 + exp(beta * x)) / beta."""
    return _log_one_plus_exp(beta * x) / beta


@elementwise
def softsign(x: Array) -> Array:
    """x / (1 + |x|)."""
    return x / (1 + np.abs(x))


@elementwise
def mish(x: Array) -> Array:
    """x * tanh(softplus(x))."""
    return x * np.tanh(_log_one_plus_exp(x))


@mish.spelled
def _(b: Tracer, x: Term) -> Term:
    return x * b.tanh(b.softplus(x))


@elementwise
def gelu(x: Array, *, approximate: str = "none") -> Array:
    """x * (1 + erf(x / sqrt(2))) / 2, or its approximation by "tanh"."""
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1 + np.tanh(inner))
    return 0.5 * x * (1 + gauss_error(x * math.sqrt(0.5)))


@gelu.spelled
def _(b: Tracer, x: Term, *, approximate: str) -> Term:
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1 + b.tanh(inner))
    return 0.5 * x * (1 + b.erf(x * math.sqrt(0.5)))


@elementwise
def leaky_relu(x: Array, *, alpha: float = 0.01) -> Array:
    """x where x >= 0, alpha * x elsewhere."""
    return np.where(x < 0, alpha * x, x)


@elementwise
def prelu(x: Array, slope: Array) -> Array:
    """x where x >= 0, slope * x elsewhere; the slope broadcasts to x."""
    return np.where(x < 0, slope * x, x)


@elementwise
def thresholded_relu(x: Array, *, alpha: float = 1.0) -> Array:
    """x where x > alpha, 0 elsewhere."""
    return np.where(x > alpha, x, np.zeros((), x.dtype))


@elementwise
def elu(x: Array, *, alpha: float = 1.0) -> Array:
    """x where x >= 0, alpha * (exp(x) - 1) elsewhere."""
    return np.where(x < 0, alpha * np.expm1(x), x)


@elementwise
def celu(x: Array, *, alpha: float = 1.0) -> Array:
    """x where x >= 0, alpha * (exp(x / alpha) - 1) elsewhere."""
    return np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha))


@elementwise
def selu(
    x: Array, *, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875
) -> Array:
    """gamma * (x where x >= 0, alpha * (exp(x) - 1) elsewhere)."""
    return gamma * np.where(x < 0, alpha * np.expm1(x), x)


@elementwise
def shrink(x: Array, *, bias: float = 0.0, threshold: float = 0.5) -> Array:
    """x moved toward zero by `bias` where |x| > threshold, 0 elsewhere."""
    return np.where(x < -threshold, x + bias, np.where(x > threshold, x - bias, 0))


def _along_axis(body: Callable[..., Any]) -> Op:
    def rule(x: Ranked, *, axis: int) -> Shape:
        axis_of(axis, len(x.shape))
        return x.shape

    return op(layout=Layout.AXIS, shape=rule)(keeps_type(body))


@_along_axis
def softmax(x: Array, *, axis: int = -1) -> Array:
    """exp(x) divided by its sum along the axis."""
    powers = np.exp(_below_maximum(x, axis))
    return powers / np.sum(powers, axis=axis, keepdims=True)


@_along_axis
def log_softmax(x: Array, *, axis: int = -1) -> Array:
    """The logarithm of softmax."""
    below = _below_maximum(x, axis)
    return below - np.log(np.sum(np.exp(below), axis=axis, keepdims=True))


@_along_axis
def hardmax(x: Array, *, axis: int = -1) -> Array:
    """1 at the first greatest element along the axis, 0 elsewhere."""
    places = np.arange(x.shape[axis]).reshape((-1,) + (1,) * (x.ndim - 1 - axis % x.ndim))
    return places == np.expand_dims(np.argmax(x, axis=axis), axis)


def logistic(x: Array) -> Array:
    """The sigmoid of an array of floats; exact at both ends."""
    decay = np.exp(-np.abs(x))
    return np.where(x < 0, decay, np.ones((), x.dtype)) / (1 + decay)


def _log_one_plus_exp(x: Array) -> Array:
    return np.maximum(x, np.zeros((), x.dtype)) + np.log1p(np.exp(-np.abs(x)))


def _below_maximum(x: Array, axis: int) -> Array:
    return x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
