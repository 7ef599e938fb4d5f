"""Normalisation."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.dialect import tensorflow
from adapters.tensorflow.sums import taken_for_bias
from ir_hub.codegen.draft import Draft
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of


@tensorflow.write("batch_norm")
def _(node: Node) -> Layer | Expr:
    rank = rank_of(node.x)
    axis = node.axis % rank
    parts = {"gamma": "scale", "beta": "bias", "moving_mean": "mean", "moving_variance": "var"}
    params: dict[str, Any] = {theirs: node.args[mine] for theirs, mine in parts.items()}
    if _are_weights(node, params) and axis:
        kwargs = {
            "axis": axis if axis != rank - 1 else -1,
            "momentum": node.momentum,
            "epsilon": node.eps,
        }
        defaults = {"axis": -1, "momentum": 0.99, "epsilon": 0.001}
        return Layer("layers.BatchNormalization", [node.x], kwargs, defaults, params)
    draft = Draft()
    x, mean, var, scale, bias = (
        draft.tensor(node.args[k]) for k in ("x", "mean", "var", "scale", "bias")
    )
    only(all(v.dtype is node.x.dtype for v in params.values()), "its weights are of another type")
    eps, place = draft.literal(node.eps, "eps"), draft.literal(axis, "axis")
    given = f"axis={place}, offset={bias}, scale={scale}, epsilon={eps}"
    return draft.done(f"ops.batch_normalization({x}, {mean}, {var}, {given})")


@tensorflow.write("layer_norm")
def _(node: Node) -> Layer | Expr:
    rank = rank_of(node.x)
    axes = tuple(range(node.axis % rank, rank))
    given = {"gamma": node.weight, "beta": node.bias}
    params = {key: value for key, value in given.items() if value is not None}
    sizes = node.x.shape[axes[0] :]
    if axes[0] and _are_weights(node, params) and all(v.shape == sizes for v in params.values()):
        kwargs = {
            "axis": -1 if len(axes) == 1 else axes,
            "epsilon": node.eps,
            "center": node.bias is not None,
            "scale": node.weight is not None,
        }
        defaults = {"axis": -1, "epsilon": 0.001, "center": True, "scale": True}
        return Layer("layers.LayerNormalization", [node.x], kwargs, defaults, params)
    only(node.x.dtype in (DType.FLOAT32, DType.FLOAT64), f"layer norm of {node.x.dtype}")
    draft = Draft()
    x, over = draft.tensor(node.x), draft.literal(axes, "axes")
    mean = f"ops.mean({x}, {over}, keepdims=True)"
    var = f"ops.var({x}, {over}, keepdims=True)"
    text = f"({x} - {mean}) * ops.rsqrt({var} + {draft.literal(node.eps, 'eps')})"
    text += "" if node.weight is None else f" * {draft.tensor(node.weight)}"
    if node.bias is not None:
        only(not taken_for_bias(node.x.shape, node.bias.shape), "its bias is along another axis")
        text += f" + {draft.tensor(node.bias)}"
    return draft.done(text)


@tensorflow.write("rms_norm")
def _(node: Node) -> Layer | Expr:
    rank = rank_of(node.x)
    axes = tuple(range(node.axis % rank, rank))
    params = {"scale": node.weight}
    fits = node.weight.shape == node.x.shape[-1:]
    if len(axes) == 1 and rank > 1 and fits and _are_weights(node, params):
        kwargs = {"axis": -1, "epsilon": node.eps}
        defaults = {"axis": -1, "epsilon": 1e-06}
        return Layer("layers.RMSNormalization", [node.x], kwargs, defaults, params)
    only(node.x.dtype in (DType.FLOAT32, DType.FLOAT64), f"root mean square of {node.x.dtype}")
    only(node.weight.dtype is node.x.dtype, "its weight is of another type")
    draft = Draft()
    x, over = draft.tensor(node.x), draft.literal(axes, "axes")
    mean = f"ops.mean(ops.square({x}), {over}, keepdims=True)"
    text = (
        f"{x} * ops.rsqrt({mean} + {draft.literal(node.eps, 'eps')}) * {draft.tensor(node.weight)}"
    )
    return draft.done(text)


@tensorflow.write("group_norm")
def _(node: Node) -> Layer:
    params = {"gamma": node.weight, "beta": node.bias}
    rank = rank_of(node.x)
    only(_are_weights(node, params) and rank > 2, "its weights aren't constants of its type")
    kwargs = {"groups": node.groups, "epsilon": node.eps}
    defaults = {"groups": 32, "epsilon": 0.001}
    return Layer("layers.GroupNormalization", [node.x], kwargs, defaults, params, positional=1)


@tensorflow.write("instance_norm")
def _(node: Node) -> Layer:
    params = {"gamma": node.weight, "beta": node.bias}
    rank = rank_of(node.x)
    only(_are_weights(node, params) and rank > 2, "its weights aren't constants of its type")
    kwargs = {"groups": node.weight.shape[0], "epsilon": node.eps}
    defaults = {"groups": 32, "epsilon": 0.001}
    return Layer("layers.GroupNormalization", [node.x], kwargs, defaults, params, positional=1)


@tensorflow.write("lp_norm")
def _(node: Node) -> Expr:
    inner = "ops.abs({0})" if node.p == 1 else "ops.square({0})"
    total = f"ops.sum({inner}, {{axis}}, keepdims=True)"
    norm = total if node.p == 1 else f"ops.sqrt({total})"
    return Expr(f"ops.divide_no_nan({{0}}, {norm})", [node.x], {"axis": node.axis})


@tensorflow.write("mean_variance_norm")
def _(node: Node) -> Expr:
    mean, deviation = (f"ops.{name}({{0}}, {{axes}}, keepdims=True)" for name in ("mean", "std"))
    text = f"({{0}} - {mean}) / ({deviation} + 1e-09)"
    return Expr(text, [node.x], {"axes": node.axes})


def _are_weights(node: Node, params: dict[str, Value]) -> bool:
    """Whether all are constants, in the type that Keras' layers compute in by default."""
    floats = node.x.dtype is DType.FLOAT32
    return floats and all(v.is_constant and v.dtype is DType.FLOAT32 for v in params.values())
