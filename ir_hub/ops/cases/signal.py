"""Cases of Fourier transforms and windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(31)
_f = _draw.floats
_WINDOWS: list[dict[str, Any]] = [
    {"output_dtype": DType.FLOAT32},
    {"output_dtype": DType.FLOAT32, "periodic": False},
    {"output_dtype": DType.FLOAT64},
]
_WINDOW_CASES = [Case(((size,),), literals) for size in (7, 10) for literals in _WINDOWS]
_BOTH = {"inverse": True, "onesided": True}


def _hertz(value: float) -> np.ndarray:
    return np.array(value, np.float32)


CASES |= {
    "dft": [
        Case((_f(2, 7, 1),)),
        Case((_f(2, 7, 2),)),
        Case((_f(2, 7, 5, 1),), {"axis": 1}),
        Case((_f(2, 7, 1),), {"onesided": True}),
        Case((_f(2, 7, 2),), {"inverse": True}),
        Case((_f(2, 5, 2),), _BOTH),
        Case((_f(2, 5, 2), (7,)), _BOTH),
        Case((_f(2, 7, 1), (10,))),
        Case((_f(2, 7, 1), (4,)), {"onesided": True}),
        Case((_f(2, 7, 1, dtype=DType.FLOAT64),)),
    ],
    "stft": [
        Case((_f(2, 23, 1), (4,), _f(9))),
        Case((_f(2, 23, 1), (5,), None, (8,))),
        Case((_f(2, 23, 1), (3,), _f(8), (8,)), {"onesided": False}),
        Case((_f(1, 17, 2), (3,), _f(7)), {"onesided": False}),
    ],
    "hann_window": _WINDOW_CASES,
    "hamming_window": _WINDOW_CASES,
    "blackman_window": _WINDOW_CASES,
    "mel_weight_matrix": [
        Case(
            ((bins,), (length,), np.array(8192, np.int32), _hertz(low), _hertz(high)),
            {"output_dtype": dtype},
        )
        for bins, length, low, high, dtype in (
            (8, 128, 0.0, 4096.0, DType.FLOAT32),
            (5, 64, 120.0, 3000.0, DType.FLOAT64),
        )
    ],
}
