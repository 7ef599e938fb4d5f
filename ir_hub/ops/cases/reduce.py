"""Cases of reducing axes, and of searching and accumulating along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(4)


def _reduction(low: float = -3.0) -> list[Case]:
    """All axes, one, several, negative ones, none; kept and dropped; other types."""

    def over(axes: tuple[int, ...] | None, **literals: Any) -> Case:
        return Case((_draw.floats(3, 5, 7, low=low), axes), literals)

    return [
        over(None),
        over(()),
        over((1,)),
        over((0, 2), keepdims=False),
        over((-1,), keepdims=False),
        over(None, keepdims=False),
        over((), noop_with_empty_axes=True),
        *[
            Case((_draw.floats(4, 9, low=low, dtype=dtype), (1,)))
            for dtype in (DType.FLOAT64, DType.FLOAT16, DType.BFLOAT16)
        ],
        Case((_draw.integers(3, 4, low=max(int(low), -3), high=3, dtype=DType.INT32), (0,))),
    ]


def _places() -> list[Case]:
    tied = _draw.integers(3, 5, 7, low=0, high=3, dtype=DType.INT32)
    return [
        Case((_draw.shuffled(3, 5, 7),)),
        Case((_draw.shuffled(3, 5, 7),), {"axis": 1, "keepdims": False}),
        Case((_draw.shuffled(3, 5, 7),), {"axis": -1}),
        Case((tied,), {"axis": 2}),
        Case((tied,), {"axis": 2, "select_last_index": True}),
        Case((_draw.floats(4, 3, dtype=DType.FLOAT16),), {"axis": 0}),
    ]


def _accumulation() -> list[Case]:
    floats = _draw.floats
    return [
        Case((floats(3, 5), np.array(1))),
        Case((floats(3, 5, 2), np.array(-2)), {"exclusive": True}),
        Case((floats(3, 5), np.array(0, np.int32)), {"reverse": True}),
        Case((floats(3, 5), np.array(1)), {"exclusive": True, "reverse": True}),
        Case((floats(7, dtype=DType.FLOAT64), np.array(0))),
        Case((_draw.integers(3, 4, dtype=DType.INT32), np.array(1))),
    ]


def _top_k() -> list[Case]:
    tied = _draw.integers(3, 9, low=0, high=4)
    return [
        Case((_draw.shuffled(3, 7), (3,))),
        Case((_draw.shuffled(3, 7), (3,)), {"largest": False}),
        Case((_draw.shuffled(5, 4, 3), (2,)), {"axis": 0}),
        Case((_draw.shuffled(5, 4, 3), (4,)), {"axis": 1, "largest": False}),
        Case((tied, (5,))),
        Case((tied, (5,)), {"largest": False}),
        Case((_draw.shuffled(3, 7), (1,)), {"sorted": False}),
        Case((_draw.shuffled(11, dtype=DType.FLOAT16), (4,))),
    ]


def _unique() -> list[Case]:
    numbers, rows = _draw.integers(3, 5, low=0, high=6), _draw.integers(6, 2, low=0, high=1)
    return [
        Case((numbers,)),
        Case((numbers,), {"sorted": False}),
        Case((rows,), {"axis": 0}),
        Case((rows.T.copy(),), {"axis": 1, "sorted": False}),
        Case((_draw.integers(9, low=0, high=4, dtype=DType.FLOAT32),)),
    ]


CASES |= {
    "reduce_sum": _reduction(),
    "reduce_mean": _reduction(),
    "reduce_max": [*_reduction(), Case((_draw.booleans(3, 4), (1,)))],
    "reduce_min": [*_reduction(), Case((_draw.booleans(3, 4), (1,)))],
    "reduce_prod": _reduction(low=0.5),
    "reduce_l1": _reduction(),
    "reduce_l2": _reduction(),
    "reduce_sum_square": _reduction(),
    "reduce_log_sum": _reduction(low=1.0),
    "reduce_log_sum_exp": _reduction(),
    "arg_max": _places(),
    "arg_min": _places(),
    "cum_sum": _accumulation(),
    "cum_prod": _accumulation(),
    "top_k": _top_k(),
    "unique": _unique(),
    "non_zero": [
        Case((_draw.booleans(3, 5),)),
        Case((_draw.integers(2, 3, 4, low=0, high=2),)),
        Case((_draw.integers(7, low=-1, high=1, dtype=DType.FLOAT32),)),
    ],
    "det": [Case((_draw.floats(3, 3),)), Case((_draw.floats(2, 5, 4, 4),))],
}
