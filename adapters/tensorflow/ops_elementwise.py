"""Arithmetic, comparisons, types of elements."""

from __future__ import annotations

import numpy as np

from adapters.tensorflow.dialect import DTYPES, rows, tensorflow
from adapters.tensorflow.sums import taken_for_bias
from ir_hub.codegen.draft import Draft, expression, may_be_numbers
from ir_hub.codegen.spelling import Expr
from ir_hub.codegen.steps import is_number
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only

# Operators where the first operand is Keras' tensor: NumPy's arrays have their own.
_OPERATORS = {
    "sub": ("-", "subtract"),
    "mul": ("*", "multiply"),
    "floor_div": ("//", "floor_divide"),
    "equal": ("==", "equal"),
    "not_equal": ("!=", "not_equal"),
    "less": ("<", "less"),
    "less_equal": ("<=", "less_equal"),
    "greater": (">", "greater"),
    "greater_equal": (">=", "greater_equal"),
}
_FUNCTIONS_ONLY = ("equal", "not_equal")  # == on symbolic tensors asks whether they are one


def _binary(node: Node, operator: str, function: str) -> Expr:
    inputs = [node.x, node.y]
    numbers = may_be_numbers(inputs, [0, 1])
    is_array = node.x.is_constant and not (0 in numbers and is_number(node.x))
    if node.op in _FUNCTIONS_ONLY or is_array:
        return Expr(f"ops.{function}({{0}}, {{1}})", inputs, numbers=numbers)
    return Expr(f"{{0}} {operator} {{1}}", inputs, numbers=numbers)


for _op, (_operator, _function) in _OPERATORS.items():
    tensorflow.write(_op)(lambda node, o=_operator, f=_function: _binary(node, o, f))

rows(
    {
        "minimum": "ops.minimum({0}, {1})",
        "maximum": "ops.maximum({0}, {1})",
        "where": "ops.where({0}, {1}, {2})",
    },
    numbers="1 2",
)
rows(
    {
        "abs": "ops.abs({0})",
        "neg": "-{0}",
        "reciprocal": "ops.reciprocal({0})",
        "sqrt": "ops.sqrt({0})",
        "rsqrt": "ops.rsqrt({0})",
        "square": "ops.square({0})",
        "exp": "ops.exp({0})",
        "log": "ops.log({0})",
        "log1p": "ops.log1p({0})",
        "expm1": "ops.expm1({0})",
        "erf": "ops.erf({0})",
        "sin": "ops.sin({0})",
        "cos": "ops.cos({0})",
        "tan": "ops.tan({0})",
        "asin": "ops.arcsin({0})",
        "acos": "ops.arccos({0})",
        "atan": "ops.arctan({0})",
        "sinh": "ops.sinh({0})",
        "cosh": "ops.cosh({0})",
        "asinh": "ops.arcsinh({0})",
        "acosh": "ops.arccosh({0})",
        "atanh": "ops.arctanh({0})",
        "atan2": "ops.arctan2({0}, {1})",
        "ceil": "ops.ceil({0})",
        "floor": "ops.floor({0})",
        "round": "ops.round({0})",
        "logical_and": "ops.logical_and({0}, {1})",
        "logical_or": "ops.logical_or({0}, {1})",
        "logical_xor": "ops.logical_xor({0}, {1})",
        "logical_not": "ops.logical_not({0})",
        "bitwise_and": "ops.bitwise_and({0}, {1})",
        "bitwise_or": "ops.bitwise_or({0}, {1})",
        "bitwise_xor": "ops.bitwise_xor({0}, {1})",
        "bitwise_not": "ops.bitwise_not({0})",
        "is_nan": "ops.isnan({0})",
        "identity": "{0}",
        "det": "ops.det({0})",
    }
)


@tensorflow.write("add")
def _(node: Node) -> Expr:
    x, y = node.x, node.y
    if may_be_numbers([x, y], [0, 1]) or not taken_for_bias(x.shape, y.shape):
        return _binary(node, "+", "add")
    if not taken_for_bias(y.shape, x.shape):
        return Expr("ops.add({0}, {1})", [y, x])
    return Expr("ops.subtract({0}, ops.negative({1}))", [x, y])


@tensorflow.write("sign")
def _(node: Node) -> Expr:
    if node.x.dtype is not None and node.x.dtype.is_float:  # TensorFlow's sign of NaN is 0
        return Expr("ops.where(ops.isnan({0}), {0}, ops.sign({0}))", [node.x])
    return Expr("ops.sign({0})", [node.x])


@tensorflow.write("div")
def _(node: Node) -> Expr:
    if node.x.dtype is None or not node.x.dtype.is_integer:
        return _binary(node, "/", "divide")
    only(node.x.dtype.value.startswith("int"), f"division of {node.x.dtype.value}")
    # Towards zero, unlike Python's.
    sign = "ops.sign({0}) * ops.sign({1})"
    return Expr(f"{sign} * (ops.abs({{0}}) // ops.abs({{1}}))", [node.x, node.y])


@tensorflow.write("mod")
def _(node: Node) -> Expr:
    if not node.fmod:
        return expression("ops.mod({0}, {1})", numbers="0 1")(node)
    return expression("ops.fmod({0}, {1})", numbers="0 1")(node)


@tensorflow.write("pow")
def _(node: Node) -> Expr:
    base, exponent = node.x.dtype, node.y.dtype
    only(base is not None and exponent is not None, "the types of its operands aren't known")
    if base is exponent and base.is_float:
        return _binary(node, "**", "power")
    if base.is_float:
        text = "ops.power({0}, ops.cast({1}, {dtype}))"
        return Expr(text, [node.x, node.y], {"dtype": base})
    if base.is_integer and exponent.is_integer:
        return Expr("ops.cast(ops.power({0}, ops.cast({1}, {dtype})), {dtype})",
                    [node.x, node.y], {"dtype": base})  # fmt: skip
    wide = {"wide": DType.FLOAT64, "dtype": base}
    text = "ops.cast(ops.power(ops.cast({0}, {wide}), ops.cast({1}, {wide})), {dtype})"
    return Expr(text, [node.x, node.y], wide)


@tensorflow.write("clip")
def _(node: Node) -> Expr:
    draft = Draft()
    x = draft.tensor(node.x)
    low, high = node.low, node.high
    if low is None and high is None:
        return draft.done(x)
    if low is None or high is None:
        bound, name = (low, "maximum") if high is None else (high, "minimum")
        return draft.done(f"ops.{name}({x}, {draft.scalar(bound)})")
    # The upper bound wins where the two are crossed.
    if low.scalar is not None and high.scalar is not None and low.scalar <= high.scalar:
        return draft.done(f"ops.clip({x}, {draft.scalar(low)}, {draft.scalar(high)})")
    return draft.done(f"ops.minimum(ops.maximum({x}, {draft.tensor(low)}), {draft.tensor(high)})")


@tensorflow.write("bit_shift")
def _(node: Node) -> Expr:
    only(node.x.dtype is not None, "the type of its operand isn't known")
    bits = node.x.dtype.bits
    shift = f"ops.bitwise_{node.direction}_shift"
    if node.y.is_constant and bool(np.all((node.y.array() >= 0) & (node.y.array() < bits))):
        return Expr(f"{shift}({{0}}, {{1}})", [node.x, node.y])
    # What TensorFlow makes of a shift by other than 0 to bits - 1 depends on the machine.
    literals = {"bits": bits, "most": bits - 1}
    within, signed = "{1} < {bits}", node.x.dtype.value.startswith("int")
    if signed:
        within = "ops.logical_and({1} >= 0, {1} < {bits})"
    inside = f"ops.where({within}, {{1}}, {{most}})"
    if signed and node.direction == "right":  # the sign's bits come in
        return Expr(f"{shift}({{0}}, {inside})", [node.x, node.y], literals)
    text = f"ops.where({within}, {shift}({{0}}, {inside}), 0)"
    return Expr(text, [node.x, node.y], literals)


@tensorflow.write("bit_cast")
def _(node: Node) -> Expr:
    only(DType.BOOL not in (node.to, node.x.dtype), "Keras has no bits of truth values")
    return Expr("ops.view({0}, {to})", [node.x], {"to": node.to})


@tensorflow.write("is_inf")
def _(node: Node) -> Expr:
    only(node.positive or node.negative, "it looks for no infinity at all")
    if node.positive and node.negative:
        return Expr("ops.isinf({0})", [node.x])
    return Expr(f"ops.is{'pos' if node.positive else 'neg'}inf({{0}})", [node.x])


@tensorflow.write("cast")
def _(node: Node) -> Expr:
    only(node.to.value in DTYPES, f"Keras has no tensors of {node.to.value}")
    source = node.x.dtype
    narrow = source is not None and source.is_float and node.to.is_integer
    only(not narrow or node.to.value != "bool", "it casts a float to a truth value")
    return Expr("ops.cast({0}, {to})", [node.x], {"to": node.to})
