"""Cases of reading and writing elements by their place."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(7)
_floats = _draw.floats
_COMBINED = ("add", "mul", "max", "min")


def _gather() -> list[Case]:
    x = _floats(5, 4, 3)
    return [
        Case((x, _draw.integers(2, 3, low=0, high=4))),
        Case((x, _draw.integers(6, low=-4, high=3)), {"axis": 1}),
        Case((x, np.array(2)), {"axis": -1}),
        Case((x, _draw.integers(2, low=0, high=2, dtype=DType.INT32)), {"axis": 2}),
        Case((_draw.integers(7), np.array([3]))),
        Case((np.array(["a", "b", "c"], object), np.array([2, 0]))),
    ]


def _gather_nd() -> list[Case]:
    x = _floats(3, 4, 5)
    return [
        Case((x, _draw.integers(6, 3, low=0, high=2))),
        Case((x, _draw.integers(2, 3, 2, low=-3, high=2))),
        Case((x, _draw.integers(3, 2, 1, low=0, high=3)), {"batch_dims": 1}),
        Case((x, _draw.integers(3, 4, 1, low=0, high=4)), {"batch_dims": 2}),
    ]


def _scatter_elements() -> list[Case]:
    x, updates = _floats(4, 5), _floats(2, 3)
    rows = np.array([[1, 0, 3], [2, 3, -4]])
    again = np.array([[1, 1, 3], [1, 3, 3]])
    cases = [
        Case((x, rows, updates)),
        Case((x, np.array([[1, 0, -1], [4, 2, 0]]), updates), {"axis": 1}),
        *[Case((x, again, updates), {"reduction": how}) for how in _COMBINED],
    ]
    integers = Case((_draw.integers(4, 5), again, _draw.integers(2, 3)), {"reduction": "add"})
    return [*cases, integers]


def _scatter_nd() -> list[Case]:
    x, rows, places = _floats(5, 4, 3), np.array([[1], [4]]), np.array([[0, 2], [3, 1], [-1, 0]])
    again = np.array([[2], [2], [0]])
    return [
        Case((x, rows, _floats(2, 4, 3))),
        Case((x, places, _floats(3, 3))),
        *[Case((x, again, _floats(3, 4, 3)), {"reduction": how}) for how in _COMBINED],
        Case((_draw.integers(6), rows, _draw.integers(2))),
    ]


def _tensor_scatter() -> list[Case]:
    cache, update = _floats(2, 3, 7, 4), _floats(2, 3, 2, 4)
    return [
        Case((cache, update)),
        Case((cache, update, np.array([1, 5]))),
        Case((cache, update, np.array([6, 3])), {"mode": "circular"}),
        Case((_floats(2, 7, 3), _floats(2, 2, 3), np.array([0, 4])), {"axis": 1}),
    ]


def _one_hot() -> list[Case]:
    values = np.array([-0.5, 2.5], np.float32)
    return [
        Case((_draw.integers(3, 4, low=0, high=4), (5,), values)),
        Case((_draw.integers(3, 4, low=-5, high=4), (5,), values), {"axis": 1}),
        Case((np.array([0, 9, -9, 3]), (5,), np.array([0, 1])), {"axis": 0}),
        Case((np.array([1.0, 3.0], np.float32), (4,), values)),
    ]


CASES |= {
    "gather": _gather(),
    "gather_elements": [
        Case((_floats(4, 5), _draw.integers(2, 5, low=-4, high=3))),
        Case((_floats(4, 5), _draw.integers(3, 2, low=0, high=4)), {"axis": 1}),
        Case((_floats(2, 3, 5), _draw.integers(2, 3, 4, low=0, high=4)), {"axis": -1}),
    ],
    "gather_nd": _gather_nd(),
    "scatter_elements": _scatter_elements(),
    "scatter_nd": _scatter_nd(),
    "tensor_scatter": _tensor_scatter(),
    "one_hot": _one_hot(),
    "compress": [
        Case((_floats(3, 5), np.array([True, False, True]))),
        Case((_floats(3, 5), np.array([False, True, True])), {"axis": 0}),
        Case((_floats(3, 5), np.array([False, True, False, True])), {"axis": -1}),
    ],
}
