"""Pooling."""

from __future__ import annotations

from adapters.tensorflow.dialect import tensorflow
from adapters.tensorflow.padding import padding_of
from ir_hub.codegen.draft import plain
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of

_DEFAULTS = {"padding": "valid"}


@tensorflow.write("max_pool", "avg_pool")
def _(node: Node) -> Layer | Expr:
    only(not node.ceil_mode, "it rounds sizes up, and they aren't known")
    only(max(node.dilations) == 1, "it is dilated")
    spatial = len(node.kernel)
    only(1 <= spatial <= 3, f"Keras has no pooling over {spatial} axes")
    kind = "Max" if node.op == "max_pool" else "Average"
    padding = padding_of(node)
    kwargs = {"pool_size": plain(node.kernel), "strides": plain(node.strides), "padding": padding}
    if node.x.dtype is DType.FLOAT32:
        defaults = {**_DEFAULTS, "strides": kwargs["pool_size"]}
        return Layer(f"layers.{kind}Pooling{spatial}D", [node.x], kwargs, defaults, positional=1)
    literals = {"kernel": kwargs["pool_size"], "stride": kwargs["strides"], "padding": padding}
    text = f"ops.{kind.lower()}_pool({{0}}, {{kernel}}, {{stride}}, padding={{padding}})"
    return Expr(text, [node.x], literals)


@tensorflow.write("global_avg_pool", "global_max_pool")
def _(node: Node) -> Layer | Expr:
    rank = rank_of(node.x)
    kind = "Average" if node.op == "global_avg_pool" else "Max"
    if 3 <= rank <= 5 and node.x.dtype is DType.FLOAT32:
        kwargs = {"keepdims": node.args.get("keepdims", True)}
        ctor = f"layers.Global{kind}Pooling{rank - 2}D"
        return Layer(ctor, [node.x], kwargs, {"keepdims": False})
    axes, function = tuple(range(1, rank - 1)), {"Average": "mean", "Max": "max"}[kind]
    if not axes:
        return Expr("{0}", [node.x])
    keep = ", keepdims=True" if node.args.get("keepdims", True) else ""
    return Expr(f"ops.{function}({{0}}, {{axes}}{keep})", [node.x], {"axes": axes})


@tensorflow.write("global_lp_pool")
def _(node: Node) -> Expr:
    literals = {"axes": tuple(range(1, rank_of(node.x) - 1)), "p": float(node.p)}
    text = "ops.sum(ops.abs({0}) ** {p}, {axes}, keepdims=True) ** (1 / {p})"
    return Expr(text, [node.x], literals)
