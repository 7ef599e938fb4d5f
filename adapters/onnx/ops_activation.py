"""ONNX's activations."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import only, rank_of, table
from ir_hub.ir.graph import Node
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call

for _ours, _theirs, _since in (
    ("relu", "Relu", 6),
    ("sigmoid", "Sigmoid", 6),
    ("softsign", "Softsign", 1),
    ("hard_swish", "HardSwish", 14),
    ("mish", "Mish", 18),
    ("prelu", "PRelu", 7),
):
    table.same(_ours, _theirs, since=_since)

table.same("gelu", "Gelu", since=20, approximate="approximate")
table.same("leaky_relu", "LeakyRelu", since=6, alpha="alpha")
table.same("elu", "Elu", since=6, alpha="alpha")
table.same("celu", "Celu", since=12, alpha="alpha")
table.same("selu", "Selu", since=6, alpha="alpha", gamma="gamma")
table.same("hard_sigmoid", "HardSigmoid", since=6, alpha="alpha", beta="beta")
table.same("thresholded_relu", "ThresholdedRelu", since=10, alpha="alpha")
table.same("shrink", "Shrink", since=9, bias="bias", threshold="lambd")
table.same("softmax", "Softmax", since=13, axis="axis")
table.same("log_softmax", "LogSoftmax", since=13, axis="axis")
table.same("hardmax", "Hardmax", since=13, axis="axis")


@table.read("Softmax", "LogSoftmax", "Hardmax", since=1)
def softmax_of_rows(call: Call, b: Builder) -> Any:
    """Before opset 13 all axes from `axis` on were one."""
    only(call, "axis")
    op = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Hardmax": "hardmax"}[call.type]
    x, axis = call.inputs[0], int(call.attrs.get("axis", 1))
    rank = rank_of(x, f"the operand of {call.type}")
    if axis % rank == rank - 1:
        return b.call(op, x, axis=-1)
    rows = b.call(op, b.flatten(x, axis=axis % rank), axis=-1)
    assert x is not None
    return b.reshape(rows, x.shape, allow_zero=True)


@table.read("Softplus", since=1)
def softplus(call: Call, b: Builder) -> Any:
    only(call)
    return b.softplus(call.inputs[0])


@table.write("softplus", since=1)
def write_softplus(node: Node, emitter: Any) -> Any:
    if node.beta == 1.0:
        return emitter.node("Softplus", [node.x])
    beta = emitter.scalar(node.beta, node.x.dtype)
    scaled = emitter.node("Mul", [node.x, beta])
    return emitter.node("Div", [emitter.node("Softplus", scaled)[0], beta])


@table.read("SwiGLU", since=28)
def swiglu(call: Call, b: Builder) -> Any:
    only(call, "alpha")
    gate = b.swish(call.inputs[0], alpha=call.attrs.get("alpha", 1.0))
    return b.mul(gate, call.inputs[1])


@table.read("Swish", since=24)
def swish(call: Call, b: Builder) -> Any:
    only(call, "alpha")
    return b.swish(call.inputs[0], alpha=call.attrs.get("alpha", 1.0))


@table.write("silu", "swish")
def write_swish(node: Node, emitter: Any) -> Any:
    """Not as Swish, which came with opset 24 and has no kernel in ONNX Runtime 1.32."""
    inner = node.x
    if node.op == "swish" and node.alpha != 1.0:
        inner = emitter.node("Mul", [node.x, emitter.scalar(node.alpha, node.x.dtype)])[0]
    return emitter.node("Mul", [node.x, emitter.node("Sigmoid", [inner])[0]])


@table.write("relu6", since=11)
def write_relu6(node: Node, emitter: Any) -> Any:
    low, high = (emitter.scalar(value, node.x.dtype) for value in (0, 6))
    return emitter.node("Clip", [node.x, low, high])
