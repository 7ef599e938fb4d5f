"""Reads PyTorch's arithmetic, comparisons, logic and types, with its rules for mixed types."""

from __future__ import annotations

from typing import Any

from adapters.pytorch.aten import Operand, aten, operand, unary
from adapters.pytorch.dialect import pytorch
from adapters.pytorch.exported import TYPES, UNREADABLE, Count
from adapters.pytorch.promotion import as_float, category, common_type, promoted
from adapters.pytorch.walk import NUMBER
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import TRAINS_WITHOUT, Call, Unsupported
from ir_hub.sdk.operands import cast, dtype_of, only

unary({"neg": "neg", "abs": "abs", "sign": "sign", "ceil": "ceil", "floor": "floor",
       "round": "round", "square": "square", "isnan": "is_nan", "isinf": "is_inf"})  # fmt: skip


@aten("alias.default", "clone.default", "contiguous.default", "detach.default",
      "lift_fresh_copy.default", "lift_fresh.default", "positive.default",
      "resolve_conj.default", "resolve_neg.default")  # fmt: skip
def same(b: Builder, x: Value) -> Any:
    return x


def _real(op: str) -> Any:
    def rule(b: Builder, x: Value) -> Any:
        return b.call(op, as_float(b, x))

    return rule


for _theirs, _ours in {
    "exp": "exp", "log": "log", "log1p": "log1p", "expm1": "expm1", "erf": "erf", "sqrt": "sqrt",
    "rsqrt": "rsqrt", "reciprocal": "reciprocal", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh", "sigmoid": "sigmoid",
}.items():  # fmt: skip
    aten(f"{_theirs}.default")(_real(_ours))


@aten("add.Tensor", "add.Scalar")
def add(b: Builder, x: Value, other: Operand, alpha: Operand = 1) -> Any:
    return b.add(*_scaled(b, x, other, alpha))


@aten("sub.Tensor", "sub.Scalar")
def sub(b: Builder, x: Value, other: Operand, alpha: Operand = 1) -> Any:
    return b.sub(*_scaled(b, x, other, alpha))


@aten("rsub.Tensor", "rsub.Scalar")
def rsub(b: Builder, x: Value, other: Operand, alpha: Operand = 1) -> Any:
    only(alpha == 1, "rsub with alpha")
    left, right = promoted(b, other, x)
    return b.sub(left, right)


def _scaled(b: Builder, x: Value, other: Operand, alpha: Operand) -> list[Value]:
    left, right = promoted(b, x, other)
    if isinstance(alpha, Value) or alpha != 1:
        right = b.mul(right, operand(b, alpha, dtype_of(right)))
    return [left, right]


@aten("mul.Tensor", "mul.Scalar")
def mul(b: Builder, x: Value, other: Operand) -> Any:
    left, right = promoted(b, x, other)
    if left.dtype is DType.BOOL:
        return b.logical_and(left, right)
    return b.mul(left, right)


@aten("div.Tensor", "div.Scalar", "true_divide.Tensor")
def div(b: Builder, x: Value, other: Operand) -> Any:
    left, right = promoted(b, x, other)
    return b.div(as_float(b, left), as_float(b, right))


@aten("div.Tensor_mode", "div.Scalar_mode")
def div_rounded(b: Builder, x: Value, other: Operand, rounding_mode: str | None) -> Any:
    if rounding_mode is None:
        return div(b, x, other)
    left, right = promoted(b, x, other)
    if rounding_mode == "floor":
        return b.floor_div(left, right)
    only(rounding_mode == "trunc", f"the rounding mode {rounding_mode!r}")
    quotient = b.div(left, right)
    return quotient if category(dtype_of(left)) < 2 else _truncated(b, quotient)


@aten("floor_divide.default", "floor_divide.Scalar")
def floor_divide(b: Builder, x: Value, other: Operand) -> Any:
    return b.floor_div(*promoted(b, x, other))


@aten("trunc.default", "fix.default")
def trunc(b: Builder, x: Value) -> Any:
    return x if category(dtype_of(x)) < 2 else _truncated(b, x)


def _truncated(b: Builder, x: Value) -> Any:
    return b.mul(b.sign(x), b.floor(b.abs(x)))


@aten("remainder.Tensor", "remainder.Scalar")
def remainder(b: Builder, x: Value, other: Operand) -> Any:
    return b.mod(*promoted(b, x, other))


@aten("fmod.Tensor", "fmod.Scalar")
def fmod(b: Builder, x: Value, other: Operand) -> Any:
    return b.mod(*promoted(b, x, other), fmod=True)


@aten("pow.Tensor_Scalar", "pow.Tensor_Tensor", "pow.Scalar")
def power(b: Builder, x: Operand, exponent: Operand) -> Any:
    return b.pow(*promoted(b, x, exponent))


@aten("maximum.default", "max.other")
def maximum(b: Builder, x: Value, other: Value) -> Any:
    return b.maximum(*promoted(b, x, other))


@aten("minimum.default", "min.other")
def minimum(b: Builder, x: Value, other: Value) -> Any:
    return b.minimum(*promoted(b, x, other))


@aten("atan2.default")
def atan2(b: Builder, x: Value, other: Value) -> Any:
    return b.atan2(*(as_float(b, value) for value in promoted(b, x, other)))


@aten("addcmul.default")
def addcmul(b: Builder, x: Value, tensor1: Value, tensor2: Value, value: Operand = 1) -> Any:
    return b.add(x, mul(b, mul(b, tensor1, tensor2), value))


@aten("addcdiv.default")
def addcdiv(b: Builder, x: Value, tensor1: Value, tensor2: Value, value: Operand = 1) -> Any:
    return b.add(x, mul(b, div(b, tensor1, tensor2), value))


@aten("lerp.Scalar", "lerp.Tensor")
def lerp(b: Builder, x: Value, end: Value, weight: Operand) -> Any:
    return b.add(x, mul(b, b.sub(end, x), weight))


@aten("clamp.default", "clamp.Tensor", "clip.default")
def clamp(b: Builder, x: Value, min: Operand | None = None, max: Operand | None = None) -> Any:
    given = [item for item in (min, max) if item is not None]
    dtype = common_type(x, *given)
    low, high = (i if i is None else cast(b, operand(b, i, dtype), dtype) for i in (min, max))
    x = cast(b, x, dtype)
    if all(value is None or value.shape == () for value in (low, high)):
        return b.clip(x, low, high)
    x = x if low is None else b.maximum(x, low)
    return x if high is None else b.minimum(x, high)


@aten("clamp_min.default", "clamp_min.Tensor")
def clamp_min(b: Builder, x: Value, min: Operand) -> Any:
    return clamp(b, x, min)


@aten("clamp_max.default", "clamp_max.Tensor")
def clamp_max(b: Builder, x: Value, max: Operand) -> Any:
    return clamp(b, x, None, max)


def _compared(op: str) -> Any:
    def rule(b: Builder, x: Value, other: Operand) -> Any:
        return b.call(op, *promoted(b, x, other))

    return rule


for _theirs, _ours in {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal",
}.items():  # fmt: skip
    aten(f"{_theirs}.Tensor", f"{_theirs}.Scalar")(_compared(_ours))


def _logical(op: str) -> Any:
    def rule(b: Builder, x: Value, other: Value) -> Any:
        return b.call(op, cast(b, x, DType.BOOL), cast(b, other, DType.BOOL))

    return rule


def _bitwise(kind: str) -> Any:
    def rule(b: Builder, x: Value, other: Operand) -> Any:
        left, right = promoted(b, x, other)
        family = "logical" if left.dtype is DType.BOOL else "bitwise"
        return b.call(f"{family}_{kind}", left, right)

    return rule


for _kind in ("and", "or", "xor"):
    aten(f"logical_{_kind}.default")(_logical(f"logical_{_kind}"))
    aten(f"bitwise_{_kind}.Tensor", f"bitwise_{_kind}.Scalar", f"__{_kind}__.Tensor",
         f"__{_kind}__.Scalar")(_bitwise(_kind))  # fmt: skip


@aten("logical_not.default")
def logical_not(b: Builder, x: Value) -> Any:
    return b.logical_not(cast(b, x, DType.BOOL))


@aten("bitwise_not.default")
def bitwise_not(b: Builder, x: Value) -> Any:
    return b.logical_not(x) if x.dtype is DType.BOOL else b.bitwise_not(x)


@aten("isfinite.default")
def isfinite(b: Builder, x: Value) -> Any:
    return b.logical_not(b.logical_or(b.is_nan(x), b.is_inf(x)))


@aten("where.self", "where.ScalarSelf", "where.ScalarOther", "where.Scalar")
def where(b: Builder, condition: Value, x: Operand, other: Operand) -> Any:
    return b.where(cast(b, condition, DType.BOOL), *promoted(b, x, other))


@aten("masked_fill.Scalar", "masked_fill.Tensor")
def masked_fill(b: Builder, x: Value, mask: Value, value: Operand) -> Any:
    fill = cast(b, operand(b, value, dtype_of(x)), dtype_of(x))
    return b.where(mask, fill, x)


@aten("fill.Scalar", "fill.Tensor")
def fill(b: Builder, x: Value, value: Operand) -> Any:
    filled = cast(b, operand(b, value, dtype_of(x)), dtype_of(x))
    return b.expand(filled, b.shape_of(x) if x.shape is None else x.shape)


@aten("zero.default")
def zero(b: Builder, x: Value) -> Any:
    return fill(b, x, 0)


@aten("copy.default")
def copy(b: Builder, x: Value, src: Value, non_blocking: bool = False) -> Any:
    only(x.shape is not None, "copy to a tensor of unknown rank")
    return b.expand(cast(b, src, x.dtype), x.shape)


@aten("to.dtype", "_to_copy.default", "to.dtype_layout", "to.device")
def to(b: Builder, x: Value, dtype: DType | None = None, copy: bool = False) -> Any:
    return cast(b, x, dtype)


@aten("to.other", "type_as.default")
def to_other(b: Builder, x: Value, other: Value, copy: bool = False) -> Any:
    return to(b, x, other.dtype)


_RANDOM = "dropout in training mode is random: export the model after .eval()"


@aten("dropout.default")
def dropout(b: Builder, x: Value, p: float, train: bool) -> Any:
    only(not train, _RANDOM)
    return b.dropout(x, rate=p)


@aten("feature_dropout.default", "alpha_dropout.default", "feature_alpha_dropout.default")
def other_dropout(b: Builder, x: Value, p: float, train: bool) -> Any:
    """Of whole channels, or with another noise: a dropout of elements would train otherwise."""
    only(not train, _RANDOM)
    b.note(TRAINS_WITHOUT)
    return b.identity(x)


_ON_NUMBERS = {
    "_operator.add": "add", "_operator.sub": "sub", "_operator.mul": "mul",
    "_operator.floordiv": "floor_div", "_operator.mod": "mod", "_operator.neg": "neg",
    "torch.sym_max": "maximum", "torch.sym_min": "minimum",
}  # fmt: skip


@pytorch.read(NUMBER)
def number(call: Call, b: Builder) -> Any:
    """A number computed of sizes: its expression is known anyhow, and this is the same as a
    tensor, for where it meets tensors."""
    op = _ON_NUMBERS.get(call.attrs["op"])
    items = [item for name, item in call.attrs.items() if name not in ("op", TYPES)]
    values: list[Value | None] = []
    for item in items:
        if isinstance(item, Count):
            values.append(call.inputs[item.index])
        else:
            whole = isinstance(item, int) and not isinstance(item, bool)
            values.append(b.constant(item, DType.INT64) if whole else None)
    if op is None or any(value is None or value.type is None for value in values):
        return Value(call.outputs[0])
    return b.call(op, *values)


@pytorch.read(UNREADABLE)
def unreadable(call: Call, b: Builder) -> Any:
    raise Unsupported(call.attrs["reason"])
