"""ONNX's opset 6, where it differs from what came later: broadcasting by an axis, and training."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import only, rank_of, table
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

_BINARY = {
    "Add": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Div": "div",
    "Pow": "pow",
    "And": "logical_and",
    "Or": "logical_or",
    "Xor": "logical_xor",
    "Equal": "equal",
    "Less": "less",
    "Greater": "greater",
}


@table.read(*_BINARY, since=1)
def binary(call: Call, b: Builder) -> Any:
    """The second operand lay along the axes of the first from `axis` on."""
    only(call, "axis", "broadcast")
    x, y = call.inputs
    if call.attrs.get("broadcast", 0) and "axis" in call.attrs:
        axis, rank = call.attrs["axis"], rank_of(x, f"the first operand of {call.type}")
        behind = rank - axis % rank - rank_of(y, f"the second operand of {call.type}")
        if behind > 0:
            y = b.unsqueeze(y, tuple(range(-behind, 0)))
    return b.call(_BINARY[call.type], x, y)


@table.read("Gemm", since=6)
def gemm(call: Call, b: Builder) -> Any:
    only(call, "alpha", "beta", "broadcast", "transA", "transB")
    return b.gemm(
        *call.inputs,
        alpha=call.attrs.get("alpha", 1.0),
        beta=call.attrs.get("beta", 1.0),
        trans_a=bool(call.attrs.get("transA", 0)),
        trans_b=bool(call.attrs.get("transB", 0)),
    )


@table.read("PRelu", since=6)
def prelu(call: Call, b: Builder) -> Any:
    """The slope was one number, or one for each channel."""
    only(call)
    x, slope = call.inputs
    behind = rank_of(x, "the operand of PRelu") - 2
    if slope is not None and slope.shape not in ((), (1,)) and behind > 0:
        slope = b.unsqueeze(slope, tuple(range(-behind, 0)))
    return b.prelu(x, slope)


@table.read("BatchNormalization", since=6)
def batch_norm(call: Call, b: Builder) -> Any:
    only(call, "epsilon", "momentum", "spatial", "is_test")
    _in_test(call)
    if not call.attrs.get("spatial", 1):
        raise Unsupported("BatchNormalization with statistics for each element")
    eps, momentum = call.attrs.get("epsilon", 1e-5), call.attrs.get("momentum", 0.9)
    return b.batch_norm(*call.inputs, eps=eps, momentum=momentum)


@table.read("Dropout", since=6)
def dropout(call: Call, b: Builder) -> Any:
    only(call, "ratio", "is_test")
    _in_test(call)
    if call.wants(1):
        raise Unsupported("Dropout that returns its mask")
    return b.dropout(call.inputs[0], rate=call.attrs.get("ratio", 0.5))


def _in_test(call: Call) -> None:
    if not call.attrs.get("is_test", 0):
        raise Unsupported(f"{call.type} as it is in training: export the model for inference")
