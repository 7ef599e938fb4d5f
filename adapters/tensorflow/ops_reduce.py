"""Reductions, searching, sorting."""

from __future__ import annotations

from collections.abc import Callable

from adapters.tensorflow.dialect import known_sizes, only, tensorflow
from ir_hub.codegen.draft import Draft
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType

_FUNCTIONS = {
    "reduce_sum": "ops.sum({x}{over})",
    "reduce_mean": "ops.mean({x}{over})",
    "reduce_max": "ops.max({x}{over})",
    "reduce_min": "ops.min({x}{over})",
    "reduce_prod": "ops.prod({x}{over})",
    "reduce_l1": "ops.sum(ops.abs({x}){over})",
    "reduce_l2": "ops.sqrt(ops.sum(ops.square({x}){over}))",
    "reduce_log_sum": "ops.log(ops.sum({x}{over}))",
    "reduce_log_sum_exp": "ops.logsumexp({x}{over})",
    "reduce_sum_square": "ops.sum(ops.square({x}){over})",
}


_OF_FLOATS = ("reduce_l2", "reduce_mean", "reduce_log_sum", "reduce_log_sum_exp")


def _reduction(template: str) -> Callable[[Node], Expr]:
    def rule(node: Node) -> Expr:
        draft = Draft()
        x = draft.tensor(node.x)
        axes = None if node.axes is None else known_sizes(node.axes, "its axes aren't known")
        if axes == () and node.noop_with_empty_axes:
            only(node.op in ("reduce_sum", "reduce_mean", "reduce_max", "reduce_min"), "no axes")
            return draft.done(x)
        over = f", axis={draft.literal(axes if len(axes) > 1 else axes[0], 'axis')}" if axes else ""
        over += ", keepdims=True" if node.keepdims else ""
        text = template.replace("{x}", x).replace("{over}", over)
        if node.result.dtype is not None and not node.result.dtype.is_float:
            only(node.op not in _OF_FLOATS, f"of {node.result.dtype.value}")
            text = f"ops.cast({text}, {draft.literal(node.result.dtype, 'dtype')})"
        return draft.done(text)

    return rule


for _op, _template in _FUNCTIONS.items():
    tensorflow.write(_op)(_reduction(_template))


@tensorflow.write("arg_max", "arg_min")
def _(node: Node) -> Expr:
    only(not node.select_last_index, "it finds the last of equal elements")
    keep = ", keepdims=True" if node.keepdims else ""
    text = f"ops.{node.op.replace('_', '')}({{0}}, axis={{axis}}{keep})"
    literals = {"axis": node.axis, "dtype": DType.INT64}
    return Expr(f"ops.cast({text}, {{dtype}})", [node.x], literals)


@tensorflow.write("cum_sum", "cum_prod")
def _(node: Node) -> Expr:
    only(not node.exclusive, "it leaves out the element itself")
    axis = node.axis.scalar if isinstance(node.axis, Value) else node.axis
    only(axis is not None, "its axis isn't known")
    literals = {"axis": int(axis)}
    inner = "ops.flip({0}, axis={axis})" if node.reverse else "{0}"
    text = f"ops.{node.op.replace('_', '')}({inner}, axis={{axis}})"
    return Expr(f"ops.flip({text}, axis={{axis}})" if node.reverse else text, [node.x], literals)
