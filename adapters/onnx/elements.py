"""ONNX's element types and types of values, and ours."""

from __future__ import annotations

import onnx

from ir_hub.ir.types import DType
from ir_hub.sdk.errors import BadModel

_NUMBERS = {
    DType.FLOAT32: "FLOAT",
    DType.FLOAT64: "DOUBLE",
    DType.FLOAT8_E4M3FN: "FLOAT8E4M3FN",
    DType.FLOAT8_E4M3FNUZ: "FLOAT8E4M3FNUZ",
    DType.FLOAT8_E5M2: "FLOAT8E5M2",
    DType.FLOAT8_E5M2FNUZ: "FLOAT8E5M2FNUZ",
    DType.FLOAT8_E8M0FNU: "FLOAT8E8M0",
    DType.FLOAT4_E2M1FN: "FLOAT4E2M1",
}
TO_ONNX: dict[DType, int] = {
    dtype: onnx.TensorProto.DataType.Value(_NUMBERS.get(dtype, dtype.value.upper()))
    for dtype in DType
}
_FROM_ONNX = {number: dtype for dtype, number in TO_ONNX.items()}


def dtype_of(number: int, where: str) -> DType:
    """Our type for a number of TensorProto.DataType.

    Raises:
        BadModel: there is no such type; `where` says whose it is.
    """
    if number not in _FROM_ONNX:
        raise BadModel(f"{where} has the element type {number}, which ONNX doesn't define")
    return _FROM_ONNX[number]


def element_type_name(number: int) -> str:
    """The type's name for messages."""
    return onnx.TensorProto.DataType.Name(number) if number in _FROM_ONNX else str(number)
