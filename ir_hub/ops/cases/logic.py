"""Cases of comparing, logic, bits, choosing and changing types."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples
from ir_hub.ops.op import Array

_draw = Samples(2)
_FLOAT8 = (DType.FLOAT8_E4M3FN, DType.FLOAT8_E5M2, DType.FLOAT8_E4M3FNUZ, DType.FLOAT8_E5M2FNUZ)


def _comparison() -> list[Case]:
    integers = _draw.integers
    return [
        Case((_draw.floats(3, 5), _draw.floats(5))),
        Case((integers(3, 5, low=-2, high=2), integers(5, low=-2, high=2))),
        Case(
            (
                integers(2, 1, 4, high=2, dtype=DType.INT32),
                integers(3, 1, high=2, dtype=DType.INT32),
            )
        ),
        Case((_draw.floats(4, dtype=DType.FLOAT64), _draw.floats(dtype=DType.FLOAT64))),
        Case((_draw.floats(4, dtype=DType.FLOAT16), _draw.floats(4, dtype=DType.FLOAT16))),
    ]


def _booleans() -> list[Case]:
    return [
        Case((_draw.booleans(4, 5), _draw.booleans(4, 5))),
        Case((_draw.booleans(3, 1, 5), _draw.booleans(2, 1))),
    ]


def _bits() -> list[Case]:
    return [
        Case((_draw.integers(3, 7, dtype=dtype), _draw.integers(7, dtype=dtype)))
        for dtype in (DType.INT32, DType.INT64, DType.INT8)
    ] + [
        Case(
            (
                _draw.integers(9, low=0, high=255, dtype=DType.UINT8),
                _draw.integers(1, low=9, high=99, dtype=DType.UINT8),
            )
        )
    ]


def _shifts() -> list[Case]:
    x = _draw.integers(3, 5, low=1, high=200, dtype=DType.UINT8)
    places = _draw.integers(5, low=0, high=7, dtype=DType.UINT8)
    wide = _draw.integers(6, low=1, high=2**20, dtype=DType.UINT32)
    return [
        Case((x, places), {"direction": "left"}),
        Case((x, places), {"direction": "right"}),
        Case((wide, _draw.integers(6, low=0, high=9, dtype=DType.UINT32)), {"direction": "left"}),
    ]


def _special(*shape: int) -> Array:
    found = _draw.floats(*shape)
    found.reshape(-1)[:5] = (np.inf, -np.inf, np.nan, np.inf, -np.inf)
    return found


def _where() -> list[Case]:
    texts = np.array(["a", "bc", "d", ""], object)
    return [
        Case((_draw.booleans(3, 5), _draw.floats(3, 5), _draw.floats(3, 5))),
        Case((_draw.booleans(4, 1), _draw.floats(1, 3), _draw.floats(2, 1, 1))),
        Case((_draw.booleans(6), _draw.integers(6), _draw.integers())),
        Case(
            (
                _draw.booleans(5),
                _draw.floats(5, dtype=DType.BFLOAT16),
                _draw.floats(1, dtype=DType.BFLOAT16),
            )
        ),
        Case((_draw.booleans(4), texts, texts[::-1].copy())),
    ]


def _clip() -> list[Case]:
    low, high = np.array(-1.25, np.float32), np.array(1.5, np.float32)
    return [
        Case((_draw.floats(3, 7), low, high)),
        Case((_draw.floats(3, 7), low)),
        Case((_draw.floats(3, 7), None, high)),
        Case((_draw.floats(3, 7),)),
        Case(
            (_draw.floats(9, dtype=DType.FLOAT16), low.astype(np.float16), high.astype(np.float16))
        ),
        Case((_draw.integers(3, 7), np.array(-3), np.array(4))),
    ]


def _cast() -> list[Case]:
    floats, integers = _draw.floats(3, 7, low=-9, high=9), _draw.integers(3, 7, low=-300, high=300)
    targets = (DType.FLOAT64, DType.FLOAT16, DType.BFLOAT16, DType.INT32, DType.INT8, DType.BOOL)
    wide = _draw.floats(4, 5, low=-90000, high=90000)
    texts = np.array(["3.25", "-1e3", "INF", "NaN"], object)
    cases: list[tuple[Array, dict[str, Any]]] = [
        *[(floats, {"to": to}) for to in targets],
        *[(integers, {"to": to}) for to in (*targets, DType.INT4, DType.UINT8)],
        (_draw.booleans(3, 4), {"to": DType.FLOAT32}),
        *[(wide, {"to": to}) for to in _FLOAT8],
        *[(wide, {"to": to, "saturate": False}) for to in _FLOAT8],
        *[
            (np.abs(floats), {"to": DType.FLOAT8_E8M0FNU, "round_mode": m})
            for m in ("up", "down", "nearest")
        ],
        (floats, {"to": DType.FLOAT4_E2M1FN}),
        (floats.astype(DType.FLOAT8_E4M3FN.numpy), {"to": DType.FLOAT32}),
        (_draw.integers(5, low=-8, high=7, dtype=DType.INT4), {"to": DType.INT64}),
        (texts, {"to": DType.FLOAT32}),
        (np.array(["7", "-12", "0"], object), {"to": DType.INT64}),
        (_draw.integers(5), {"to": DType.STRING}),
        (np.array([0.5, -1.25, 100.0], np.float32), {"to": DType.STRING}),
    ]
    return [Case((x,), literals) for x, literals in cases]


def _bit_cast() -> list[Case]:
    return [
        Case((_draw.floats(3, 5),), {"to": DType.INT32}),
        Case((_draw.integers(3, 5, dtype=DType.INT16),), {"to": DType.UINT16}),
        Case((_draw.floats(4, dtype=DType.BFLOAT16),), {"to": DType.UINT16}),
    ]


CASES |= {
    "equal": [
        *_comparison(),
        *_booleans(),
        Case((np.array(["a", "b", "c"], object), np.array(["a", "c", "c"], object))),
    ],
    "not_equal": _comparison() + _booleans(),
    "less": _comparison(),
    "less_equal": _comparison(),
    "greater": _comparison(),
    "greater_equal": _comparison(),
    "logical_and": _booleans(),
    "logical_or": _booleans(),
    "logical_xor": _booleans(),
    "logical_not": [Case((_draw.booleans(3, 5),)), Case((_draw.booleans(7),))],
    "is_nan": [Case((_special(3, 5),)), Case((_special(9).astype(np.float16),))],
    "is_inf": [
        Case((_special(3, 5),)),
        Case((_special(3, 5),), {"positive": False}),
        Case((_special(3, 5),), {"negative": False}),
    ],
    "bitwise_and": _bits(),
    "bitwise_or": _bits(),
    "bitwise_xor": _bits(),
    "bitwise_not": [
        Case((_draw.integers(3, 5, dtype=DType.INT32),)),
        Case((_draw.integers(7, low=0, high=255, dtype=DType.UINT8),)),
    ],
    "bit_shift": _shifts(),
    "where": _where(),
    "clip": _clip(),
    "identity": [Case((_draw.floats(3, 5),)), Case((_draw.integers(2, 3),))],
    "dropout": [Case((_draw.floats(3, 5),)), Case((_draw.floats(3, 5),), {"rate": 0.25})],
    "cast": _cast(),
    "bit_cast": _bit_cast(),
}
