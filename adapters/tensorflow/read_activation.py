"""Reads activations: as layers of their own, and as settings of other layers."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.reading import LayerCall, rank, reads
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import TRAINS_WITHOUT, Unsupported

# fmt: off
_SAME = (
    "relu", "relu6", "sigmoid", "tanh", "elu", "selu", "softplus", "softsign", "silu",
    "hard_swish", "mish", "exp",
)
# fmt: on
_NAMES = {
    **{name: name for name in _SAME},
    "swish": "silu",
    "hard_silu": "hard_swish",
    "exponential": "exp",
}  # fmt: skip


def activated(b: Builder, x: Value, name: Any) -> Value:
    """What an activation, by its name in a config, makes of a tensor.

    Raises:
        Unsupported: it is none of Keras', or one that isn't known here.
    """
    if isinstance(name, dict):
        name = _named(name)
    if name in (None, "linear"):
        return x
    if name in _NAMES:
        return b.call(_NAMES[name], x)  # type: ignore[no-any-return]
    match name:
        case "softmax" | "log_softmax":
            return b.call(name, x, axis=-1)  # type: ignore[no-any-return]
        case "gelu":
            return b.gelu(x)  # type: ignore[no-any-return]
        case "leaky_relu":
            return b.leaky_relu(x, alpha=0.2)  # type: ignore[no-any-return]
        case "hard_sigmoid":
            return b.hard_sigmoid(x, alpha=1 / 6)  # type: ignore[no-any-return]
        case "celu":
            return b.celu(x)  # type: ignore[no-any-return]
    raise Unsupported(f"the activation {str(name)[:60]!r}")


def _named(config: dict[str, Any]) -> Any:
    """The name of an activation that is written as an object."""
    if config.get("class_name") == "function" and str(config.get("module")) in (
        "builtins", "keras.activations", "keras.src.activations.activations",
    ):  # fmt: skip
        return config.get("config")
    raise Unsupported(f"the activation {config.get('class_name')} is a custom object")


@reads("Activation")
def _(layer: LayerCall) -> Value:
    return activated(layer.b, layer.x, layer.get("activation"))


@reads("ReLU")
def _(layer: LayerCall) -> Value:
    b, x = layer.b, layer.x
    highest, slope = layer.get("max_value"), layer.get("negative_slope", 0.0)
    if layer.get("threshold", 0.0):
        raise Unsupported("it has a threshold")
    if slope:
        if highest is not None:
            raise Unsupported("it has a slope and a highest value")
        return b.leaky_relu(x, alpha=float(slope))  # type: ignore[no-any-return]
    if highest == 6:
        return b.relu6(x)  # type: ignore[no-any-return]
    y = b.relu(x)
    return y if highest is None else b.minimum(y, float(highest))  # type: ignore[no-any-return]


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
    axis = layer.get("axis", -1)
    if isinstance(axis, tuple):
        if len(axis) != 1:
            raise Unsupported("it is over several axes")
        axis = axis[0]
    return layer.b.softmax(layer.x, axis=axis)  # type: ignore[no-any-return]


@reads("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout",
       "GaussianDropout", "GaussianNoise", "ActivityRegularization")  # fmt: skip
def _(layer: LayerCall) -> Value:
    rate, noise_shape = layer.get("rate", 0.0), layer.get("noise_shape")
    for name in ("stddev", "l1", "l2", "data_format"):
        layer.get(name)
    # One with a shape of its own drops whole slices: a dropout of elements would train otherwise.
    if layer.type == "Dropout" and noise_shape is None:
        return layer.b.dropout(layer.x, rate=float(rate))  # type: ignore[no-any-return]
    layer.b.note(TRAINS_WITHOUT)
    return layer.b.identity(layer.x)  # type: ignore[no-any-return]


@reads("Identity")
def _(layer: LayerCall) -> Value:
    return layer.b.identity(layer.x)  # type: ignore[no-any-return]


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
    x = layer.x
    axes = layer.get("axis", -1)
    axes = sorted(a % rank(x) for a in (axes if isinstance(axes, tuple) else (axes,)))
    if axes != list(range(axes[0], rank(x))):
        raise Unsupported("it normalises other than the last axes")
    if layer.get("rms_scaling"):
        raise Unsupported("it scales by the root mean square")
    sizes = tuple(s if isinstance(s, int) else None for s in (x.shape or ())[axes[0] :])
    weight = layer.weight("0", sizes, "gamma") if layer.get("scale", True) else None
    place = "0" if weight is None else "1"
    bias = layer.weight(place, sizes, "beta") if layer.get("center", True) else None
    eps = float(layer.get("epsilon", 1e-3))
    return layer.b.layer_norm(x, weight, bias, axis=axes[0] - rank(x), eps=eps)  # type: ignore[no-any-return]


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
