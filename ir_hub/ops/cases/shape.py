"""Cases of shapes, of making tensors and of moving elements about."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(5)
_floats = _draw.floats


def _reshape() -> list[Case]:
    shapes = [(5, 6), (-1,), (0, -1), (2, -1, 5), (0, 0, 5), (1, 2, 3, 5, 1)]
    return [
        *[Case((_floats(2, 3, 5), shape)) for shape in shapes],
        Case((_floats(0, 3), (3, 0)), {"allow_zero": True}),
        Case((_floats(1), ())),
        Case((_draw.integers(4, 3), (2, 6))),
    ]


def _range() -> list[Case]:
    steps = [(1, 12, 3), (10, -4, -3), (0, 5, 1)]
    return [
        *[Case(tuple(np.array(n, np.int64) for n in step)) for step in steps],
        Case(tuple(np.array(n, np.float32) for n in (0.5, 4.25, 0.75))),
        Case(tuple(np.array(n, np.int32) for n in (7, 0, -2))),
    ]


def _trilu() -> list[Case]:
    return [
        Case((_floats(5, 4),)),
        Case((_floats(2, 4, 5),), {"upper": False}),
        Case((_floats(5, 4), np.array(2))),
        Case((_floats(5, 4), np.array(-1)), {"upper": False}),
        Case((_draw.booleans(4, 4), np.array(1))),
        Case((_floats(3, 4, dtype=DType.BFLOAT16),)),
    ]


CASES |= {
    "shape_of": [
        Case((_floats(2, 3, 5),)),
        Case((_floats(2, 3, 5),), {"start": 1}),
        Case((_floats(2, 3, 5),), {"end": -1}),
        Case((_floats(2, 3, 5),), {"start": -2, "end": 3}),
    ],
    "size_of": [Case((_floats(2, 3, 5),)), Case((_floats(),))],
    "reshape": _reshape(),
    "flatten": [
        *[Case((_floats(2, 3, 5, 7),), {"axis": axis}) for axis in (0, 2, 4, -1)],
        Case((_floats(2, 3, 5),)),
        Case((_draw.integers(3),)),
    ],
    "expand": [
        Case((_floats(3, 1), (2, 1, 5))),
        Case((_floats(1, 4), (3, 1))),
        Case((_draw.integers(), (2, 3))),
    ],
    "transpose": [
        Case((_floats(2, 3, 5),), {"perm": (2, 0, 1)}),
        Case((_floats(2, 3, 5, 7),), {"perm": (0, 2, 3, 1)}),
        Case((_draw.integers(4, 3),), {"perm": (1, 0)}),
    ],
    "squeeze": [
        Case((_floats(1, 3, 1, 5), (0,))),
        Case((_floats(1, 3, 1, 5), (0, -2))),
        Case((_floats(1, 3, 1, 5),)),
    ],
    "unsqueeze": [
        Case((_floats(3, 5), (0,))),
        Case((_floats(3, 5), (-1, 1))),
        Case((_draw.integers(), (0,))),
    ],
    "tile": [Case((_floats(2, 3), (3, 2))), Case((_draw.integers(2, 1, 3), (1, 4, 2)))],
    "range": _range(),
    "positions": [Case(((5,),)), Case(((1,),))],
    "constant_of_shape": [
        Case(((2, 3),), {"value": 1.5, "dtype": DType.FLOAT32}),
        Case(((3,),), {"value": -7, "dtype": DType.INT64}),
        Case(((2, 1, 2),), {"value": True, "dtype": DType.BOOL}),
        Case(((),), {"value": 2.5, "dtype": DType.FLOAT64}),
    ],
    "eye_like": [
        Case((_floats(4, 5),), {"dtype": DType.FLOAT32}),
        Case((_floats(4, 5),), {"k": 2, "dtype": DType.FLOAT64}),
        Case((_draw.integers(5, 3),), {"k": -1, "dtype": DType.INT32}),
    ],
    "trilu": _trilu(),
    "space_to_depth": [
        Case((_floats(2, 3, 4, 6),), {"block": 2}),
        Case((_floats(1, 2, 6, 9),), {"block": 3}),
        Case((_floats(2, 3, 4, 6),), {"block": 2, "mode": "CRD"}),
        Case((_floats(2, 4, 6, 3),), {"block": 2, "axes": "N*C->N*C"}),
    ],
    "depth_to_space": [
        Case((_floats(2, 12, 3, 5),), {"block": 2}),
        Case((_floats(2, 12, 3, 5),), {"block": 2, "mode": "CRD"}),
        Case((_floats(1, 18, 2, 3),), {"block": 3}),
        Case((_floats(2, 3, 5, 12),), {"block": 2, "axes": "N*C->NC*"}),
    ],
    "channel_shuffle": [
        Case((_floats(2, 6, 3, 5),), {"groups": 3}),
        Case((_floats(2, 3, 5, 8),), {"groups": 2, "axis": -1}),
        Case((_floats(6, 5),), {"groups": 2, "axis": 0}),
    ],
    "reverse_sequence": [
        Case((_floats(5, 3), np.array([5, 2, 1]))),
        Case((_floats(3, 5, 2), np.array([4, 1, 3])), {"batch_axis": 0, "time_axis": 1}),
    ],
    "center_crop_pad": [
        Case((_floats(9, 4, 3), (6, 7, 3))),
        Case((_floats(9, 4, 3), (5, 6)), {"axes": (1, 2)}),
        Case((_floats(5, 8), (8, 5)), {"axes": (-2, -1)}),
    ],
}
