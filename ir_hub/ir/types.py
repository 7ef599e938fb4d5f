"""Element types, and the types of tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import ml_dtypes
import numpy as np

from ir_hub.ir.dims import Dim

Shape = tuple[Dim, ...]


class DType(Enum):
    """The type of an element; its value is its name."""

    BOOL = "bool"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    COMPLEX64 = "complex64"
    COMPLEX128 = "complex128"
    STRING = "string"
    INT4 = "int4"
    UINT4 = "uint4"
    FLOAT8_E4M3FN = "float8_e4m3fn"
    FLOAT8_E4M3FNUZ = "float8_e4m3fnuz"
    FLOAT8_E5M2 = "float8_e5m2"
    FLOAT8_E5M2FNUZ = "float8_e5m2fnuz"
    FLOAT8_E8M0FNU = "float8_e8m0fnu"
    FLOAT4_E2M1FN = "float4_e2m1fn"
    INT2 = "int2"
    UINT2 = "uint2"

    def __repr__(self) -> str:
        return self.value

    __str__ = __repr__  # in messages to people

    @property
    def numpy(self) -> np.dtype:
        """The NumPy type that holds one element; small types take a whole byte there."""
        return _TO_NUMPY[self]

    @property
    def bits(self) -> int:
        """Bits of one element as stored; 0 for strings, whose sizes differ."""
        return 0 if self is DType.STRING else _PACKED_BITS.get(self, self.numpy.itemsize * 8)

    @property
    def is_float(self) -> bool:
        """Whether it is a real floating-point type."""
        return "float" in self.value

    @property
    def is_integer(self) -> bool:
        """Whether it is a signed or unsigned integer type."""
        return "int" in self.value

    @classmethod
    def of(cls, dtype: np.dtype | type) -> DType:
        """The element type that a NumPy type holds, in any byte order; TypeError when there is
        none."""
        dtype = np.dtype(dtype)
        if dtype.kind in "OUST":
            return cls.STRING
        native = dtype if dtype.isnative else dtype.newbyteorder()
        if native not in _FROM_NUMPY:
            raise TypeError(f"tensors of {dtype} are not supported")
        return _FROM_NUMPY[native]


def _numpy_type(dtype: DType) -> np.dtype:
    if dtype is DType.STRING:
        return np.dtype(object)
    found: np.dtype = np.dtype(getattr(ml_dtypes, dtype.value, None) or dtype.value)
    return found


_PACKED_BITS = {
    DType.INT4: 4,
    DType.UINT4: 4,
    DType.FLOAT4_E2M1FN: 4,
    DType.INT2: 2,
    DType.UINT2: 2,
}
_TO_NUMPY = {dtype: _numpy_type(dtype) for dtype in DType}
_FROM_NUMPY = {numpy_type: dtype for dtype, numpy_type in _TO_NUMPY.items()}


@dataclass(frozen=True)
class TensorType:
    """What a tensor's elements are, and how many along each axis; no shape: unknown rank."""

    dtype: DType
    shape: Shape | None = None

    def __str__(self) -> str:
        sizes = "[*]" if self.shape is None else f"[{', '.join(map(str, self.shape))}]"
        return f"{self.dtype.value}{sizes}"

    @property
    def rank(self) -> int | None:
        """How many axes there are; None when that isn't known."""
        return None if self.shape is None else len(self.shape)

    @property
    def is_static(self) -> bool:
        """Whether every size is a number."""
        return self.shape is not None and all(isinstance(size, int) for size in self.shape)

    def with_shape(self, shape: Shape | None) -> TensorType:
        """The same elements in another shape."""
        return replace(self, shape=shape)
