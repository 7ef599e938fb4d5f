"""How far two computations of the same thing may be apart, by element type, and why.

An error is the greatest absolute difference of two tensors, relative to the greatest absolute
value of the reference. Integers, booleans and texts have to be equal.
"""

from __future__ import annotations

from ir_hub.ir.types import DType

# One op: both sides round each element once, and sum in another order. A few units in the last
# place (2 ** -24 in float32, 2 ** -11 in float16, 2 ** -8 in bfloat16) per sum of some dozen
# terms. An approximation passed off as the exact op is beyond: GELU by tanh is off by 2e-4.
_OP = {
    DType.FLOAT64: 1e-11,
    DType.COMPLEX128: 1e-11,
    DType.FLOAT32: 5e-6,
    DType.COMPLEX64: 5e-6,
    DType.FLOAT16: 2e-3,
    DType.BFLOAT16: 1.6e-2,
    # Narrower ones: both sides may round to neighbours, which are so far apart.
    DType.FLOAT8_E4M3FN: 0.13,
    DType.FLOAT8_E4M3FNUZ: 0.13,
    DType.FLOAT8_E5M2: 0.26,
    DType.FLOAT8_E5M2FNUZ: 0.26,
    DType.FLOAT8_E8M0FNU: 0.51,
    DType.FLOAT4_E2M1FN: 0.51,
}

# A whole model: differences of single ops pass through a hundred others, and grow by about the
# square root of their number. Convolutions by other algorithms (Winograd, FFT) stay within too.
_MODEL_FACTOR = 10.0

# ... but where one op's tolerance is a rounding step already, ten of them would prove nothing.
_MODEL_MOST = 0.1

# A sigmoid is computed as a part of 1, and its smallest results carry the rounding of numbers near
# 1: ONNX Runtime's are multiples of 2 ** -23. So far below 1 nothing can be told from them.
_SIGMOID_ROUNDING = {DType.FLOAT32: 2.0**-22, DType.FLOAT16: 2.0**-10, DType.BFLOAT16: 2.0**-7}


def least_scale(op: str, dtype: DType) -> float:
    """The scale that errors of an op's results are relative to at least; 0 for most ops."""
    rounding = _SIGMOID_ROUNDING.get(dtype, 0.0) if op == "sigmoid" else 0.0
    return rounding / (tolerance(dtype) or 1.0)


def op_tolerance(dtype: DType) -> float:
    """The error that one op's result of this type may have; 0 where it has to be equal."""
    return _OP.get(dtype, 0.0)


def tolerance(dtype: DType) -> float:
    """The error that a whole model's output of this type may have; 0 where it has to be equal."""
    most = max(_MODEL_MOST, op_tolerance(dtype))
    return min(op_tolerance(dtype) * _MODEL_FACTOR, most)
