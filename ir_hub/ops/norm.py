"""Normalisation, with running statistics, over axes, groups or neighbours."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.types import DType, Shape
from ir_hub.ops.axes_string import orders, reordered_rule, transposed
from ir_hub.ops.families import Ranked
from ir_hub.ops.op import Array, Layout, op
from ir_hub.ops.precision import keeps_float_type, widened
from ir_hub.ops.shape_rules import axis_of, same_rule
from ir_hub.ops.trace import Term, Tracer

_END = 1 << 62  # of a cut that goes to the end


def _along(parameter: Array, rank: int, axis: int) -> Array:
    """A vector shaped to broadcast along one axis."""
    return parameter.reshape([-1 if i == axis_of(axis, rank) else 1 for i in range(rank)])


def _scaled(
    x: Array, scale: Array, bias: Array, mean: Array, var: Array, eps: float, axis: int
) -> Array:
    scale, bias, mean, var = (_along(p, x.ndim, axis) for p in (scale, bias, mean, var))
    return (x - mean) / np.sqrt(var + eps) * scale + bias


@op(layout=Layout.AXIS, shape=same_rule)
@keeps_float_type
def batch_norm(
    x: Array,
    scale: Array,
    bias: Array,
    mean: Array,
    var: Array,
    *,
    eps: float = 1e-5,
    momentum: float = 0.9,
    axis: int = 1,
) -> Array:
    """(x - mean) / sqrt(var + eps) * scale + bias, with one element of each for every channel.

    `momentum` means nothing here and is kept for training: running = running * momentum +
    batch * (1 - momentum).
    """
    return _scaled(x, scale, bias, mean, var, eps, axis)


def _training_shapes(x: Ranked, *others: Ranked, **_: object) -> list[Shape | None]:
    return [x.shape, others[2].shape, others[3].shape]


@op(
    layout=Layout.AXIS,
    results=("y", "running_mean", "running_var"),
    dtypes=("x", "mean", "var"),
    shape=_training_shapes,
)
def batch_norm_training(
    x: Array,
    scale: Array,
    bias: Array,
    mean: Array,
    var: Array,
    *,
    eps: float = 1e-5,
    momentum: float = 0.9,
    axis: int = 1,
) -> tuple[Array, Array, Array]:
    """Normalises with the batch's own mean and (population) variance, and updates the running
    ones: running * momentum + batch * (1 - momentum)."""
    wide = widened(x)
    others = tuple(i for i in range(x.ndim) if i != axis_of(axis, x.ndim))
    batch_mean, batch_var = wide.mean(axis=others), wide.var(axis=others)
    y = _scaled(wide, widened(scale), widened(bias), batch_mean, batch_var, eps, axis)
    running_mean = widened(mean) * momentum + batch_mean * (1 - momentum)
    running_var = widened(var) * momentum + batch_var * (1 - momentum)
    return y.astype(x.dtype), running_mean.astype(mean.dtype), running_var.astype(var.dtype)


def _last_axes(x: Array, axis: int) -> tuple[int, ...]:
    return tuple(range(axis_of(axis, x.ndim), x.ndim))


def _standardised(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array, Array]:
    """x with mean 0 and variance 1 over the axes; the mean; 1 / its standard deviation."""
    mean = x.mean(axis=axes, keepdims=True)
    centred = x - mean
    inverse = 1 / np.sqrt(np.mean(centred * centred, axis=axes, keepdims=True) + eps)
    return centred * inverse, mean, np.asarray(inverse)


def _affine(y: Array, weight: Array | None, bias: Array | None) -> Array:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


@op(shape=same_rule)
@keeps_float_type
def layer_norm(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    axis: int = -1,
    eps: float = 1e-5,
) -> Array:
    """Mean 0 and variance 1 over the axes from `axis` to the last, times weight, plus bias.

    Weight and bias broadcast to x; mostly they have the shape of those axes.
    """
    return _affine(_standardised(x, _last_axes(x, axis), eps)[0], weight, bias)


def _stats_shapes(x: Ranked, *_: object, axis: int = -1, **__: object) -> list[Shape]:
    shape = x.shape
    kept = shape[: axis_of(axis, len(shape))]
    stats = kept + (1,) * (len(shape) - len(kept))
    return [shape, stats, stats]


@op(
    results=("y", "mean", "inv_std_dev"),
    dtypes=("x", DType.FLOAT32, DType.FLOAT32),
    shape=_stats_shapes,
)
def layer_norm_stats(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    axis: int = -1,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """layer_norm, and as float32 the mean and 1 / the standard deviation it divided by."""
    wide, weight, bias = widened((x, weight, bias))
    y, mean, inverse = _standardised(wide, _last_axes(x, axis), eps)
    y = _affine(y, weight, bias).astype(x.dtype)
    return y, mean.astype(np.float32), inverse.astype(np.float32)


@layer_norm_stats.spelled
def _(
    b: Tracer, x: Term, weight: Term | None, bias: Term | None, *, axis: int, eps: float
) -> tuple[Term, Term, Term]:
    rank = len(x.shape or ())
    axes = tuple(range(axis % rank, rank))
    wide = b.cast(x, to=DType.FLOAT32) if x.dtype in (DType.FLOAT16, DType.BFLOAT16) else x
    mean = b.reduce_mean(wide, axes)
    inverse = b.rsqrt(b.reduce_mean(b.square(wide - mean), axes) + eps)
    y = b.layer_norm(x, weight, bias, axis=axis, eps=eps)
    if wide.dtype is not DType.FLOAT32:
        mean, inverse = (b.cast(each, to=DType.FLOAT32) for each in (mean, inverse))
    return y, mean, inverse


@op(shape=same_rule)
@keeps_float_type
def rms_norm(x: Array, weight: Array, *, axis: int = -1, eps: float = 1e-5) -> Array:
    """x / sqrt(mean of squares + eps) * weight, over the axes from `axis` to the last."""
    squares = np.mean(x * x, axis=_last_axes(x, axis), keepdims=True)
    return x / np.sqrt(squares + eps) * weight


@rms_norm.spelled
def _(b: Tracer, x: Term, weight: Term, *, axis: int, eps: float) -> Term:
    rank = len(x.shape or ())
    squares = b.reduce_mean(x * x, tuple(range(axis % rank, rank)))
    return x / b.sqrt(squares + eps) * weight


def _grouped(x: Array, weight: Array, bias: Array, groups: int, eps: float) -> Array:
    parts = x.reshape(x.shape[0], groups, -1)
    y = _standardised(parts, (2,), eps)[0].reshape(x.shape)
    return y * _along(weight, x.ndim, 1) + _along(bias, x.ndim, 1)


@op(layout=Layout.AXES_STRING, shape=reordered_rule)
@keeps_float_type
def group_norm(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    groups: int,
    eps: float = 1e-5,
    axes: str = "NC*->NC*",
) -> Array:
    """Mean 0 and variance 1 over each group of channels of each image, times weight, plus bias.

    Weight and bias have one element for each channel.
    """
    x_order, result_order = orders(axes)
    y = _grouped(transposed(x, x_order, "NC*"), weight, bias, groups, eps)
    return transposed(y, "NC*", result_order)


@op(layout=Layout.AXES_STRING, shape=reordered_rule)
@keeps_float_type
def instance_norm(
    x: Array, weight: Array, bias: Array, *, eps: float = 1e-5, axes: str = "NC*->NC*"
) -> Array:
    """group_norm where every channel is a group."""
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    return transposed(_grouped(x, weight, bias, x.shape[1], eps), "NC*", result_order)


@op(layout=Layout.AXES_STRING, shape=reordered_rule)
@keeps_float_type
def lrn(
    x: Array,
    *,
    size: int,
    alpha: float = 0.0001,
    beta: float = 0.75,
    bias: float = 1.0,
    axes: str = "NC*->NC*",
) -> Array:
    """x / (bias + alpha / size * s) ** beta, s the sum of squares over the `size` channels around
    each: (size - 1) // 2 before it, size // 2 after it."""
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    before, after = (size - 1) // 2, size // 2
    squares = np.pad(x * x, [(0, 0), (before, after)] + [(0, 0)] * (x.ndim - 2))
    near = np.lib.stride_tricks.sliding_window_view(squares, size, axis=1)
    y = x / (bias + alpha / size * near.sum(axis=-1)) ** beta
    return transposed(y, "NC*", result_order)


@lrn.spelled
def _(
    b: Tracer, x: Term, *, size: int, alpha: float, beta: float, bias: float, axes: str
) -> Term | None:
    x_order, result_order = orders(axes)
    if x_order != result_order:
        return None
    axis = {0: 0, 1: 1}.get(x_order.index("C"), len(x.shape or ()) - 1)
    before, after = (size - 1) // 2, size // 2
    near = b.pad(b.square(x), (before, after), axes=(axis,))
    parts = [b.slice(near, (i,), (i - size + 1 or _END,), (axis,)) for i in range(size)]
    return x / b.pow(sum(parts[1:], parts[0]) * (alpha / size) + bias, beta)


@op(layout=Layout.AXIS, shape=same_rule)
@keeps_float_type
def lp_norm(x: Array, *, axis: int = -1, p: int = 2) -> Array:
    """x / its p-norm along an axis (p 1 or 2); 0 where that norm is 0."""
    norm = np.sum(np.abs(x) ** p, axis=axis, keepdims=True) ** (1.0 / p)
    return np.where(norm == 0, 0, x / np.where(norm == 0, 1, norm))


@op(layout=Layout.AXIS, shape=same_rule)
@keeps_float_type
def mean_variance_norm(x: Array, *, axes: tuple[int, ...] = (0, 2, 3)) -> Array:
    """(x - mean) / (standard deviation + 1e-9) over the axes."""
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / (np.sqrt(np.mean(centred * centred, axis=axes, keepdims=True)) + 1e-9)
