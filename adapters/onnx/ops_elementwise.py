"""ONNX's elementwise ops: arithmetic, comparison, logic, types, activations."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import (
    constant_of,
    dtype_of_number,
    folded,
    only,
    rank_of,
    table,
)
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

for _ours, _theirs, _since in (
    ("add", "Add", 7),
    ("sub", "Sub", 7),
    ("mul", "Mul", 7),
    ("div", "Div", 7),
    ("pow", "Pow", 7),
    ("neg", "Neg", 6),
    ("abs", "Abs", 6),
    ("sign", "Sign", 9),
    ("reciprocal", "Reciprocal", 6),
    ("sqrt", "Sqrt", 6),
    ("exp", "Exp", 6),
    ("log", "Log", 6),
    ("erf", "Erf", 9),
    ("ceil", "Ceil", 6),
    ("floor", "Floor", 6),
    ("round", "Round", 11),
    ("sin", "Sin", 7),
    ("cos", "Cos", 7),
    ("tan", "Tan", 7),
    ("asin", "Asin", 7),
    ("acos", "Acos", 7),
    ("atan", "Atan", 7),
    ("sinh", "Sinh", 9),
    ("cosh", "Cosh", 9),
    ("tanh", "Tanh", 6),
    ("asinh", "Asinh", 9),
    ("acosh", "Acosh", 9),
    ("atanh", "Atanh", 9),
    ("equal", "Equal", 7),
    ("less", "Less", 7),
    ("less_equal", "LessOrEqual", 12),
    ("greater", "Greater", 7),
    ("greater_equal", "GreaterOrEqual", 12),
    ("logical_and", "And", 7),
    ("logical_or", "Or", 7),
    ("logical_xor", "Xor", 7),
    ("logical_not", "Not", 1),
    ("bitwise_and", "BitwiseAnd", 18),
    ("bitwise_or", "BitwiseOr", 18),
    ("bitwise_xor", "BitwiseXor", 18),
    ("bitwise_not", "BitwiseNot", 18),
    ("where", "Where", 9),
    ("clip", "Clip", 11),
    ("is_nan", "IsNaN", 9),
    ("identity", "Identity", 1),
    ("relu", "Relu", 6),
    ("sigmoid", "Sigmoid", 6),
    ("softsign", "Softsign", 1),
    ("hard_swish", "HardSwish", 14),
    ("mish", "Mish", 18),
    ("prelu", "PRelu", 7),
):
    table.same(_ours, _theirs, since=_since)

table.same("mod", "Mod", since=10, fmod="fmod")
table.same("is_inf", "IsInf", since=10, positive="detect_positive", negative="detect_negative")
table.same("gelu", "Gelu", since=20, approximate="approximate")
table.same("leaky_relu", "LeakyRelu", since=6, alpha="alpha")
table.same("elu", "Elu", since=6, alpha="alpha")
table.same("celu", "Celu", since=12, alpha="alpha")
table.same("selu", "Selu", since=6, alpha="alpha", gamma="gamma")
table.same("hard_sigmoid", "HardSigmoid", since=6, alpha="alpha", beta="beta")
table.same("thresholded_relu", "ThresholdedRelu", since=10, alpha="alpha")
table.same("shrink", "Shrink", since=9, bias="bias", threshold="lambd")
table.same("swish", "Swish", since=24, alpha="alpha")
table.same("softmax", "Softmax", since=13, axis="axis")
table.same("log_softmax", "LogSoftmax", since=13, axis="axis")
table.same("hardmax", "Hardmax", since=13, axis="axis")


@table.read("Softmax", "LogSoftmax", "Hardmax", since=1)
def softmax_of_rows(call: Call, b: Builder) -> Value:
    """Before opset 13 all axes from `axis` on were one."""
    only(call, "axis")
    op = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Hardmax": "hardmax"}[call.type]
    x, axis = call.inputs[0], int(call.attrs.get("axis", 1))
    rank = rank_of(x, f"the operand of {call.type}")
    if axis % rank == rank - 1:
        return b.call(op, x, axis=-1)
    rows = b.call(op, b.flatten(x, axis=axis % rank), axis=-1)
    return b.reshape(rows, x.shape, allow_zero=True)


@table.read("Softplus", since=1)
def softplus(call: Call, b: Builder) -> Value:
    only(call)
    return b.softplus(call.inputs[0])


@table.write("softplus", since=1)
def write_softplus(node: Node, emitter: Any) -> Any:
    if node.beta == 1.0:
        return emitter.node("Softplus", [node.x])
    beta = emitter.scalar(node.beta, node.x.dtype)
    scaled = emitter.node("Mul", [node.x, beta])
    return emitter.node("Div", [emitter.node("Softplus", scaled)[0], beta])


@table.read("Max", since=8)
def max_of(call: Call, b: Builder) -> Value:
    return folded(call.inputs, b.maximum, b)


@table.read("Min", since=8)
def min_of(call: Call, b: Builder) -> Value:
    return folded(call.inputs, b.minimum, b)


@table.read("Sum", since=8)
def sum_of(call: Call, b: Builder) -> Value:
    return folded(call.inputs, b.add, b)


@table.read("Mean", since=8)
def mean_of(call: Call, b: Builder) -> Value:
    return b.div(folded(call.inputs, b.add, b), len(call.inputs))


# Before opset 8 their operands didn't broadcast: they had equal shapes.
table.read("Max", since=6)(max_of)
table.read("Min", since=6)(min_of)
table.read("Sum", since=6)(sum_of)
table.read("Mean", since=6)(mean_of)


@table.write("maximum", since=8)
def write_maximum(node: Node, emitter: Any) -> Any:
    return emitter.node("Max", [node.x, node.y])


@table.write("minimum", since=8)
def write_minimum(node: Node, emitter: Any) -> Any:
    return emitter.node("Min", [node.x, node.y])


@table.read("Clip", since=6)
def clip_by_attributes(call: Call, b: Builder) -> Value:
    only(call, "min", "max")
    return b.clip(call.inputs[0], call.attrs.get("min"), call.attrs.get("max"))


@table.read("BitShift", since=11)
def bit_shift(call: Call, b: Builder) -> Value:
    only(call, "direction")
    return b.bit_shift(*call.inputs, direction=call.attrs["direction"].lower())


@table.write("bit_shift", since=11)
def write_bit_shift(node: Node, emitter: Any) -> Any:
    return emitter.node("BitShift", [node.x, node.y], {"direction": node.direction.upper()})


@table.read("Cast", since=6)
def cast(call: Call, b: Builder) -> Value:
    only(call, "to", "saturate", "round_mode")
    return _cast(call, dtype_of_number(call.attrs["to"]), b)


@table.read("CastLike", since=15)
def cast_like(call: Call, b: Builder) -> Value:
    only(call, "saturate", "round_mode")
    like = call.inputs[1]
    if like is None or like.dtype is None:
        raise Unsupported("the type that CastLike casts to isn't known")
    return _cast(call, like.dtype, b)


def _cast(call: Call, to: DType, b: Builder) -> Value:
    saturate = bool(call.attrs.get("saturate", 1))
    return b.cast(
        call.inputs[0], to=to, saturate=saturate, round_mode=call.attrs.get("round_mode", "up")
    )


@table.write("cast", since=6)
def write_cast(node: Node, emitter: Any) -> Any:
    attributes: dict[str, Any] = {"to": node.to}
    if not node.saturate:
        attributes["saturate"] = 0
    if node.round_mode != "up":
        attributes["round_mode"] = node.round_mode
    return emitter.node("Cast", [node.x], attributes)


@table.read("BitCast", since=26)
def bit_cast(call: Call, b: Builder) -> Value:
    only(call, "to")
    return b.bit_cast(call.inputs[0], to=dtype_of_number(call.attrs["to"]))


@table.write("bit_cast", since=26)
def write_bit_cast(node: Node, emitter: Any) -> Any:
    return emitter.node("BitCast", [node.x], {"to": node.to})


@table.read("Dropout", since=7)
def dropout_by_attribute(call: Call, b: Builder) -> Any:
    only(call, "ratio", "seed")
    return _dropout(call, call.attrs.get("ratio", 0.5), b)


@table.read("Dropout", since=12)
def dropout(call: Call, b: Builder) -> Any:
    only(call, "seed")
    ratio, training = call.input(1), call.input(2)
    if training is not None and constant_of(training, "whether Dropout trains"):
        if ratio is None or ratio.scalar != 0:
            raise Unsupported("Dropout in training mode is random")
    if ratio is not None and not ratio.is_constant:
        return (b.identity(call.inputs[0]), _mask(call, b))
    rate = 0.5 if ratio is None else float(str(ratio.array().reshape(())))
    return _dropout(call, rate, b)


def _dropout(call: Call, rate: float, b: Builder) -> Any:
    return (b.dropout(call.inputs[0], rate=rate), _mask(call, b))


def _mask(call: Call, b: Builder) -> Value | None:
    """What dropout lets pass outside of training: everything."""
    if not call.wants(1):
        return None
    x = call.inputs[0]
    dtype = DType.BOOL if call.version >= 10 else x.dtype
    return b.constant_of_shape(b.shape_of(x), value=1, dtype=dtype)


@table.write("dropout", since=12)
def write_dropout(node: Node, emitter: Any) -> Any:
    return emitter.node("Dropout", [node.x, emitter.scalar(node.rate, DType.FLOAT32)])


@table.read("SwiGLU", since=28)
def swiglu(call: Call, b: Builder) -> Value:
    only(call, "alpha")
    gate = b.swish(call.inputs[0], alpha=call.attrs.get("alpha", 1.0))
    return b.mul(gate, call.inputs[1])


@table.write("silu", "swish", since=1)
def write_swish(node: Node, emitter: Any) -> Any:
    """Before opset 24 there was no op for it."""
    inner = node.x
    if node.op == "swish" and node.alpha != 1.0:
        inner = emitter.node("Mul", [node.x, emitter.scalar(node.alpha, node.x.dtype)])[0]
    return emitter.node("Mul", [node.x, emitter.node("Sigmoid", [inner])[0]])


@table.write("silu", since=24)
def write_silu(node: Node, emitter: Any) -> Any:
    return emitter.node("Swish", [node.x])


@table.write("floor_div", since=7)
def write_floor_div(node: Node, emitter: Any) -> Any:
    """ONNX's Div truncates integers."""
    if node.x.dtype is None:
        raise Unsupported("floor_div of operands of unknown type")
    if node.x.dtype.is_float:
        return emitter.node("Floor", emitter.node("Div", [node.x, node.y]))
    remainder = emitter.node("Mod", [node.x, node.y])
    return emitter.node("Div", [emitter.node("Sub", [node.x, *remainder])[0], node.y])


@table.write("square")
def write_square(node: Node, emitter: Any) -> Any:
    return emitter.node("Mul", [node.x, node.x])


@table.write("rsqrt")
def write_rsqrt(node: Node, emitter: Any) -> Any:
    return emitter.node("Reciprocal", emitter.node("Sqrt", [node.x]))


@table.write("not_equal", since=7)
def write_not_equal(node: Node, emitter: Any) -> Any:
    return emitter.node("Not", emitter.node("Equal", [node.x, node.y]))


@table.write("relu6", since=11)
def write_relu6(node: Node, emitter: Any) -> Any:
    low, high = (emitter.scalar(value, node.x.dtype) for value in (0, 6))
    return emitter.node("Clip", [node.x, low, high])


@table.read("com.microsoft::Gelu")
def gelu_of_runtime(call: Call, b: Builder) -> Value:
    only(call)
    return b.gelu(call.inputs[0])


@table.read("com.microsoft::FastGelu")
def fast_gelu(call: Call, b: Builder) -> Value:
    only(call)
    x, bias = call.inputs[0], call.input(1)
    return b.gelu(x if bias is None else b.add(x, bias), approximate="tanh")


@table.read("com.microsoft::QuickGelu")
def quick_gelu(call: Call, b: Builder) -> Value:
    only(call, "alpha")
    return b.swish(call.inputs[0], alpha=call.attrs.get("alpha", 1.702))


@table.read("com.microsoft::BiasGelu")
def bias_gelu(call: Call, b: Builder) -> Value:
    only(call)
    return b.gelu(b.add(*call.inputs))
