"""ONNX's elementwise ops: arithmetic, comparison, logic, types, activations."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import (
    constant_of,
    dtype_of_number,
    folded,
    only,
    table,
)
from ir_hub.ir.graph import Node
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
):
    table.same(_ours, _theirs, since=_since)

table.same("is_inf", "IsInf", since=10, positive="detect_positive", negative="detect_negative")


@table.read("Max", since=8)
def max_of(call: Call, b: Builder) -> Any:
    return folded(call.inputs, b.maximum, b)


@table.read("Min", since=8)
def min_of(call: Call, b: Builder) -> Any:
    return folded(call.inputs, b.minimum, b)


@table.read("Sum", since=8)
def sum_of(call: Call, b: Builder) -> Any:
    return folded(call.inputs, b.add, b)


@table.read("Mean", since=8)
def mean_of(call: Call, b: Builder) -> Any:
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
def clip_by_attributes(call: Call, b: Builder) -> Any:
    only(call, "min", "max")
    return b.clip(call.inputs[0], call.attrs.get("min"), call.attrs.get("max"))


@table.read("BitShift", since=11)
def bit_shift(call: Call, b: Builder) -> Any:
    only(call, "direction")
    return b.bit_shift(*call.inputs, direction=call.attrs["direction"].lower())


@table.write("bit_shift", since=11)
def write_bit_shift(node: Node, emitter: Any) -> Any:
    return emitter.node("BitShift", [node.x, node.y], {"direction": node.direction.upper()})


@table.read("Mod", since=10)
def mod(call: Call, b: Builder) -> Any:
    only(call, "fmod")
    return b.mod(*call.inputs, fmod=bool(call.attrs.get("fmod", 0)))


@table.write("mod", since=10)
def write_mod(node: Node, emitter: Any) -> Any:
    """For floats there is a kernel only for the remainder with the sign of the first operand."""
    if node.fmod or node.x.dtype is None or not node.x.dtype.is_float:
        return emitter.node("Mod", [node.x, node.y], {"fmod": node.fmod})
    zero = emitter.scalar(0, node.x.dtype)
    (rest,) = emitter.node("Mod", [node.x, node.y], {"fmod": 1})
    signs = [*emitter.node("Less", [rest, zero]), *emitter.node("Less", [node.y, zero])]
    inexact = emitter.node("Not", emitter.node("Equal", [rest, zero]))
    moved = emitter.node("And", [*inexact, *emitter.node("Xor", signs)])
    return emitter.node("Where", [*moved, *emitter.node("Add", [rest, node.y]), rest])


@table.read("Cast", since=6)
def cast(call: Call, b: Builder) -> Any:
    only(call, "to", "saturate", "round_mode")
    return _cast(call, dtype_of_number(call.attrs["to"]), b)


@table.read("CastLike", since=15)
def cast_like(call: Call, b: Builder) -> Any:
    only(call, "saturate", "round_mode")
    like = call.inputs[1]
    if like is None or like.dtype is None:
        raise Unsupported("the type that CastLike casts to isn't known")
    return _cast(call, like.dtype, b)


def _cast(call: Call, to: DType, b: Builder) -> Any:
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
def bit_cast(call: Call, b: Builder) -> Any:
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
    trains = training is not None and constant_of(training, "whether Dropout trains")
    if trains and (ratio is None or ratio.scalar != 0):
        raise Unsupported("Dropout in training mode is random")
    if ratio is not None and not ratio.is_constant:
        return (b.identity(call.inputs[0]), _mask(call, b))
    rate = 0.5 if ratio is None else float(str(ratio.array().reshape(())))
    return _dropout(call, rate, b)


def _dropout(call: Call, rate: float, b: Builder) -> Any:
    return (b.dropout(call.inputs[0], rate=rate), _mask(call, b))


def _mask(call: Call, b: Builder) -> Any:
    """What dropout lets pass outside of training: everything."""
    if not call.wants(1):
        return None
    x = call.inputs[0]
    assert x is not None
    dtype = DType.BOOL if call.version >= 10 else x.dtype
    return b.constant_of_shape(b.shape_of(x), value=1, dtype=dtype)


@table.write("dropout", since=12)
def write_dropout(node: Node, emitter: Any) -> Any:
    return emitter.node("Dropout", [node.x, emitter.scalar(node.rate, DType.FLOAT32)])


@table.write("floor_div", since=7)
def write_floor_div(node: Node, emitter: Any) -> Any:
    """ONNX's Div truncates integers."""
    if node.x.dtype is None:
        raise Unsupported("floor_div of operands of unknown type")
    if node.x.dtype.is_float:
        return emitter.node("Floor", emitter.node("Div", [node.x, node.y]))
    remainder = emitter.node("Mod", [node.x, node.y])
    return emitter.node("Div", [emitter.node("Sub", [node.x, *remainder])[0], node.y])


@table.write("log1p", since=7)
def write_log1p(node: Node, emitter: Any) -> Any:
    """Kahan's: log(u) * x / (u - 1) for u = 1 + x, which doesn't lose a small x."""
    (u,) = emitter.node("Add", [node.x, emitter.scalar(1, node.x.dtype)])
    (rounded,) = emitter.node("Sub", [u, emitter.scalar(1, node.x.dtype)])
    (log,) = emitter.node("Log", [u])
    (exact,) = emitter.node("Mul", [log, *emitter.node("Div", [node.x, rounded])])
    large = emitter.node("Where", [*emitter.node("Equal", [u, node.x]), log, exact])
    lost = emitter.node("Equal", [rounded, emitter.scalar(0, node.x.dtype)])
    return emitter.node("Where", [*lost, node.x, *large])


@table.write("expm1", since=9)
def write_expm1(node: Node, emitter: Any) -> Any:
    """2 * sinh(x / 2) * exp(x / 2), which doesn't lose a small x; from -80 on it is -1."""
    low, half, two = (emitter.scalar(n, node.x.dtype) for n in (-80, 0.5, 2))
    (h,) = emitter.node("Mul", [*emitter.node("Max", [node.x, low]), half])
    product = emitter.node("Mul", [*emitter.node("Sinh", [h]), *emitter.node("Exp", [h])])
    return emitter.node("Mul", [*product, two])


@table.write("square")
def write_square(node: Node, emitter: Any) -> Any:
    return emitter.node("Mul", [node.x, node.x])


@table.write("rsqrt")
def write_rsqrt(node: Node, emitter: Any) -> Any:
    return emitter.node("Reciprocal", emitter.node("Sqrt", [node.x]))


@table.write("not_equal", since=7)
def write_not_equal(node: Node, emitter: Any) -> Any:
    return emitter.node("Not", emitter.node("Equal", [node.x, node.y]))
