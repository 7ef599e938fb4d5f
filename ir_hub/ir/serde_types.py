"""Element types as the protobuf numbers them."""

from __future__ import annotations

from ir_hub.ir.types import DType
from irhub.ir.v1 import ir_pb2

NUMBERS = {dtype: ir_pb2.DataType.Value(f"DATA_TYPE_{dtype.name}") for dtype in DType}
DTYPES: dict[int, DType] = {number: dtype for dtype, number in NUMBERS.items()}
