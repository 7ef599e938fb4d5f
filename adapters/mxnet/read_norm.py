"""Normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.mxnet.dialect import Reading, reads
from ir_hub.ir.graph import Value, constant
from ir_hub.ops.build import Builder


@reads("BatchNorm", "BatchNorm_v1", "CuDNNBatchNorm", "_contrib_SyncBatchNorm")
def _(node: Reading, b: Builder) -> Any:
    x, gamma, beta, mean, var = node.operands
    eps, momentum = node.number("eps", 1e-3), node.number("momentum", 0.9)
    axis = node.axis("axis", 1)
    node.flag("use_global_stats"), node.integer("ndev"), node.text("key")
    node.only(not node.flag("output_mean_var"), "it returns its statistics")
    if node.flag("fix_gamma", True):
        gamma = _ones(gamma, mean)
    return b.batch_norm(x, gamma, beta, mean, var, eps=eps, momentum=momentum, axis=axis)


def _ones(gamma: Value, like: Value) -> Value:
    """What a scale that is fixed is, whatever the file says."""
    shape = like.shape or gamma.shape or ()
    dtype = (like.dtype or gamma.dtype).numpy  # type: ignore[union-attr]
    return constant(np.ones([int(size) for size in shape], dtype), gamma.name)  # type: ignore[arg-type]


@reads("LayerNorm")
def _(node: Reading, b: Builder) -> Any:
    node.only(not node.flag("output_mean_var"), "it returns its statistics")
    axis, eps = node.axis("axis", -1), node.number("eps", 1e-5)
    last = axis == -1 or axis == node.rank() - 1
    node.only(last, f"axis={axis} isn't the last one")
    return b.layer_norm(*node.operands, axis=-1, eps=eps)


@reads("InstanceNorm")
def _(node: Reading, b: Builder) -> Any:
    return b.instance_norm(*node.operands, eps=node.number("eps", 1e-3))


@reads("GroupNorm")
def _(node: Reading, b: Builder) -> Any:
    """MXNet has a scale and a shift for each group, ours for each channel."""
    node.only(not node.flag("output_mean_var"), "it returns its statistics")
    groups, eps = node.integer("num_groups", 1), node.number("eps", 1e-5)
    x, gamma, beta = node.operands
    channels = node.shape()[1]
    node.only(isinstance(channels, int), "the number of channels isn't known")
    if gamma.shape != (channels,):
        node.only(gamma.is_constant and beta.is_constant, "its weights are computed")
        each = channels // groups  # type: ignore[operator]
        gamma, beta = (constant(np.repeat(v.array(), each), v.name) for v in (gamma, beta))
    return b.group_norm(x, gamma, beta, groups=groups, eps=eps)


@reads("L2Normalization")
def _(node: Reading, b: Builder) -> Any:
    mode, eps = node.text("mode", "instance"), node.number("eps", 1e-10)
    rank = node.rank()
    axes = {"instance": tuple(range(1, rank)), "channel": (1,), "spatial": tuple(range(2, rank))}
    node.only(mode in axes, f"mode={mode!r}")
    total = b.reduce_sum_square(node.x, axes[mode])
    return b.div(node.x, b.sqrt(b.add(total, eps)))


@reads("LRN")
def _(node: Reading, b: Builder) -> Any:
    return b.lrn(
        node.x,
        size=node.integer("nsize"),
        alpha=node.number("alpha", 1e-4),
        beta=node.number("beta", 0.75),
        bias=node.number("knorm", 2.0),
    )
