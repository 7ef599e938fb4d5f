"""Cases of putting tensors together and cutting them up."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(6)
_floats = _draw.floats
_END = 2**63 - 1  # what exporters write for "up to the end"


def _concat() -> list[Case]:
    texts = np.array(["a", "b"], object)
    return [
        Case(((_floats(2, 3), _floats(4, 3)),), {"axis": 0}),
        Case(((_floats(2, 3, 5), _floats(2, 1, 5), _floats(2, 4, 5)),), {"axis": 1}),
        Case(((_floats(2, 3), _floats(2, 2)),), {"axis": -1}),
        Case(((_floats(3, 2),),), {"axis": 0}),
        Case(((_draw.integers(2), _draw.integers(3)),), {"axis": 0}),
        Case(((texts, texts),), {"axis": 0}),
    ]


def _split() -> list[Case]:
    return [
        Case((_floats(6, 5),), {"count": 3}),
        Case((_floats(7, 5),), {"count": 3}),
        Case((_floats(4, 9), (2, 3, 4)), {"axis": 1, "count": 3}),
        Case((_floats(4, 8, 3), (5, 3)), {"axis": -2, "count": 2}),
        Case((_draw.integers(4), (4,)), {"count": 1}),
    ]


def _slice() -> list[Case]:
    x = _floats(5, 7, 9)
    return [
        Case((x, (1,), (4,))),
        Case((x, (1, 2), (4, _END), (0, 2))),
        Case((x, (-3,), (-1,), (-1,))),
        Case((x, (0, 1), (5, 9), (0, 2), (2, 3))),
        Case((x, (-1,), (-_END,), (1,), (-1,))),
        Case((x, (6,), (1,), (1,), (-2,))),
        Case((x, (-99, 3), (99, 3), (0, 1))),
        Case((_draw.integers(7), (2,), (6,), None, (3,))),
    ]


def _pad() -> list[Case]:
    value = np.array(1.5, np.float32)
    everywhere, inner = (1, 0, 2, 3), (2, 1)
    return [
        Case((_floats(3, 5), everywhere)),
        Case((_floats(3, 5), everywhere, value)),
        Case((_floats(3, 5), inner, value, (1,))),
        Case((_floats(3, 5), inner, None, (-2,))),
        *[
            Case((_floats(4, 5), everywhere), {"mode": mode})
            for mode in ("reflect", "edge", "wrap")
        ],
        *[
            Case((_floats(4, 5), inner, None, (1,)), {"mode": m})
            for m in ("reflect", "edge", "wrap")
        ],
        Case((_floats(4, 5), (-1, 2, 0, -2), value)),
        Case((_draw.integers(2, 3, dtype=DType.INT32), everywhere, np.array(7, np.int32))),
        Case((_floats(3, 2, dtype=DType.BFLOAT16), everywhere)),
    ]


CASES |= {
    "concat": _concat(),
    "split": _split(),
    "slice": _slice(),
    "pad": _pad(),
    "reverse": [
        Case((_floats(3, 5),), {"axes": (1,)}),
        Case((_floats(2, 3, 5),), {"axes": (0, -1)}),
        Case((_draw.integers(7),), {"axes": (0,)}),
    ],
}
