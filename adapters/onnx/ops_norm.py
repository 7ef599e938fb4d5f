"""ONNX's normalisations."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import expect, only, rank_of, table
from ir_hub.ir.graph import Node
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

table.same("instance_norm", "InstanceNormalization", since=6, eps="epsilon")
table.same("lrn", "LRN", size="size", alpha="alpha", beta="beta", bias="bias")
table.same("lp_norm", "LpNormalization", axis="axis", p="p")
table.same("mean_variance_norm", "MeanVarianceNormalization", since=9, axes="axes")


@table.read("BatchNormalization", since=7)
def batch_norm(call: Call, b: Builder) -> Any:
    only(call, "epsilon", "momentum", "spatial", "training_mode")
    expect(call, spatial=1)
    literals = {
        "eps": call.attrs.get("epsilon", 1e-5),
        "momentum": call.attrs.get("momentum", 0.9),
    }
    if call.attrs.get("training_mode", 0):
        return b.batch_norm_training(*call.inputs, **literals)
    if any(call.wants(index) for index in range(1, 5)):
        raise Unsupported("BatchNormalization that returns statistics without training_mode")
    return b.batch_norm(*call.inputs, **literals)


@table.write("batch_norm", "batch_norm_training", since=14)
def write_batch_norm(node: Node, emitter: Any) -> Any:
    if node.axis != 1 and node.axis != 1 - rank_of(node.x, "the operand of batch_norm"):
        raise Unsupported(f"{node.op} over axis {node.axis}; ONNX has axis 1 only")
    tensors = [node.x, node.scale, node.bias, node.mean, node.var]
    attributes = {
        "epsilon": node.eps,
        "momentum": node.momentum,
        "training_mode": int(node.op == "batch_norm_training"),
    }
    return emitter.node("BatchNormalization", tensors, attributes, len(node.results))


@table.read("LayerNormalization", since=1)  # before opset 17 it is ONNX Runtime's own
def layer_norm(call: Call, b: Builder) -> Any:
    only(call, "axis", "epsilon", "stash_type")
    expect(call, stash_type=1)
    op = "layer_norm_stats" if call.wants(1) or call.wants(2) else "layer_norm"
    axis, eps = call.attrs.get("axis", -1), call.attrs.get("epsilon", 1e-5)
    return b.call(op, *call.inputs, axis=axis, eps=eps)


@table.write("layer_norm", "layer_norm_stats", since=17)
def write_layer_norm(node: Node, emitter: Any) -> Any:
    weight = node.weight
    if weight is None:
        shape = node.x.shape and node.x.shape[node.axis :]
        weight = emitter.ones(shape, node.x.dtype)
    attributes = {"axis": node.axis, "epsilon": node.eps}
    tensors = [node.x, weight, node.bias]
    return emitter.node("LayerNormalization", tensors, attributes, len(node.results))


@table.read("RMSNormalization", since=23)
def rms_norm(call: Call, b: Builder) -> Any:
    only(call, "axis", "epsilon", "stash_type")
    expect(call, stash_type=1)
    axis, eps = call.attrs.get("axis", -1), call.attrs.get("epsilon", 1e-5)
    return b.rms_norm(*call.inputs, axis=axis, eps=eps)


@table.write("rms_norm", since=23)
def write_rms_norm(node: Node, emitter: Any) -> Any:
    attributes = {"axis": node.axis, "epsilon": node.eps}
    return emitter.node("RMSNormalization", [node.x, node.weight], attributes)


@table.read("GroupNormalization", since=18)
def group_norm_of_groups(call: Call, b: Builder) -> Any:
    """Before opset 21 scale and bias had one element for each group, not for each channel."""
    only(call, "num_groups", "epsilon")
    x, scale, bias = call.inputs
    channels = x.shape[1] if x is not None and x.shape else None
    groups = call.attrs["num_groups"]
    if not isinstance(channels, int):
        raise Unsupported("GroupNormalization of an unknown number of channels")
    each = (groups, channels // groups)
    wide = [b.reshape(b.expand(b.unsqueeze(v, (1,)), each), (channels,)) for v in (scale, bias)]
    return b.group_norm(x, *wide, groups=groups, eps=call.attrs.get("epsilon", 1e-5))


@table.read("GroupNormalization", since=21)
def group_norm(call: Call, b: Builder) -> Any:
    only(call, "num_groups", "epsilon", "stash_type")
    expect(call, stash_type=1)
    literals = {"groups": call.attrs["num_groups"], "eps": call.attrs.get("epsilon", 1e-5)}
    return b.group_norm(*call.inputs, **literals)


@table.write("group_norm", since=21)
def write_group_norm(node: Node, emitter: Any) -> Any:
    attributes = {"num_groups": node.groups, "epsilon": node.eps}
    return emitter.node("GroupNormalization", [node.x, node.weight, node.bias], attributes)
