"""Losses of classifiers, with the classes along axis 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.types import Shape
from ir_hub.ops.families import Ranked
from ir_hub.ops.op import Array, op
from ir_hub.ops.precision import keeps_float_type
from ir_hub.ops.trace import Term, Tracer


def _loss_shape(
    x: Ranked,
    target: Ranked,
    weight: Ranked | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Shape | None:
    return target.shape if reduction == "none" else ()


@op(shape=_loss_shape)
@keeps_float_type
def nll_loss(
    x: Array,
    target: Array,
    weight: Array | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Array:
    """Minus the log-probability x (N, C, *) of the target class (N, *), times its class's weight.

    Targets equal to `ignore_index` count nothing. `reduction`: none, sum, or mean, which divides by
    the sum of the weights.
    """
    return _nll(x, target, weight, ignore_index, reduction)


def _nll(
    x: Array, target: Array, weight: Array | None, ignore_index: int | None, reduction: str
) -> Array:
    ignored = np.zeros(target.shape, bool) if ignore_index is None else target == ignore_index
    classes = np.where(ignored, 0, target).astype(np.int64)
    picked = np.take_along_axis(x, np.expand_dims(classes, 1), axis=1)
    weights = np.ones(target.shape, x.dtype) if weight is None else weight[classes]
    weights = np.where(ignored, x.dtype.type(0), weights)
    losses = np.where(ignored, x.dtype.type(0), -np.squeeze(picked, axis=1) * weights)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return np.asarray(losses.sum())
    if reduction != "mean":
        raise ValueError(f"a loss has no reduction {reduction!r}: none, sum or mean")
    return np.asarray(losses.sum() / weights.sum())


@nll_loss.spelled
def _(
    b: Tracer,
    x: Term,
    target: Term,
    weight: Term | None,
    *,
    ignore_index: int | None,
    reduction: str,
) -> Term:
    ignored = None if ignore_index is None else b.equal(target, ignore_index)
    classes = target
    if ignored is not None:
        classes = b.where(ignored, b.constant(0, target.dtype), target)
    picked = b.squeeze(b.gather_elements(x, b.unsqueeze(classes, (1,)), axis=1), (1,))
    losses, weights, zero = -picked, None, b.constant(0, x.dtype)
    if weight is not None:
        weights = b.gather(weight, classes, axis=0)
        losses = losses * weights
    if ignored is not None:
        ones = b.constant(1, x.dtype) if weights is None else weights
        weights = b.where(ignored, zero, ones)
        losses = b.where(ignored, zero, losses)
    if reduction == "none":
        return losses
    if reduction == "mean" and weights is None:
        return b.reduce_mean(losses, keepdims=False)
    total = b.reduce_sum(losses, keepdims=False)
    if reduction == "mean":
        total = total / b.reduce_sum(weights, keepdims=False)
    return total


def _cross_entropy_shapes(
    x: Ranked,
    target: Ranked,
    weight: Ranked | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> list[Shape | None]:
    return [target.shape if reduction == "none" else (), x.shape]


@op(results=("y", "log_prob"), shape=_cross_entropy_shapes)
@keeps_float_type
def softmax_cross_entropy_loss(
    x: Array,
    target: Array,
    weight: Array | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> tuple[Array, Array]:
    """nll_loss of the log-softmax of x along axis 1; that log-softmax."""
    shifted = x - x.max(axis=1, keepdims=True)
    log_prob = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return _nll(log_prob, target, weight, ignore_index, reduction), log_prob


@softmax_cross_entropy_loss.spelled
def _(b: Tracer, x: Term, target: Term, weight: Term | None, **literals: Any) -> tuple[Term, Term]:
    log_prob = b.log_softmax(x, axis=1)
    return b.nll_loss(log_prob, target, weight, **literals), log_prob
