"""ONNX's reductions, searches and running sums."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import only, table
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call

_REDUCTIONS = {
    "ReduceSum": "reduce_sum",
    "ReduceMean": "reduce_mean",
    "ReduceMax": "reduce_max",
    "ReduceMin": "reduce_min",
    "ReduceProd": "reduce_prod",
    "ReduceL1": "reduce_l1",
    "ReduceL2": "reduce_l2",
    "ReduceLogSum": "reduce_log_sum",
    "ReduceLogSumExp": "reduce_log_sum_exp",
    "ReduceSumSquare": "reduce_sum_square",
}
for _theirs, _ours in _REDUCTIONS.items():
    table.same(
        _ours,
        _theirs,
        since=13 if _theirs == "ReduceSum" else 18,
        keepdims="keepdims",
        noop_with_empty_axes="noop_with_empty_axes",
    )


@table.read(*_REDUCTIONS, since=1)
def reduce_over_attribute(call: Call, b: Builder) -> Any:
    """Before opset 13 or 18 the axes were an attribute."""
    only(call, "axes", "keepdims")
    keepdims = bool(call.attrs.get("keepdims", 1))
    return b.call(_REDUCTIONS[call.type], call.inputs[0], call.attrs.get("axes"), keepdims=keepdims)


for _ours, _theirs in (("arg_max", "ArgMax"), ("arg_min", "ArgMin")):
    table.same(
        _ours,
        _theirs,
        axis="axis",
        keepdims="keepdims",
        select_last_index="select_last_index",
    )

table.same("cum_sum", "CumSum", since=11, exclusive="exclusive", reverse="reverse")
table.same("cum_prod", "CumProd", since=26, exclusive="exclusive", reverse="reverse")
table.same("top_k", "TopK", since=10, axis="axis", largest="largest", sorted="sorted")
table.same("unique", "Unique", since=11, axis="axis", sorted="sorted")
table.same("non_zero", "NonZero", since=9)
table.same("det", "Det", since=11)


@table.read("TopK", since=1)
def top_k_by_attribute(call: Call, b: Builder) -> Any:
    only(call, "axis", "k")
    return b.top_k(call.inputs[0], (call.attrs["k"],), axis=call.attrs.get("axis", -1))
