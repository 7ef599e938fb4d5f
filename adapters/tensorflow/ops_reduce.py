"""Reductions, searching, sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.tensorflow.dialect import tensorflow
from ir_hub.codegen.draft import Draft
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import known_sizes, only, rank_of

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
    keep = ", keepdims=True" if node.keepdims else ""
    function = f"ops.{node.op.replace('_', '')}"
    literals: dict[str, Any] = {"axis": node.axis, "dtype": DType.INT64}
    text = f"{function}({{0}}, axis={{axis}}{keep})"
    if node.select_last_index:
        size = None if node.x.shape is None else node.x.shape[node.axis]
        only(isinstance(size, int), "it finds the last of equal elements, of unknown number")
        literals["last"] = size - 1
        text = f"{{last}} - {function}(ops.flip({{0}}, axis={{axis}}), axis={{axis}}{keep})"
    return Expr(f"ops.cast({text}, {{dtype}})", [node.x], literals)


@tensorflow.write("cum_sum", "cum_prod")
def _(node: Node) -> Expr:
    axis = node.axis.scalar if isinstance(node.axis, Value) else node.axis
    only(axis is not None, "its axis isn't known")
    rank = rank_of(node.x)
    literals: dict[str, Any] = {"axis": int(axis)}
    text = "ops.flip({0}, axis={axis})" if node.reverse else "{0}"
    if node.exclusive:  # it begins with what adds or multiplies nothing, and lacks the last
        place = int(axis) % rank
        cut = ", ".join([*[":"] * place, ":-1", *["..."] * (rank == 1)])
        literals["widths"] = tuple((int(a == place), 0) for a in range(rank))
        filled = ", constant_values=1" if node.op == "cum_prod" else ""
        text = f"ops.pad(({text})[{cut}], {{widths}}{filled})"
    text = f"ops.{node.op.replace('_', '')}({text}, axis={{axis}})"
    return Expr(f"ops.flip({text}, axis={{axis}})" if node.reverse else text, [node.x], literals)


@tensorflow.write("top_k")
def _(node: Node) -> Expr:
    (count,) = known_sizes(node.k, "how many it takes isn't known")
    only(isinstance(count, int), "how many it takes isn't known")
    only(node.largest, "it takes the least")
    rank = rank_of(node.x)
    only(node.axis % rank == rank - 1, "its axis isn't the last one")
    literals = {"count": count}
    return Expr("ops.top_k({0}, {count})", [node.x], literals, targets="{0}, {1}")
