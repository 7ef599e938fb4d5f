"""Reductions, searching and norms of vectors as Gluon code."""

from __future__ import annotations

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import GluonDraft, whole_sizes
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node
from ir_hub.sdk.operands import only, rank_of

_REDUCTIONS = {
    "reduce_sum": "F.sum({x}, {dims})",
    "reduce_mean": "F.mean({x}, {dims})",
    "reduce_max": "F.max({x}, {dims})",
    "reduce_min": "F.min({x}, {dims})",
    "reduce_prod": "F.prod({x}, {dims})",
    "reduce_l1": "F.sum(F.abs({x}), {dims})",
    "reduce_l2": "F.sqrt(F.sum(F.square({x}), {dims}))",
    "reduce_sum_square": "F.sum(F.square({x}), {dims})",
    "reduce_log_sum": "F.log(F.sum({x}, {dims}))",
}
_ALONE = {  # of each element
    "reduce_l1": "F.abs({0})",
    "reduce_l2": "F.abs({0})",
    "reduce_log_sum": "F.log({0})",
    "reduce_sum_square": "F.square({0})",
}


@mxnet.write(*_REDUCTIONS)
def _(node: Node) -> Expr:
    rank = rank_of(node.x)
    axes = () if node.axes is None else whole_sizes(node.axes, "its axes")
    if not axes and node.noop_with_empty_axes:
        return Expr(_ALONE.get(node.op, "{0}"), [node.x])
    axes = tuple(sorted(axis % rank for axis in axes)) or tuple(range(rank))
    whole = node.x.dtype is not None and node.x.dtype.is_integer
    only(
        not whole or node.op in ("reduce_max", "reduce_min", "reduce_sum"), f"{node.op} of integers"
    )
    draft = GluonDraft()
    dims = f"axis={draft.literal(axes[0] if len(axes) == 1 else axes, 'axes')}"
    dims += ", keepdims=True" if node.keepdims else ""
    return draft.done(
        _REDUCTIONS[node.op].replace("{x}", draft.tensor(node.x)).replace("{dims}", dims)
    )


@mxnet.write("reduce_log_sum_exp")
def _(node: Node) -> Expr:
    only(node.x.dtype is not None and node.x.dtype.is_float, "reduce_log_sum_exp of integers")
    axes = () if node.axes is None else whole_sizes(node.axes, "its axes")
    only(axes or not node.noop_with_empty_axes, "over no axes")
    rank = rank_of(node.x)
    axes = tuple(sorted(axis % rank for axis in axes)) or tuple(range(rank))
    literals = {"axes": axes, "keepdims": bool(node.keepdims)}
    return Expr("_log_sum_exp(F, {0}, axis={axes}, keepdims={keepdims})", [node.x], literals)


@mxnet.write("arg_max", "arg_min")
def _(node: Node) -> Expr:
    only(not node.select_last_index, "MXNet finds the first of equal ones")
    keep = ", keepdims=True" if node.keepdims else ""
    function = node.op.replace("_", "")
    text = f'F.{function}({{0}}, axis={{axis}}{keep}).astype("int64")'
    return Expr(text, [node.x], {"axis": node.axis % rank_of(node.x)})


@mxnet.write("cum_sum")
def _(node: Node) -> Expr:
    only(node.axis.scalar is not None, "its axis is computed")
    only(
        not node.exclusive and not node.reverse, "it counts otherwise than forwards from the first"
    )
    axis = int(node.axis.scalar) % rank_of(node.x)
    return Expr("F.cumsum({0}, axis={axis})", [node.x], {"axis": axis})


@mxnet.write("top_k")
def _(node: Node) -> Expr:
    k = whole_sizes(node.k, "how many it takes")[0]
    literals = {"axis": node.axis % rank_of(node.x), "k": k, "ascend": not node.largest}
    text = "_top_k(F, {0}, axis={axis}, k={k}, is_ascend={ascend})"
    return Expr(text, [node.x], literals)


@mxnet.write("lp_norm")
def _(node: Node) -> Expr:
    axis = node.axis % rank_of(node.x)
    norm = "F.sum(F.abs({0}), axis={axis}, keepdims=True)"
    if node.p == 2:
        norm = "F.sqrt(F.sum(F.square({0}), axis={axis}, keepdims=True))"
    return Expr(f"F.broadcast_div({{0}}, F.maximum({norm}, 1e-30))", [node.x], {"axis": axis})
