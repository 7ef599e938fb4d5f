"""Reads activations: as layers of their own, and as settings of other layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.tensorflow.config import Input
from adapters.tensorflow.dialect import tensorflow
from adapters.tensorflow.reading import LayerCall, rank, reads
from ir_hub.ir.graph import Graph, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import TRAINS_WITHOUT, Call, Unsupported

_NONE = np.float32(0)
_HIDDEN = np.float32(-1e9)  # what Keras puts in place of what a mask hides from a softmax
# fmt: off
_SAME = (
    "relu", "relu6", "sigmoid", "tanh", "elu", "selu", "softplus", "softsign", "silu",
    "hard_swish", "mish", "exp", "celu", "gelu", "softmax", "log_softmax",
)
# fmt: on
_NAMES = {
    **{name: name for name in _SAME},
    "swish": "silu",
    "hard_silu": "hard_swish",
    "exponential": "exp",
}  # fmt: skip
_FUNCTIONS = ("builtins", "keras.activations", "keras.src.activations.activations")
_AS_ACTIVATIONS = ("ReLU", "LeakyReLU", "ELU", "Softmax", "Activation")


def activated(b: Builder, x: Value, name: Any) -> Value:
    """What an activation, by its name in a config, makes of a tensor.

    Raises:
        Unsupported: it is none of Keras', or one that isn't known here.
    """
    if isinstance(name, dict):
        return _named(b, x, name)
    if name in (None, "linear"):
        return x
    if name in _NAMES:
        return b.call(_NAMES[name], x)  # type: ignore[no-any-return]
    match name:
        case "leaky_relu":
            return b.leaky_relu(x, alpha=0.2)  # type: ignore[no-any-return]
        case "hard_sigmoid":
            return b.hard_sigmoid(x, alpha=1 / 6)  # type: ignore[no-any-return]
        case "hard_tanh":
            return b.clip(x, -1.0, 1.0)  # type: ignore[no-any-return]
        case "sparse_sigmoid":
            return b.hard_sigmoid(x, alpha=0.5)  # type: ignore[no-any-return]
        case "log_sigmoid":
            return b.neg(b.softplus(b.neg(x)))  # type: ignore[no-any-return]
        case "tanh_shrink":
            return b.sub(x, b.tanh(x))  # type: ignore[no-any-return]
        case "hard_shrink" | "soft_shrink":
            bias = 0.5 if name == "soft_shrink" else 0.0
            return b.shrink(x, bias=bias, threshold=0.5)  # type: ignore[no-any-return]
        case "squareplus":
            root = b.sqrt(b.add(b.square(x), 4.0))
            return b.mul(b.add(x, root), 0.5)  # type: ignore[no-any-return]
        case "glu":
            kept, gate = b.split(x, None, axis=-1, count=2)
            return b.mul(kept, b.sigmoid(gate))  # type: ignore[no-any-return]
    raise Unsupported(f"the activation {str(name)[:60]!r}")


def _named(b: Builder, x: Value, config: dict[str, Any]) -> Value:
    """An activation that is written as an object: a function by its name, or a layer."""
    kind, module = str(config.get("class_name")), str(config.get("module"))
    if kind == "function" and module in _FUNCTIONS:
        return activated(b, x, config.get("config"))
    if kind in _AS_ACTIVATIONS and module == "keras.layers":
        attrs = {"args": (Input(0),), "kwargs": {}, "config": config["config"], "weights": {}}
        call = Call(kind, 1, (x,), ("y",), attrs, _no_body)
        return tensorflow.reader(kind, 1)(call, b)  # type: ignore[no-any-return]
    raise Unsupported(f"the activation {kind} is a custom object")


def _no_body(name: str) -> Graph:
    raise AssertionError(f"a layer has no body {name}")


@reads("Activation")
def _(layer: LayerCall) -> Value:
    return activated(layer.b, layer.x, layer.get("activation"))


@reads("ReLU")
def _(layer: LayerCall) -> Value:
    b, x = layer.b, layer.x
    highest, slope = layer.get("max_value"), float(layer.get("negative_slope") or 0.0)
    threshold = float(layer.get("threshold") or 0.0)
    if threshold:
        return _above(b, x, threshold, slope, highest)
    if highest is None:
        return b.leaky_relu(x, alpha=slope) if slope else b.relu(x)  # type: ignore[no-any-return]
    if highest == 6 and not slope:
        return b.relu6(x)  # type: ignore[no-any-return]
    y = b.leaky_relu(x, alpha=slope) if slope else b.relu(x)
    return b.minimum(y, float(highest))  # type: ignore[no-any-return]


def _above(b: Builder, x: Value, threshold: float, slope: float, highest: Any) -> Value:
    """x above a threshold; below it, `slope` times how far it is below."""
    below = b.mul(b.sub(x, threshold), slope) if slope else b.constant(0.0, x.dtype)
    kept = x if highest is None else b.clip(x, 0.0, float(highest))
    return b.where(b.greater(x, threshold), kept, below)  # type: ignore[no-any-return]


@reads("LeakyReLU")
def _(layer: LayerCall) -> Value:
    slope = layer.get("negative_slope", layer.get("alpha", 0.3))
    return layer.b.leaky_relu(layer.x, alpha=float(slope))  # type: ignore[no-any-return]


@reads("ELU")
def _(layer: LayerCall) -> Value:
    return layer.b.elu(layer.x, alpha=float(layer.get("alpha", 1.0)))  # type: ignore[no-any-return]


@reads("PReLU")
def _(layer: LayerCall) -> Value:
    x = layer.x
    shared = layer.get("shared_axes") or ()
    sizes = tuple(
        1 if axis in shared else size if isinstance(size, int) else None
        for axis, size in enumerate(x.shape or ())
    )
    return layer.b.prelu(x, layer.weight("0", sizes[1:]))  # type: ignore[no-any-return]


@reads("Softmax")
def _(layer: LayerCall) -> Value:
    b, x, axis = layer.b, layer.x, layer.get("axis", -1)
    mask = layer.argument("mask")
    if mask is not None:
        mask = mask if mask.dtype is DType.BOOL else b.greater(mask, 0.5)
        x = b.where(mask, x, _HIDDEN)
    if isinstance(axis, tuple) and len(axis) > 1:
        powers = b.exp(b.sub(x, b.reduce_max(x, axis, keepdims=True)))
        y = b.div(powers, b.reduce_sum(powers, axis, keepdims=True))
    else:
        y = b.softmax(x, axis=axis[0] if isinstance(axis, tuple) else axis)
    return y if mask is None else b.where(mask, y, _NONE)  # type: ignore[no-any-return]


@reads("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout",
       "GaussianDropout", "GaussianNoise", "ActivityRegularization", "StochasticDepth")  # fmt: skip
def _(layer: LayerCall) -> Value:
    rate, noise_shape = layer.get("rate", 0.0), layer.get("noise_shape")
    for name in ("stddev", "l1", "l2", "data_format", "drop_path_rate"):
        layer.get(name)
    # One with a shape of its own drops whole slices: a dropout of elements would train otherwise.
    if layer.type == "Dropout" and noise_shape is None:
        return layer.b.dropout(layer.x, rate=float(rate))  # type: ignore[no-any-return]
    layer.b.note(TRAINS_WITHOUT)
    return layer.b.identity(layer.x)  # type: ignore[no-any-return]


@reads("Identity")
def _(layer: LayerCall) -> Value:
    return layer.b.identity(layer.x)  # type: ignore[no-any-return]


@reads("UnitNormalization")
def _(layer: LayerCall) -> Value:
    b, x, axis = layer.b, layer.x, layer.get("axis", -1)
    axes = axis if isinstance(axis, tuple) else (axis,)
    length = b.maximum(b.reduce_l2(x, axes, keepdims=True), 1e-12)
    return b.div(x, length)  # type: ignore[no-any-return]


@reads("BatchNormalization")
def _(layer: LayerCall) -> Value:
    x = layer.x
    axis = _one(layer.get("axis", -1)) % rank(x)
    if layer.get("renorm"):
        raise Unsupported("it renormalises")
    layer.get("renorm_momentum")
    names = [name for name, has in (("gamma", "scale"), ("beta", "center")) if layer.get(has, True)]
    names += ["moving_mean", "moving_variance"]
    size = x.shape[axis] if x.shape and isinstance(x.shape[axis], int) else None
    found = {name: layer.weight(str(i), (size,), name) for i, name in enumerate(names)}
    count = int(found["moving_mean"].shape[0])  # type: ignore[index, arg-type]
    found.setdefault("gamma", layer.filled(count, 1.0, "gamma"))
    found.setdefault("beta", layer.filled(count, 0.0, "beta"))
    ordered = (found[name] for name in ("gamma", "beta", "moving_mean", "moving_variance"))
    eps, momentum = float(layer.get("epsilon", 1e-3)), float(layer.get("momentum", 0.99))
    return layer.b.batch_norm(x, *ordered, eps=eps, momentum=momentum, axis=axis)  # type: ignore[no-any-return]


def _one(axis: Any) -> int:
    if isinstance(axis, tuple):
        if len(axis) != 1:
            raise Unsupported("it normalises several axes")
        axis = axis[0]
    return int(axis)


@reads("LayerNormalization")
def _(layer: LayerCall) -> Value:
    b, x = layer.b, layer.x
    axes = layer.get("axis", -1)
    axes = sorted(a % rank(x) for a in (axes if isinstance(axes, tuple) else (axes,)))
    if layer.get("rms_scaling"):
        raise Unsupported("it scales by the root mean square")
    sizes = tuple(s if isinstance(s, int) else None for s in ((x.shape or ())[a] for a in axes))
    weight = layer.weight("0", sizes, "gamma") if layer.get("scale", True) else None
    place = "0" if weight is None else "1"
    bias = layer.weight(place, sizes, "beta") if layer.get("center", True) else None
    eps = float(layer.get("epsilon", 1e-3))
    last = (*(a for a in range(rank(x)) if a not in axes), *axes)
    back = tuple(last.index(a) for a in range(rank(x)))
    y = b.layer_norm(b.transpose(x, perm=last), weight, bias, axis=-len(axes), eps=eps)
    return b.transpose(y, perm=back)  # type: ignore[no-any-return]


@reads("RMSNormalization")
def _(layer: LayerCall) -> Value:
    x = layer.x
    if _one(layer.get("axis", -1)) % rank(x) != rank(x) - 1:
        raise Unsupported("it normalises other than the last axis")
    size = x.shape[-1] if x.shape and isinstance(x.shape[-1], int) else None
    eps = float(layer.get("epsilon", 1e-6))
    return layer.b.rms_norm(x, layer.weight("0", (size,)), axis=-1, eps=eps)  # type: ignore[no-any-return]


@reads("GroupNormalization")
def _(layer: LayerCall) -> Value:
    b, x = layer.b, layer.x
    axis = _one(layer.get("axis", -1)) % rank(x)
    size = x.shape[axis] if x.shape and isinstance(x.shape[axis], int) else None
    if not isinstance(size, int):
        raise Unsupported("the number of its channels isn't known")
    weight = (
        layer.weight("0", (size,), "gamma")
        if layer.get("scale", True)
        else layer.filled(size, 1.0, "gamma")
    )
    place = "1" if layer.get("scale", True) else "0"
    bias = (
        layer.weight(place, (size,), "beta")
        if layer.get("center", True)
        else layer.filled(size, 0.0, "beta")
    )
    groups = layer.get("groups", 32)
    groups = size if groups == -1 else groups
    eps = float(layer.get("epsilon", 1e-3))
    first = (0, axis, *(a for a in range(1, rank(x)) if a != axis))
    y = b.group_norm(b.transpose(x, perm=first), weight, bias, groups=groups, eps=eps)
    back = tuple(first.index(a) for a in range(rank(x)))
    return b.transpose(y, perm=back)  # type: ignore[no-any-return]
