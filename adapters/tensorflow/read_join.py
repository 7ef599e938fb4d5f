"""Reads layers that reshape, reorder and join tensors."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from adapters.tensorflow.reading import LayerCall, rank, reads, size_of
from ir_hub.ir.graph import Value
from ir_hub.sdk.dialect import Unsupported


@reads("Reshape")
def _(layer: LayerCall) -> Value:
    return layer.b.reshape(layer.x, (0, *layer.get("target_shape")))  # type: ignore[no-any-return]


@reads("Flatten")
def _(layer: LayerCall) -> Value:
    x = layer.x
    if layer.get("data_format") == "channels_first" and rank(x) > 2:
        x = layer.b.transpose(x, perm=(0, *range(2, rank(x)), 1))
    return layer.b.flatten(x, axis=1)  # type: ignore[no-any-return]


@reads("Permute")
def _(layer: LayerCall) -> Value:
    return layer.b.transpose(layer.x, perm=(0, *layer.get("dims")))  # type: ignore[no-any-return]


@reads("RepeatVector")
def _(layer: LayerCall) -> Value:
    b = layer.b
    return b.tile(b.unsqueeze(layer.x, (1,)), (1, layer.get("n"), 1))  # type: ignore[no-any-return]


@reads("Concatenate")
def _(layer: LayerCall) -> Value:
    return layer.b.concat(layer.xs, axis=layer.get("axis", -1))  # type: ignore[no-any-return]


_JOINS = {"Add": "add", "Subtract": "sub", "Multiply": "mul", "Maximum": "maximum",
          "Minimum": "minimum", "Average": "add"}  # fmt: skip


@reads(*_JOINS)
def _(layer: LayerCall) -> Value:
    b, xs = layer.b, list(layer.xs)
    ranks = {rank(x) for x in xs}
    if len(ranks) > 1:
        raise Unsupported("it joins tensors of several ranks")
    y = reduce(lambda left, right: b.call(_JOINS[layer.type], left, right), xs)
    return b.div(y, float(len(xs))) if layer.type == "Average" else y  # type: ignore[no-any-return]


@reads("Dot")
def _(layer: LayerCall) -> Value:
    b, (x, y) = layer.b, layer.xs
    axes = layer.get("axes")
    axes = (axes, axes) if isinstance(axes, int) else axes
    first, second = axes[0] % rank(x), axes[1] % rank(y)
    if layer.get("normalize"):
        x, y = b.lp_norm(x, axis=first), b.lp_norm(y, axis=second)
    if (rank(x), rank(y)) == (2, 2):
        return b.reduce_sum(b.mul(x, y), (1,), keepdims=True)  # type: ignore[no-any-return]
    if (rank(x), rank(y)) != (3, 3):
        raise Unsupported(f"of tensors of rank {rank(x)} and {rank(y)}")
    x = b.transpose(x, perm=(0, 2, 1)) if first == 1 else x
    y = b.transpose(y, perm=(0, 2, 1)) if second == 2 else y
    return b.matmul(x, y)  # type: ignore[no-any-return]


@reads("Rescaling")
def _(layer: LayerCall) -> Value:
    b = layer.b
    return b.add(  # type: ignore[no-any-return]
        b.mul(layer.x, _number(layer.get("scale"))), _number(layer.get("offset", 0.0))
    )


def _number(setting: Any) -> np.ndarray:
    return np.asarray(setting, np.float32)


@reads("Normalization")
def _(layer: LayerCall) -> Value:
    b, x = layer.b, layer.x
    axis = layer.get("axis", -1)
    mean, variance = layer.get("mean"), layer.get("variance")
    if layer.get("invert"):
        raise Unsupported("it is inverted")
    if mean is None:
        kept = axis if isinstance(axis, tuple) else (() if axis is None else (axis,))
        sizes = tuple(size_of(x, a) for a in kept)
        shape = [1] * rank(x)
        for a in kept:
            shape[a % rank(x)] = size_of(x, a)
        mean, variance = (layer.weight(str(i), sizes).array().reshape(shape) for i in (0, 1))
        layer.ignore("2")  # how many samples they are of
    deviation = np.maximum(np.sqrt(np.asarray(variance, np.float32)), np.float32(1e-7))
    return b.div(b.sub(x, np.asarray(mean, np.float32)), deviation)  # type: ignore[no-any-return]
