"""Cases of quantised tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples
from ir_hub.ops.op import Array

_draw = Samples(28)
_f = _draw.floats


def _bytes(*shape: int, dtype: DType = DType.UINT8) -> Array:
    bounds = np.iinfo(dtype.numpy)
    return _draw.integers(*shape, low=int(bounds.min), high=int(bounds.max), dtype=dtype)


def _scale(*shape: int, dtype: DType = DType.FLOAT32) -> Array:
    return _f(*shape, low=0.01, high=0.03, dtype=dtype)


_U8, _I8 = DType.UINT8, DType.INT8
_QUANTIZE: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((_f(3, 5), _scale()), {"output_dtype": _U8}),
    ((_f(3, 5), _scale(), _bytes()), {"output_dtype": _U8}),
    ((_f(3, 5, 2), _scale(5), _bytes(5, dtype=_I8)), {"output_dtype": _I8}),
    ((_f(3, 5), _scale(3), _bytes(3)), {"axis": 0, "output_dtype": _U8}),
    ((_f(3, 7), _scale(3, 3), _bytes(3, 3)), {"block_size": 3, "output_dtype": _U8}),
    ((_f(3, 5), _scale()), {"output_dtype": DType.INT16}),
    ((_f(3, 5), _f(low=0.3, high=0.4)), {"output_dtype": DType.INT4}),
    ((_f(3, 5), _scale()), {"output_dtype": DType.FLOAT8_E4M3FN}),
    ((_f(3, 5), _f(low=1e-5, high=2e-5)), {"output_dtype": DType.FLOAT8_E5M2, "saturate": False}),
    ((_f(3, 5, dtype=DType.FLOAT16), _scale(dtype=DType.FLOAT16)), {"output_dtype": _I8}),
    (
        (_f(3, 5, dtype=DType.FLOAT16), _scale(dtype=DType.FLOAT16)),
        {"output_dtype": _I8, "precision": DType.FLOAT32},
    ),
]

_F32 = DType.FLOAT32
_DEQUANTIZE: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((_bytes(3, 5), _scale()), {"output_dtype": _F32}),
    ((_bytes(3, 5), _scale(), _bytes()), {"output_dtype": _F32}),
    ((_bytes(3, 5, 2, dtype=_I8), _scale(5), _bytes(5, dtype=_I8)), {"output_dtype": _F32}),
    ((_bytes(3, 5), _scale(3), _bytes(3)), {"axis": 0, "output_dtype": _F32}),
    ((_bytes(3, 7), _scale(3, 3), _bytes(3, 3)), {"block_size": 3, "output_dtype": _F32}),
    ((_draw.integers(3, 5, dtype=DType.INT32), _scale()), {"output_dtype": _F32}),
    ((_bytes(3, 5), _scale(dtype=DType.FLOAT16)), {"output_dtype": DType.FLOAT16}),
    ((_f(3, 5, dtype=DType.FLOAT8_E4M3FN), _scale()), {"output_dtype": _F32}),
]

_MATMUL_INTEGER = [
    Case((_bytes(3, 5), _bytes(5, 4))),
    Case((_bytes(3, 5), _bytes(5, 4, dtype=_I8), _bytes(), _bytes(dtype=_I8))),
    Case((_bytes(2, 3, 5), _bytes(5, 4), np.array(7, np.uint8), _bytes(4))),
]
_QLINEAR_MATMUL = [
    Case(
        (
            *(_bytes(3, 5), _scale(), _bytes()),
            *(_bytes(5, 4), _scale(), _bytes()),
            *(_f(low=0.2), _bytes()),
        )
    ),
    Case(
        (
            *(_bytes(3, 5, dtype=_I8), _scale(3), _bytes(3, dtype=_I8)),
            *(_bytes(5, 4, dtype=_I8), _scale(4), _bytes(4, dtype=_I8)),
            *(np.array(0.1, np.float32), np.array(-3, np.int8)),
        )
    ),
]


def _qlinear_conv() -> list[Case]:
    plain = {"strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilations": (1, 1)}
    moved = {"strides": (2, 1), "pads": ((1, 1), (0, 1)), "dilations": (1, 2), "groups": 2}
    image = (_bytes(2, 4, 5, 6), _scale(), np.array(131, np.uint8))
    result = (np.array(0.3, np.float32), np.array(120, np.uint8))
    bias = _draw.integers(4, low=-900, high=900, dtype=DType.INT32)
    one = (_bytes(4, 4, 3, 2), _scale(), np.array(125, np.uint8))
    each = (_bytes(4, 2, 3, 2, dtype=_I8), _scale(4), np.array([0, 3, -2, 5], np.int8))
    return [
        Case((*image, *one, *result), plain),
        Case((*image, *one, *result, bias), plain),
        Case((*image, *each, *result, bias), moved),
    ]


CASES |= {
    "quantize_linear": [Case(*chosen) for chosen in _QUANTIZE],
    "dequantize_linear": [Case(*chosen) for chosen in _DEQUANTIZE],
    "dynamic_quantize_linear": [Case((_f(3, 5),)), Case((_f(2, 3, 4, low=0.5, high=2.0),))],
    "matmul_integer": _MATMUL_INTEGER,
    "qlinear_matmul": _QLINEAR_MATMUL,
    "qlinear_conv": _qlinear_conv(),
}
