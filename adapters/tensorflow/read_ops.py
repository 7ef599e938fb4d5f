"""Reads the ops of Keras that are nodes of a functional model: `x + y`, `ops.transpose(x)`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from adapters.tensorflow.config import Input
from adapters.tensorflow.dialect import tensorflow
from adapters.tensorflow.dtypes import dtype_named
from adapters.tensorflow.reading import sensible
from adapters.tensorflow.walk import UNREADABLE
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

Rule = Callable[["OpCall"], Any]


@tensorflow.read(UNREADABLE)
def _(call: Call, b: Builder) -> Any:
    raise Unsupported(str(call.attrs["reason"]))


class OpCall:
    """A call of an op: what it was made with, and what it is called with."""

    def __init__(self, call: Call, b: Builder) -> None:
        self.b = b
        self._call = call
        self.type = call.type.removeprefix("ops.")
        self.config: Mapping[str, Any] = call.attrs["config"]
        self.args = tuple(self.value(argument) for argument in call.attrs["args"])
        self.kwargs = {name: self.value(v) for name, v in call.attrs["kwargs"].items()}

    def value(self, argument: Any) -> Any:
        """An argument with values in place of inputs."""
        if isinstance(argument, Input):
            return self._call.inputs[argument.index]
        if isinstance(argument, tuple):
            return tuple(self.value(item) for item in argument)
        return argument

    def get(self, name: str, default: Any = None) -> Any:
        """A setting or an argument by its name."""
        found = self.config.get(name, self.kwargs.get(name, default))
        return tuple(found) if isinstance(found, list) else found

    def tensors(self, count: int) -> list[Value]:
        """The first arguments as tensors: numbers in the type of the first that is one."""
        given = [*self.args, *self.kwargs.values()][:count]
        values = [item for item in given if isinstance(item, Value)]
        if len(given) < count or not values:
            raise Unsupported(f"it is called with {len(given)} arguments")
        types = {value.dtype for value in values}
        if len(types) > 1:
            raise Unsupported(f"its operands are of {' and '.join(sorted(map(str, types)))}")
        return [self.tensor(item, values[0].dtype) for item in given]

    def tensor(self, item: Any, dtype: DType | None) -> Value:
        """An argument as a tensor of a type."""
        if isinstance(item, Value):
            return item
        array = np.asarray(item)
        fraction = array.dtype.kind == "f" and dtype is not None and not dtype.is_float
        if array.dtype.kind not in "fiub" or fraction:
            raise Unsupported(f"it is called with {str(item)[:40]}")
        return self.b.constant(array, dtype)

    @property
    def x(self) -> Value:
        """The first argument, a tensor."""
        return self.tensors(1)[0]


def _read(rule: Rule, call: Call, b: Builder) -> Any:
    with sensible():
        return rule(OpCall(call, b))


def reads(*names: str) -> Callable[[Rule], Rule]:
    """Registers how ops of these names are read."""

    def register(rule: Rule) -> Rule:
        tensorflow.read(*(f"ops.{name}" for name in names))(functools.partial(_read, rule))
        return rule

    return register


_UNARY = {
    "Absolute": "abs", "Abs": "abs", "Negative": "neg", "Reciprocal": "reciprocal",
    "Sqrt": "sqrt", "Rsqrt": "rsqrt", "Square": "square", "Exp": "exp", "Log": "log",
    "Log1p": "log1p", "Expm1": "expm1", "Erf": "erf", "Sin": "sin", "Cos": "cos", "Tan": "tan",
    "Arcsin": "asin", "Arccos": "acos", "Arctan": "atan", "Sinh": "sinh", "Cosh": "cosh",
    "Arcsinh": "asinh", "Arccosh": "acosh", "Arctanh": "atanh", "Ceil": "ceil", "Floor": "floor",
    "Sign": "sign", "LogicalNot": "logical_not", "Isnan": "is_nan", "Isinf": "is_inf",
    "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh", "Silu": "silu",
    "Softplus": "softplus", "Softsign": "softsign", "HardSilu": "hard_swish", "Det": "det",
    "BitwiseNot": "bitwise_not", "BitwiseInvert": "bitwise_not",
}  # fmt: skip
_BINARY = {
    "Add": "add", "Subtract": "sub", "Multiply": "mul", "Minimum": "minimum",
    "Maximum": "maximum", "FloorDivide": "floor_div", "Equal": "equal", "NotEqual": "not_equal",
    "Less": "less", "LessEqual": "less_equal", "Greater": "greater",
    "GreaterEqual": "greater_equal", "LogicalAnd": "logical_and", "LogicalOr": "logical_or",
    "LogicalXor": "logical_xor", "Mod": "mod", "Power": "pow", "Arctan2": "atan2",
    "Divide": "div", "TrueDivide": "div", "Matmul": "matmul", "BitwiseAnd": "bitwise_and",
    "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor",
}  # fmt: skip
_FLOATS_ONLY = ("Divide", "TrueDivide", "Sqrt", "Rsqrt", "Exp", "Log", "Reciprocal")


@reads(*_UNARY)
def _(op: OpCall) -> Value:
    _check_floats(op, op.x)
    return op.b.call(_UNARY[op.type], op.x)  # type: ignore[no-any-return]


@reads(*_BINARY)
def _(op: OpCall) -> Value:
    x, y = op.tensors(2)
    _check_floats(op, x)
    return op.b.call(_BINARY[op.type], x, y)  # type: ignore[no-any-return]


def _check_floats(op: OpCall, x: Value) -> None:
    if op.type in _FLOATS_ONLY and (x.dtype is None or not x.dtype.is_float):
        raise Unsupported(f"of {x.dtype}, of which Keras makes floats")


@reads("Round")
def _(op: OpCall) -> Value:
    if op.get("decimals", 0):
        raise Unsupported("it rounds to decimals")
    return op.b.round(op.x)  # type: ignore[no-any-return]


@reads("Where")
def _(op: OpCall) -> Value:
    condition, *rest = [*op.args, *op.kwargs.values()]
    types = [item.dtype for item in rest if isinstance(item, Value)]
    if len(rest) != 2 or not types or types[0] is not types[-1]:
        raise Unsupported("its two sides aren't tensors of one type")
    return op.b.where(condition, *(op.tensor(item, types[0]) for item in rest))  # type: ignore[no-any-return]


@reads("Clip")
def _(op: OpCall) -> Value:
    x = op.x
    low, high = op.get("x_min"), op.get("x_max")
    return op.b.clip(x, op.tensor(low, x.dtype), op.tensor(high, x.dtype))  # type: ignore[no-any-return]


@reads("Cast")
def _(op: OpCall) -> Value:
    return op.b.cast(op.x, to=dtype_named(op.get("dtype"), "a cast"))  # type: ignore[no-any-return]


@reads("Gelu")
def _(op: OpCall) -> Value:
    return op.b.gelu(op.x, approximate="tanh" if op.get("approximate", True) else "none")  # type: ignore[no-any-return]


@reads("Softmax", "LogSoftmax")
def _(op: OpCall) -> Value:
    name = "softmax" if op.type == "Softmax" else "log_softmax"
    return op.b.call(name, op.x, axis=op.get("axis", -1))  # type: ignore[no-any-return]


@reads("Elu", "Celu")
def _(op: OpCall) -> Value:
    return op.b.call(op.type.lower(), op.x, alpha=float(op.get("alpha", 1.0)))  # type: ignore[no-any-return]


@reads("LeakyRelu")
def _(op: OpCall) -> Value:
    return op.b.leaky_relu(op.x, alpha=float(op.get("negative_slope", 0.2)))  # type: ignore[no-any-return]


_REDUCTIONS = {
    "Sum": "reduce_sum", "Mean": "reduce_mean", "Max": "reduce_max", "Min": "reduce_min",
    "Prod": "reduce_prod", "Logsumexp": "reduce_log_sum_exp",
}  # fmt: skip


_SUMMED = (DType.INT32, DType.INT64)  # whose sums are of the same type


@reads(*_REDUCTIONS)
def _(op: OpCall) -> Value:
    x, axis = op.x, op.get("axis")
    whole = x.dtype is None or not x.dtype.is_float
    kept = x.dtype in _SUMMED and op.type in ("Sum", "Prod")
    if whole and not kept and op.type not in ("Max", "Min"):
        raise Unsupported(f"of {x.dtype}, of which Keras makes another type")
    axes = axis if axis is None or isinstance(axis, tuple) else (axis,)
    if op.get("initial") is not None:
        raise Unsupported("it begins with a value")
    return op.b.call(_REDUCTIONS[op.type], x, axes, keepdims=bool(op.get("keepdims", False)))  # type: ignore[no-any-return]


@reads("DivideNoNan")
def _(op: OpCall) -> Value:
    x, y = op.tensors(2)
    b, zero = op.b, op.b.constant(0, x.dtype)
    return b.where(b.equal(y, zero), zero, b.div(x, y))  # type: ignore[no-any-return]


@reads("Isposinf", "Isneginf")
def _(op: OpCall) -> Value:
    positive = op.type == "Isposinf"
    return op.b.is_inf(op.x, positive=positive, negative=not positive)  # type: ignore[no-any-return]


@reads("Fmod")
def _(op: OpCall) -> Value:
    return op.b.mod(*op.tensors(2), fmod=True)  # type: ignore[no-any-return]


@reads("BitwiseLeftShift", "BitwiseRightShift", "LeftShift", "RightShift")
def _(op: OpCall) -> Value:
    direction = "left" if "Left" in op.type else "right"
    return op.b.bit_shift(*op.tensors(2), direction=direction)  # type: ignore[no-any-return]


@reads("View")
def _(op: OpCall) -> Value:
    to, x = dtype_named(op.get("dtype"), "a view"), op.x
    if x.dtype is None or x.dtype.bits != to.bits or DType.BOOL in (to, x.dtype):
        raise Unsupported(f"it views {x.dtype} as {to}")
    return op.b.bit_cast(x, to=to)  # type: ignore[no-any-return]
