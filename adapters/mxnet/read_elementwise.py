"""Arithmetic, comparisons, types of elements."""

from __future__ import annotations

from typing import Any

from adapters.mxnet.dialect import Reading, reads
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder

# MXNet's names over the years; equal shapes or broadcast ones, ours does both.
BINARY = {
    "add": ("elemwise_add", "_plus", "_Plus", "_add", "broadcast_add", "broadcast_plus"),
    "sub": ("elemwise_sub", "_minus", "_Minus", "_sub", "broadcast_sub", "broadcast_minus"),
    "mul": ("elemwise_mul", "_mul", "_Mul", "broadcast_mul"),
    "div": ("elemwise_div", "_div", "_Div", "broadcast_div"),
    "pow": ("_power", "_Power", "_pow", "broadcast_power"),
    "maximum": ("_maximum", "_Maximum", "broadcast_maximum"),
    "minimum": ("_minimum", "_Minimum", "broadcast_minimum"),
}
_COMPARE = {"equal": "equal", "not_equal": "not_equal", "greater": "greater",
            "greater_equal": "greater_equal", "lesser": "less",
            "lesser_equal": "less_equal"}  # fmt: skip
_UNARY = {
    "negative": "neg", "_np_negative": "neg", "abs": "abs", "sign": "sign", "square": "square",
    "reciprocal": "reciprocal", "sqrt": "sqrt", "rsqrt": "rsqrt", "exp": "exp", "log": "log",
    "log1p": "log1p", "expm1": "expm1", "erf": "erf", "ceil": "ceil", "floor": "floor",
    "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos",
    "arctan": "atan", "sinh": "sinh", "cosh": "cosh", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh",
}  # fmt: skip
_SAME = (
    "identity", "_copy", "BlockGrad", "stop_gradient", "make_loss", "MakeLoss",
    "_identity_with_attr_like_rhs", "LinearRegressionOutput", "MAERegressionOutput",
    "IdentityAttachKLSparseReg", "SVMOutput",
)  # fmt: skip

for _op, _types in BINARY.items():

    @reads(*_types)
    def _(node: Reading, b: Builder, op: str = _op) -> Any:
        x, y = node.operands
        return b.call(op, x, y)


for _theirs, _ours in _UNARY.items():

    @reads(_theirs)
    def _(node: Reading, b: Builder, op: str = _ours) -> Any:
        return b.call(op, node.x)


for _theirs, _ours in _COMPARE.items():

    @reads(f"broadcast_{_theirs}", f"_{_theirs}")
    def _(node: Reading, b: Builder, op: str = _ours) -> Any:
        """MXNet says true and false as 1 and 0 in the type of what is compared."""
        x, y = node.operands
        return b.cast(b.call(op, x, y), to=_dtype(x))

    @reads(f"_{_theirs}_scalar")
    def _(node: Reading, b: Builder, op: str = _ours) -> Any:
        return b.cast(b.call(op, node.x, _scalar(node, b)), to=_dtype(node.x))


def _dtype(value: Value) -> DType:
    return value.dtype or DType.FLOAT32


def _scalar(node: Reading, b: Builder) -> Value:
    number = node.number("scalar")
    node.flag("is_int", True)
    dtype = _dtype(node.x)
    whole = not dtype.is_integer or float(number).is_integer()
    node.only(whole, f"a tensor of {dtype.value} and the number {number}")
    return b.constant(number, dtype)


_SCALAR = {
    "_plus_scalar": "add", "_PlusScalar": "add", "_minus_scalar": "sub", "_MinusScalar": "sub",
    "_mul_scalar": "mul", "_MulScalar": "mul", "_div_scalar": "div", "_DivScalar": "div",
    "_power_scalar": "pow", "_PowerScalar": "pow", "_maximum_scalar": "maximum",
    "_MaximumScalar": "maximum", "_minimum_scalar": "minimum", "_MinimumScalar": "minimum",
}  # fmt: skip
_SCALAR_FIRST = {"_rminus_scalar": "sub", "_RMinusScalar": "sub", "_rdiv_scalar": "div",
                 "_RDivScalar": "div", "_rpower_scalar": "pow",
                 "_RPowerScalar": "pow"}  # fmt: skip


@reads(*_SCALAR)
def _(node: Reading, b: Builder) -> Any:
    return b.call(_SCALAR[node.type], node.x, _scalar(node, b))


@reads(*_SCALAR_FIRST)
def _(node: Reading, b: Builder) -> Any:
    return b.call(_SCALAR_FIRST[node.type], _scalar(node, b), node.x)


@reads("_mod", "broadcast_mod")
def _(node: Reading, b: Builder) -> Any:
    """The remainder has the divisor's sign, as Python's."""
    x, y = node.operands
    return _modulo(x, y, b)


@reads("_mod_scalar")
def _(node: Reading, b: Builder) -> Any:
    return _modulo(node.x, _scalar(node, b), b)


def _modulo(x: Value, y: Value, b: Builder) -> Any:
    if _dtype(x).is_integer:
        return b.mod(x, y)
    return b.sub(x, b.mul(b.floor(b.div(x, y)), y))


@reads(*_SAME)
def _(node: Reading, b: Builder) -> Any:
    for name in ("grad_scale", "valid_thresh", "sparseness_target", "penalty", "momentum",
                 "margin", "regularization_coefficient"):  # fmt: skip
        node.number(name)
    node.flag("use_linear")
    node.text("normalization")
    return b.identity(node.x)


@reads("add_n", "ElementWiseSum", "_sum")
def _(node: Reading, b: Builder) -> Any:
    node.integer("num_args")
    first, *others = node.operands
    total = first if others else b.identity(first)
    for value in others:
        total = b.add(total, value)
    return total


@reads("Cast", "cast", "amp_cast")
def _(node: Reading, b: Builder) -> Any:
    return b.cast(node.x, to=node.dtype("dtype"))


@reads("amp_multicast")
def _(node: Reading, b: Builder) -> Any:
    """All operands in the widest of their types."""
    node.integer("num_outputs")
    narrow = node.flag("cast_narrow")
    types = sorted({_dtype(value) for value in node.operands}, key=lambda dtype: dtype.bits)
    return tuple(b.cast(value, to=types[0 if narrow else -1]) for value in node.operands)


@reads("clip")
def _(node: Reading, b: Builder) -> Any:
    low, high = node.number("a_min"), node.number("a_max")
    dtype = _dtype(node.x)
    return b.clip(node.x, b.constant(low, dtype), b.constant(high, dtype))


@reads("where")
def _(node: Reading, b: Builder) -> Any:
    condition, x, y = node.operands
    if condition.dtype is not DType.BOOL:
        condition = b.not_equal(condition, b.constant(0, _dtype(condition)))
    node.only(node.rank(0) == node.rank(1), "its condition has another shape than its operands")
    return b.where(condition, x, y)


@reads("broadcast_logical_and", "broadcast_logical_or", "broadcast_logical_xor",
       "_logical_and", "_logical_or", "_logical_xor")  # fmt: skip
def _(node: Reading, b: Builder) -> Any:
    x, y = (b.not_equal(v, b.constant(0, _dtype(v))) for v in node.operands)
    op = node.type.removeprefix("broadcast_").removeprefix("_")
    return b.cast(b.call(op, x, y), to=_dtype(node.x))


@reads("logical_not")
def _(node: Reading, b: Builder) -> Any:
    return b.cast(b.equal(node.x, b.constant(0, _dtype(node.x))), to=_dtype(node.x))


@reads("smooth_l1")
def _(node: Reading, b: Builder) -> Any:
    square = node.number("scalar", 1.0) ** 2
    x, size = node.x, b.abs(node.x)
    near = b.mul(b.square(x), 0.5 * square)
    return b.where(b.less(size, 1 / square), near, b.sub(size, 0.5 / square))


@reads("round", "fix", "trunc")
def _(node: Reading, b: Builder) -> Any:
    """MXNet's round takes halves away from zero; fix goes towards it."""
    size = b.abs(node.x)
    whole = b.floor(b.add(size, 0.5) if node.type == "round" else size)
    return b.mul(b.sign(node.x), whole)


@reads("rint")
def _(node: Reading, b: Builder) -> Any:
    """The nearest whole number, the lower one of two."""
    return b.ceil(b.sub(node.x, 0.5))
