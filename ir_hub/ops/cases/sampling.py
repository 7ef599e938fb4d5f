"""Cases of reading between elements, and of regions."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(30)
_f = _draw.floats


def _grid_sample() -> list[Case]:
    modes = itertools.product(
        ("linear", "nearest", "cubic"), ("zeros", "border", "reflection"), (False, True)
    )
    cases = []
    for mode, padding, aligned in modes:
        grid = _f(2, 4, 3, 2, low=-1.4, high=1.4)
        literals = {"mode": mode, "padding_mode": padding, "align_corners": aligned}
        cases.append(Case((_f(2, 3, 5, 7), grid), literals))
    cases.append(Case((_f(2, 3, 4, 5, 3), _f(2, 2, 3, 4, 3, low=-1.2, high=1.2))))
    cases.append(Case((_f(2, 5, 7, 3), _f(2, 4, 3, 2)), {"axes": "N*C->N*C"}))
    return cases


def _deform() -> list[Case]:
    plain: dict[str, Any] = {"strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilations": (1, 1)}
    moved = {"strides": (2, 1), "pads": ((1, 1), (0, 1)), "dilations": (1, 2)}
    grouped = {"groups": 2, "offset_groups": 2}
    return [
        Case((_f(2, 3, 5, 6), _f(4, 3, 3, 2), _f(2, 12, 3, 5)), plain),
        Case((_f(2, 3, 5, 6), _f(4, 3, 3, 2), _f(2, 12, 3, 5), _f(4), _f(2, 6, 3, 5)), plain),
        Case((_f(2, 4, 5, 6), _f(6, 2, 3, 2), _f(2, 24, 3, 5), _f(6)), {**moved, **grouped}),
    ]


_ROIS = np.array([[0.3, 0.7, 4.1, 3.9], [1.2, 2.1, 5.3, 6.8], [3.1, 0.2, 3.6, 5.4]], np.float32)
_IMAGES = np.array([0, 1, 1], np.int64)
_ROI_ALIGN: list[dict[str, Any]] = [
    {"output_height": 3, "output_width": 2},
    {"output_height": 2, "output_width": 3, "sampling_ratio": 2, "spatial_scale": 0.7},
    {"output_height": 2, "output_width": 2, "mode": "max"},
    {
        "output_height": 2,
        "output_width": 3,
        "coordinate_transformation_mode": "output_half_pixel",
    },
]
_POOLED = np.array([[0, 0, 1, 4, 3], [1, 1, 2, 5, 6], [1, 3, 0, 3, 5]], np.float32)


def _suppression() -> list[Case]:
    corners = _f(2, 9, 2, low=0, high=0.6)
    boxes = np.concatenate([corners, corners + _f(2, 9, 2, low=0.2, high=0.4)], axis=-1)
    scores = _draw.shuffled(2, 3, 9) / np.float32(54)
    most = np.array([4], np.int64)
    overlap, least = np.array([0.3], np.float32), np.array([0.2], np.float32)
    return [
        Case((boxes, scores, most)),
        Case((boxes, scores, most, overlap, least)),
        Case((boxes, scores, most, overlap), {"center_point_box": 1}),
        Case((boxes, scores)),
    ]


_COLUMNS = {"strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilations": (1, 1)}

CASES |= {
    "grid_sample": _grid_sample(),
    "affine_grid": [
        Case((_f(2, 2, 3), (2, 3, 4, 5))),
        Case((_f(2, 2, 3), (2, 3, 4, 5)), {"align_corners": True}),
        Case((_f(2, 3, 4), (2, 3, 4, 5, 2))),
        Case((_f(2, 2, 3, dtype=DType.FLOAT64), (2, 3, 4, 5))),
    ],
    "deform_conv": _deform(),
    "roi_align": [Case((_f(2, 3, 7, 6), _ROIS, _IMAGES), literals) for literals in _ROI_ALIGN],
    "max_roi_pool": [
        Case((_f(2, 3, 7, 6), _POOLED), {"pooled_shape": (2, 3)}),
        Case((_f(2, 3, 7, 6), _POOLED), {"pooled_shape": (3, 2), "spatial_scale": 0.5}),
    ],
    "non_max_suppression": _suppression(),
    "col2im": [
        Case((_f(2, 18, 12), (5, 5), (2, 3)), {**_COLUMNS}),
        Case(
            (_f(1, 12, 9), (6, 5), (3, 2)),
            {"strides": (2, 2), "pads": ((1, 1), (0, 1)), "dilations": (1, 1)},
        ),
        Case((_f(1, 8, 12), (5, 5), (2, 2)), {**_COLUMNS, "dilations": (2, 1)}),
        Case((_f(2, 9, 4), (9,), (3,)), {"strides": (2,), "pads": ((0, 0),), "dilations": (1,)}),
    ],
}
