"""Reads arithmetic, comparisons and activations, element by element."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from adapters.tensorflow.saved.reading import op, same
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import cast, dtype_of, only, rank_of

same({
    "Abs": "abs", "Acos": "acos", "Acosh": "acosh", "Asin": "asin", "Asinh": "asinh",
    "Atan": "atan", "Atan2": "atan2", "Atanh": "atanh", "BitwiseAnd": "bitwise_and",
    "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor", "Ceil": "ceil", "ClipByValue": "clip",
    "Cos": "cos", "Cosh": "cosh", "Elu": "elu", "Erf": "erf", "Exp": "exp", "Expm1": "expm1",
    "Floor": "floor", "FloorDiv": "floor_div", "FloorMod": "mod", "Greater": "greater",
    "GreaterEqual": "greater_equal", "Inv": "reciprocal", "Invert": "bitwise_not",
    "IsInf": "is_inf", "IsNan": "is_nan", "Less": "less", "LessEqual": "less_equal", "Log": "log",
    "Log1p": "log1p", "LogSoftmax": "log_softmax", "LogicalAnd": "logical_and",
    "LogicalNot": "logical_not", "LogicalOr": "logical_or", "Maximum": "maximum",
    "Minimum": "minimum", "Mul": "mul", "Neg": "neg", "Pow": "pow", "RealDiv": "div",
    "Reciprocal": "reciprocal", "Relu": "relu", "Relu6": "relu6", "Rint": "round",
    "Round": "round", "Rsqrt": "rsqrt", "Selu": "selu", "Sigmoid": "sigmoid", "Sign": "sign",
    "Sin": "sin", "Sinh": "sinh", "Softmax": "softmax", "Softplus": "softplus",
    "Softsign": "softsign", "Sqrt": "sqrt", "Square": "square", "Sub": "sub", "Tan": "tan",
    "Tanh": "tanh", "TruncateDiv": "div", "Div": "div",
})  # fmt: skip


@op("Add", "AddV2")
def add(b: Builder, x: Value, y: Value) -> Any:
    only(dtype_of(x) is not DType.STRING, "it joins texts")
    return b.add(x, y)


@op("AddN")
def add_all(b: Builder, *items: Value) -> Any:
    return reduce(b.add, items)


@op("SquaredDifference")
def squared_difference(b: Builder, x: Value, y: Value) -> Any:
    return b.square(b.sub(x, y))


@op("DivNoNan")
def div_no_nan(b: Builder, x: Value, y: Value) -> Any:
    zero = b.constant(np.zeros((), dtype_of(y).numpy))
    return b.where(b.equal(y, zero), zero, b.div(x, y))


@op("Mod", "TruncateMod")
def truncated_mod(b: Builder, x: Value, y: Value) -> Any:
    return b.mod(x, y, fmod=True)


def _equality(ours: str) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, y: Value, *, incompatible_shape_error: bool) -> Any:
        only(incompatible_shape_error, "shapes that don't fit compare as unequal")
        return b.call(ours, x, y)

    return rule


op("Equal")(_equality("equal"))
op("NotEqual")(_equality("not_equal"))


@op("IsFinite")
def is_finite(b: Builder, x: Value) -> Any:
    return b.logical_not(b.logical_or(b.is_inf(x), b.is_nan(x)))


@op("Erfc")
def erfc(b: Builder, x: Value) -> Any:
    return b.sub(b.constant(np.ones((), dtype_of(x).numpy)), b.erf(x))


@op("LeakyRelu")
def leaky_relu(b: Builder, x: Value, *, alpha: float) -> Any:
    return b.leaky_relu(x, alpha=alpha)


@op("BiasAdd")
def bias_add(b: Builder, x: Value, bias: Value, *, data_format: str) -> Any:
    if data_format == "NCHW" and rank_of(x) > 2:
        bias = b.unsqueeze(bias, tuple(range(1, rank_of(x) - 1)))
    return b.add(x, bias)


@op("BiasAddV1")
def bias_add_last(b: Builder, x: Value, bias: Value) -> Any:
    return b.add(x, bias)


@op("Cast")
def to_type(b: Builder, x: Value, *, DstT: DType | None, Truncate: bool) -> Any:  # noqa: N803
    only(DstT is not None and not Truncate, "a cast to a type that isn't read, or that cuts")
    assert DstT is not None
    return cast(b, x, DstT)


@op("SelectV2")
def select(b: Builder, condition: Value, x: Value, y: Value) -> Any:
    return b.where(condition, x, y)


@op("Select")
def select_rows(b: Builder, condition: Value, x: Value, y: Value) -> Any:
    """A vector of conditions chooses among rows."""
    more = rank_of(x) - rank_of(condition)
    if rank_of(condition) == 1 and more > 0:
        condition = b.unsqueeze(condition, tuple(range(1, more + 1)))
    return b.where(condition, x, y)
