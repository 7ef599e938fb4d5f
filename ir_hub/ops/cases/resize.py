"""Cases of resizing."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(26)
_f = _draw.floats


def _to(height: int, width: int, **literals: Any) -> Case:
    return Case((_f(2, 3, 5, 7), (height, width)), literals)


def _by(*factors: float, **literals: Any) -> Case:
    spatial = (5, 7, 4)[: len(factors)]
    return Case((_f(2, 3, *spatial),), {"scale_factors": factors, **literals})


_COORDINATES = (
    "half_pixel",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "half_pixel_symmetric",
)
_ROI = np.array([0.2, 0.1, 0.7, 1.2], np.float32)
_CROP = {"mode": "linear", "coordinates": "tf_crop_and_resize", "extrapolation_value": 1.5}

CASES |= {
    "resize": [
        _by(2.0, 2.0),
        _by(2.0, 3.0, coordinates="asymmetric", nearest="floor"),
        _by(0.6, 1.7, mode="linear"),
        *[
            _to(8, 4, mode=mode, coordinates=coordinates)
            for mode, coordinates in itertools.product(("nearest", "linear", "cubic"), _COORDINATES)
        ],
        *[
            _to(9, 3, nearest=nearest)
            for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
        ],
        _to(1, 1, mode="linear", coordinates="pytorch_half_pixel"),
        _to(8, 12, mode="cubic", cubic_coeff_a=-0.5),
        _to(8, 4, mode="cubic", exclude_outside=True),
        _to(3, 4, mode="linear", antialias=True),
        _to(3, 4, mode="cubic", antialias=True),
        _to(9, 9, mode="linear", keep_aspect_ratio_policy="not_larger"),
        _to(9, 9, mode="linear", keep_aspect_ratio_policy="not_smaller"),
        _by(2.0, mode="linear"),
        _by(2.0, 1.5, 0.5, mode="linear"),
        Case((_f(2, 3, 5, 7), (6, 9), None, _ROI), _CROP),
        Case((_f(2, 5, 7, 3), (8, 4)), {"mode": "linear", "axes": "N*C->N*C"}),
        Case((_f(2, 3, 4),), {"scale_factors": (1.0, 2.0, 1.5), "axes": "*->*"}),
        Case((_f(2, 3, 5, 7), None, np.array([1.4, 2.0], np.float32)), {"mode": "linear"}),
        Case((_f(2, 3, 5, 7, dtype=DType.FLOAT16), (8, 4)), {"mode": "linear"}),
        Case((_f(2, 3, 5, 7, dtype=DType.FLOAT64), (8, 4)), {"mode": "cubic"}),
        Case((_draw.integers(2, 3, 5, 7, dtype=DType.INT32), (8, 4))),
    ],
}
