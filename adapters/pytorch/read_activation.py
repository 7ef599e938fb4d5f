"""Reads PyTorch's activation functions."""

from __future__ import annotations

from typing import Any

from adapters.pytorch.aten import Operand, aten, operand, unary
from adapters.pytorch.read_elementwise import clamp
from adapters.pytorch.reshaping import with_shape
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import axis_of, cast, dtype_of, only, rank_of

unary({"relu": "relu", "relu6": "relu6", "silu": "silu", "mish": "mish",
       "hardswish": "hard_swish", "selu": "selu"})  # fmt: skip


@aten("hardsigmoid.default")
def hardsigmoid(b: Builder, x: Value) -> Any:
    return b.hard_sigmoid(x, alpha=1 / 6, beta=0.5)


@aten("hardtanh.default")
def hardtanh(b: Builder, x: Value, min_val: float = -1, max_val: float = 1) -> Any:
    if (min_val, max_val) == (0, 6):
        return b.relu6(x)
    return clamp(b, x, min_val, max_val)


@aten("gelu.default")
def gelu(b: Builder, x: Value, approximate: str = "none") -> Any:
    return b.gelu(x, approximate=approximate)


@aten("leaky_relu.default")
def leaky_relu(b: Builder, x: Value, negative_slope: float = 0.01) -> Any:
    return b.leaky_relu(x, alpha=float(negative_slope))


@aten("elu.default")
def elu(b: Builder, x: Value, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Any:
    only((scale, input_scale) == (1, 1), "elu with scales")
    return b.elu(x, alpha=float(alpha))


@aten("celu.default")
def celu(b: Builder, x: Value, alpha: float = 1.0) -> Any:
    return b.celu(x, alpha=float(alpha))


@aten("prelu.default")
def prelu(b: Builder, x: Value, weight: Value) -> Any:
    count, rank = (weight.shape or (1,))[0], rank_of(x)
    if count == 1 or rank < 2:
        return b.prelu(x, weight)
    if not isinstance(count, int):
        raise Unsupported("as many slopes as only the run knows")
    return b.prelu(x, with_shape(b, weight, (count, *(1,) * (rank - 2))))


@aten("softplus.default")
def softplus(b: Builder, x: Value, beta: float = 1, threshold: float = 20) -> Any:
    only(threshold >= 20, f"softplus that is linear from {threshold} on")
    return b.softplus(x, beta=float(beta))


@aten("log_sigmoid.default")
def log_sigmoid(b: Builder, x: Value) -> Any:
    return b.neg(b.softplus(b.neg(x)))


@aten("hardshrink.default")
def hardshrink(b: Builder, x: Value, lambd: float = 0.5) -> Any:
    return b.shrink(x, bias=0.0, threshold=float(lambd))


@aten("softshrink.default")
def softshrink(b: Builder, x: Value, lambd: float = 0.5) -> Any:
    return b.shrink(x, bias=float(lambd), threshold=float(lambd))


@aten("threshold.default")
def threshold(b: Builder, x: Value, threshold: Operand, value: Operand) -> Any:
    dtype = dtype_of(x)
    return b.where(b.greater(x, operand(b, threshold, dtype)), x, operand(b, value, dtype))


@aten("glu.default")
def glu(b: Builder, x: Value, dim: int = -1) -> Any:
    value, gate = b.split(x, None, axis=axis_of(x, dim), count=2)
    return b.mul(value, b.sigmoid(gate))


@aten("softmax.int", "_softmax.default")
def softmax(
    b: Builder, x: Value, dim: int, dtype: DType | None = None, half_to_float: bool = False
) -> Any:
    only(not half_to_float, "softmax that widens its result")
    return b.softmax(cast(b, x, dtype), axis=dim)


@aten("log_softmax.int", "_log_softmax.default")
def log_softmax(
    b: Builder, x: Value, dim: int, dtype: DType | None = None, half_to_float: bool = False
) -> Any:
    only(not half_to_float, "log_softmax that widens its result")
    return b.log_softmax(cast(b, x, dtype), axis=dim)
