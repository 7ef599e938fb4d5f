"""Arithmetic, comparisons and types of elements, as Gluon code."""

from __future__ import annotations

from typing import Any

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import TYPES, GluonDraft, dtype_name, leading, rows, tensors
from ir_hub.codegen.draft import may_be_numbers
from ir_hub.codegen.spelling import Expr
from ir_hub.codegen.steps import is_number
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only

# An operator where the shapes are equal or one operand is a number; else what broadcasts.
_ARITHMETIC = {"add": ("+", "add"), "sub": ("-", "sub"), "mul": ("*", "mul"), "div": ("/", "div"),
               "pow": ("**", "power")}  # fmt: skip
_COMPARE = {"equal": ("==", "equal"), "not_equal": ("!=", "not_equal"), "less": ("<", "lesser"),
            "less_equal": ("<=", "lesser_equal"), "greater": (">", "greater"),
            "greater_equal": (">=", "greater_equal")}  # fmt: skip
_EXTREMES = ("maximum", "minimum")

rows(
    {
        "neg": "-{0}",
        "abs": "F.abs({0})",
        "reciprocal": "F.reciprocal({0})",
        "sqrt": "F.sqrt({0})",
        "rsqrt": "F.rsqrt({0})",
        "square": "F.square({0})",
        "exp": "F.exp({0})",
        "log": "F.log({0})",
        "log1p": "F.log1p({0})",
        "expm1": "F.expm1({0})",
        "erf": "F.erf({0})",
        "ceil": "F.ceil({0})",
        "floor": "F.floor({0})",
        "sin": "F.sin({0})",
        "cos": "F.cos({0})",
        "tan": "F.tan({0})",
        "asin": "F.arcsin({0})",
        "acos": "F.arccos({0})",
        "atan": "F.arctan({0})",
        "sinh": "F.sinh({0})",
        "cosh": "F.cosh({0})",
        "asinh": "F.arcsinh({0})",
        "acosh": "F.arccosh({0})",
        "atanh": "F.arctanh({0})",
        "identity": "{0}",
        "is_nan": "{0} != {0}",
    }
)


def binary(node: Node, operator: str, function: str) -> Expr:
    """An operation of two tensors, or of a tensor and a number."""
    x, y = node.x, node.y
    numbers = [i for i in may_be_numbers([x, y], [0, 1]) if is_number((x, y)[i])]
    same = x.shape is not None and x.shape == y.shape
    if numbers or same:
        return tensors(f"{{0}} {operator} {{1}}", numbers="all")(node)
    return tensors(f"F.broadcast_{function}({{0}}, {{1}})")(node)


@mxnet.write(*_ARITHMETIC)
def _(node: Node) -> Expr:
    only(node.x.dtype is node.y.dtype, f"{dtype_name(node.x)} with {dtype_name(node.y)}")
    whole = node.x.dtype is not None and node.x.dtype.is_integer
    only(not (whole and node.op == "pow"), "a power of integers")
    only(node.op != "div" or not whole, "a division of integers")
    return binary(node, *_ARITHMETIC[node.op])


@mxnet.write(*_COMPARE)
def _(node: Node) -> Expr:
    """MXNet says true and false as 1 and 0 in the type of what is compared."""
    return _as_number(binary(node, *_COMPARE[node.op]), node.x)


def _as_number(made: Expr, compared: Value) -> Expr:
    """What a comparison gives as the number that stands for a truth value."""
    if compared.dtype is DType.FLOAT32:
        return made
    text = f'({made.text}).astype("float32")'
    return Expr(text, made.inputs, made.literals, made.numbers)


@mxnet.write(*_EXTREMES)
def _(node: Node) -> Expr:
    draft = GluonDraft()
    x, y = (node.y, node.x) if node.x.scalar is not None else (node.x, node.y)
    if may_be_numbers([x, y], [1]):
        return draft.done(f"F.{node.op}({draft.tensor(x)}, {draft.scalar(y)})")
    function = node.op if x.shape == y.shape else f"broadcast_{node.op}"
    return draft.done(f"F.{function}({draft.tensor(x)}, {draft.tensor(y)})")


rows(
    {
        "logical_and": "F.broadcast_logical_and({0}, {1})",
        "logical_or": "F.broadcast_logical_or({0}, {1})",
        "logical_xor": "F.broadcast_logical_xor({0}, {1})",
        "logical_not": "F.logical_not({0})",
    }
)


@mxnet.write("is_inf")
def _(node: Node) -> Expr:
    only(node.positive or node.negative, "it looks for no sign")
    text = 'F.abs({0}) == float("inf")'
    if not (node.positive and node.negative):
        text = '{0} == float("inf")' if node.positive else '{0} == -float("inf")'
    return _as_number(tensors(text)(node), node.x)


@mxnet.write("mod")
def _(node: Node) -> Expr:
    """MXNet's remainder has the divisor's sign; of a division by 0 it is 0."""
    x, y = node.x, node.y
    only(x.dtype is y.dtype is not None, f"{dtype_name(x)} with {dtype_name(y)}")
    sure = x.dtype.is_integer or (y.is_constant and bool(y.array().all()))
    only(sure, "a remainder of floats whose divisor may be 0")
    if not node.fmod:
        return binary(node, "%", "mod")
    return tensors("F.broadcast_mul(F.sign({0}), F.broadcast_mod(F.abs({0}), F.abs({1})))")(node)  # type: ignore[no-any-return]


@mxnet.write("sign")
def _(node: Node) -> Expr:
    return Expr("F.sign({0})", [node.x])


@mxnet.write("round")
def _(node: Node) -> Expr:
    return Expr("_round(F, {0})", [node.x])


@mxnet.write("clip")
def _(node: Node) -> Expr:
    draft = GluonDraft()
    x = draft.tensor(node.x)
    bounds = (node.low, node.high)
    if all(v is not None and v.scalar is not None for v in bounds):
        return draft.done(f"F.clip({x}, {', '.join(draft.scalar(v) for v in bounds)})")
    text = x
    for bound, name in ((node.low, "maximum"), (node.high, "minimum")):
        if bound is None:
            continue
        given, wide = draft.scalar(bound), "" if bound.scalar is not None else "broadcast_"
        text = f"F.{wide}{name}({text}, {given})"
    return draft.done(text)


@mxnet.write("where")
def _(node: Node) -> Expr:
    draft = GluonDraft()
    shape = node.result.shape
    only(shape is not None, "its rank isn't known")
    like = next((v for v in (node.condition, node.x, node.y) if v.shape == shape), None)
    only(like is not None, "no operand has the shape of its result")
    pieces = [_spread(v, shape, like, draft) for v in (node.condition, node.x, node.y)]  # type: ignore[arg-type]
    return draft.done(f"F.where({', '.join(pieces)})")


def _spread(value: Value, shape: tuple[Any, ...], like: Value, draft: GluonDraft) -> str:
    """An operand in the shape of the result: MXNet's where doesn't broadcast."""
    if value.shape == shape:
        return draft.tensor(value)
    rank = len(value.shape or ())
    text = draft.tensor(value)
    text = leading(text, len(shape) - max(rank, 1))
    return f"F.broadcast_like({text}, {draft.tensor(like)})"


@mxnet.write("cast")
def _(node: Node) -> Expr:
    if node.to is DType.BOOL:
        return _as_number(tensors("{0} != 0")(node), node.x)
    only(node.to in TYPES, f"MXNet has no tensors of {node.to.value}")
    if node.to is node.x.dtype:
        return tensors("{0}")(node)
    return tensors("{0}.astype({to})")(node)
