"""Layers with weights, pooling and attention."""

from __future__ import annotations

from typing import Any

from adapters.pytorch.dialect import constant_of, only, plain, pytorch, rank_of
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value

CONV_DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}


def _pads(pads: tuple[tuple[int, int], ...]) -> Any:
    only(all(a == b for a, b in pads), "its padding is asymmetric")
    return plain(tuple(a for a, _ in pads))


def _weights(node: Node) -> dict[str, Value]:
    found = {"weight": constant_of(node, "weight")}
    if node.bias is not None:
        found["bias"] = constant_of(node, "bias")
    return found


@pytorch.write("conv")
def _(node: Node) -> Layer:
    params = _weights(node)
    out_channels, in_channels, *kernel = params["weight"].shape or ()
    kwargs = {
        "in_channels": in_channels * node.groups,
        "out_channels": out_channels,
        "kernel_size": plain(tuple(kernel)),
        "stride": plain(node.strides),
        "padding": _pads(node.pads),
        "dilation": plain(node.dilations),
        "groups": node.groups,
        "bias": node.bias is not None,
    }
    ctor = f"nn.Conv{len(kernel)}d"
    return Layer(ctor, [node.x], kwargs, CONV_DEFAULTS, params, positional=2)


@pytorch.write("conv_transpose")
def _(node: Node) -> Layer:
    params = _weights(node)
    in_channels, out_channels, *kernel = params["weight"].shape or ()
    kwargs = {
        "in_channels": in_channels,
        "out_channels": out_channels * node.groups,
        "kernel_size": plain(tuple(kernel)),
        "stride": plain(node.strides),
        "padding": _pads(node.pads),
        "output_padding": plain(node.output_padding),
        "groups": node.groups,
        "bias": node.bias is not None,
        "dilation": plain(node.dilations),
    }
    defaults = {**CONV_DEFAULTS, "output_padding": 0}
    ctor = f"nn.ConvTranspose{len(kernel)}d"
    return Layer(ctor, [node.x], kwargs, defaults, params, positional=2)


@pytorch.write("linear")
def _(node: Node) -> Layer:
    params = _weights(node)
    out_features, in_features = params["weight"].shape or ()
    kwargs = {
        "in_features": in_features,
        "out_features": out_features,
        "bias": node.bias is not None,
    }
    return Layer("nn.Linear", [node.x], kwargs, {"bias": True}, params, positional=2)


@pytorch.write("batch_norm")
def _(node: Node) -> Layer:
    rank = rank_of(node.x)
    only(node.axis in (1, 1 - rank) and 2 <= rank <= 5, "it normalises another axis than 1")
    names = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}
    params = {theirs: constant_of(node, mine) for theirs, mine in names.items()}
    kwargs = {
        "num_features": (params["weight"].shape or ())[0],
        "eps": node.eps,
        "momentum": round(1 - node.momentum, 9),
    }
    ctor = f"nn.BatchNorm{max(rank - 2, 1)}d"
    defaults = {"eps": 1e-05, "momentum": 0.1}
    return Layer(ctor, [node.x], kwargs, defaults, params, positional=1)


@pytorch.write("layer_norm")
def _(node: Node) -> Layer:
    shape = node.x.shape
    only(shape is not None, "the rank of its input isn't known")
    axes = shape[node.axis % len(shape) :]
    only(all(isinstance(size, int) for size in axes), "it normalises over an open size")
    params = {k: constant_of(node, k) for k in ("weight", "bias") if node.args[k] is not None}
    only(all(v.shape == axes for v in params.values()), "its weight has another shape")
    only("weight" in params or "bias" not in params, "it has a bias and no weight")
    kwargs = {
        "normalized_shape": plain(axes) if len(axes) == 1 else axes,
        "eps": node.eps,
        "elementwise_affine": "weight" in params,
        "bias": "bias" in params or not params,
    }
    defaults = {"eps": 1e-05, "elementwise_affine": True, "bias": True}
    return Layer("nn.LayerNorm", [node.x], kwargs, defaults, params, positional=1)


@pytorch.write("attention")
def _(node: Node) -> Expr:
    inputs = [node.q, node.k, node.v]
    text = "{0}, {1}, {2}"
    if node.mask is not None:
        inputs.append(node.mask)
        text += ", attn_mask={3}"
    if node.causal:
        text += ", is_causal=True"
    literals = {}
    size = (node.q.shape or (None,))[-1]
    if node.scale is not None and not (
        isinstance(size, int) and abs(node.scale * size**0.5 - 1) < 1e-6
    ):
        text, literals = f"{text}, scale={{scale}}", {"scale": node.scale}
    return Expr(f"F.scaled_dot_product_attention({text})", inputs, literals)


@pytorch.write("matmul")
def _(node: Node) -> Expr:
    return Expr("{0} @ {1}", [node.x, node.y], atom=False)


@pytorch.write("max_pool", "avg_pool")
def _(node: Node) -> Layer:
    spatial = len(node.kernel)
    kind = "Max" if node.op == "max_pool" else "Avg"
    kwargs = {
        "kernel_size": plain(node.kernel),
        "stride": plain(node.strides),
        "padding": _pads(node.pads),
        "ceil_mode": node.ceil_mode,
    }
    defaults = {"padding": 0, "ceil_mode": False, "stride": plain(node.kernel)}
    if node.op == "max_pool":
        kwargs["dilation"], defaults["dilation"] = plain(node.dilations), 1
    else:
        only(set(node.dilations) <= {1}, "average pooling with dilation")
        padded = any(a or b for a, b in node.pads)
        kwargs["count_include_pad"] = node.count_include_pad or not padded
        defaults["count_include_pad"] = True
    return Layer(f"nn.{kind}Pool{spatial}d", [node.x], kwargs, defaults, positional=1)


@pytorch.write("global_avg_pool", "global_max_pool")
def _(node: Node) -> Layer:
    spatial = rank_of(node.x) - 2
    kind = "Avg" if node.op == "global_avg_pool" else "Max"
    name = f"adaptive_{kind.lower()}_pool{spatial}d"
    function = Expr(f"F.{name}({{0}}, 1)", [node.x])
    ctor = f"nn.Adaptive{kind}Pool{spatial}d"
    return Layer(ctor, [node.x], {"output_size": 1}, positional=1, function=function)


@pytorch.write("resize")
def _(node: Node) -> Expr:
    rank = rank_of(node.x)
    only(node.mode in ("nearest", "linear", "cubic"), f"the mode {node.mode}")
    factors = node.scale_factors
    only(factors is not None and len(factors) == rank, "its sizes are computed by the model")
    only(factors[:2] == (1.0, 1.0) and node.resize_axes is None, "it resizes batch or channels")
    nearest = node.mode == "nearest"
    if nearest:
        floors = node.nearest == "floor" and node.coordinates == "asymmetric"
        whole = all(float(f).is_integer() for f in factors)
        half = node.coordinates in ("half_pixel", "pytorch_half_pixel") and whole
        only(floors or half or whole and node.coordinates == "asymmetric", "these coordinates")
    only(nearest, f"resizing by {node.mode} with {node.coordinates}")
    scale = tuple(int(f) if float(f).is_integer() else f for f in factors[2:])
    literals = {"scale": plain(scale)}
    return Expr("F.interpolate({0}, scale_factor={scale})", [node.x], literals)
