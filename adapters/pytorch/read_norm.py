"""Reads PyTorch's normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import aten
from adapters.pytorch.reshaping import filled, with_shape
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import dtype_of, only, rank_of, shape_of

_TRAINING = "in training mode it changes its statistics: export the model after .eval()"


def _affine(x: Value, weight: Value | None, bias: Value | None) -> tuple[Value, Value]:
    """The weights of a layer's channels; one that was made without has ones and zeros."""
    channels = shape_of(x)[1]
    return (
        filled(1, channels, x, "weight") if weight is None else weight,
        filled(0, channels, x, "bias") if bias is None else bias,
    )


@aten("batch_norm.default")
def batch_norm(
    b: Builder,
    x: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Any:
    if training and running_mean is None and running_var is None:
        return _by_own_statistics(b, x, weight, bias, eps)
    only(not training, _TRAINING)
    only(running_mean is not None and running_var is not None, "it has no running statistics")
    scale, shift = _affine(x, weight, bias)
    kept = round(1 - momentum, 12)  # of the old statistics, where PyTorch says what is new
    return b.batch_norm(x, scale, shift, running_mean, running_var, eps=eps, momentum=kept)


def _by_own_statistics(
    b: Builder, x: Value, weight: Value | None, bias: Value | None, eps: float
) -> Any:
    """Every channel by its mean and variance in this very batch, as weights are standardised."""
    axes = (0, *range(2, rank_of(x)))
    centred = b.sub(x, b.reduce_mean(x, axes, keepdims=True))
    variance = b.reduce_mean(b.square(centred), axes, keepdims=True)
    y = b.div(centred, b.sqrt(b.add(variance, eps)))
    lying = (shape_of(x)[1], *(1,) * (rank_of(x) - 2))
    y = y if weight is None else b.mul(y, with_shape(b, weight, lying))
    return y if bias is None else b.add(y, with_shape(b, bias, lying))


@aten("_native_batch_norm_legit_no_training.default")
def batch_norm_functional(
    b: Builder,
    x: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value,
    running_var: Value,
    momentum: float,
    eps: float,
) -> Any:
    return batch_norm(b, x, weight, bias, running_mean, running_var, False, momentum, eps)


@aten("instance_norm.default")
def instance_norm(
    b: Builder,
    x: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Any:
    if not use_input_stats:
        return batch_norm(b, x, weight, bias, running_mean, running_var, False, momentum, eps)
    only(running_mean is None, _TRAINING)
    return b.instance_norm(x, *_affine(x, weight, bias), eps=eps)


@aten("group_norm.default")
def group_norm(
    b: Builder,
    x: Value,
    num_groups: int,
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Any:
    return b.group_norm(x, *_affine(x, weight, bias), groups=num_groups, eps=eps)


@aten("layer_norm.default")
def layer_norm(
    b: Builder,
    x: Value,
    normalized_shape: Sequence[Dim],
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Any:
    return b.layer_norm(x, weight, bias, axis=-len(normalized_shape), eps=eps)


@aten("native_layer_norm.default")
def native_layer_norm(
    b: Builder,
    x: Value,
    normalized_shape: Sequence[Dim],
    weight: Value | None,
    bias: Value | None,
    eps: float,
) -> Any:
    return layer_norm(b, x, normalized_shape, weight, bias, eps)


@aten("rms_norm.default")
def rms_norm(
    b: Builder,
    x: Value,
    normalized_shape: Sequence[Dim],
    weight: Value | None = None,
    eps: float | None = None,
) -> Any:
    if eps is None:
        eps = float(np.finfo(dtype_of(x).numpy).eps)
    if weight is None:
        only(all(isinstance(n, int) for n in normalized_shape), "rms_norm of an open size")
        weight = b.constant(np.ones(tuple(normalized_shape), dtype_of(x).numpy), name="weight")
    return b.rms_norm(x, weight, axis=-len(normalized_shape), eps=eps)


@aten("_weight_norm.default")
def weight_norm(b: Builder, v: Value, g: Value, dim: int = 0) -> Any:
    """A weight of the direction of v, and of the length g for each item of an axis."""
    axis = dim % rank_of(v)
    others = tuple(each for each in range(rank_of(v)) if each != axis)
    length = b.reduce_l2(v, others, keepdims=True)
    return b.mul(v, b.div(g, length))
