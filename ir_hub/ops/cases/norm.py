"""Cases of normalisation."""

from __future__ import annotations

from typing import Any

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples
from ir_hub.ops.op import Array

_draw = Samples(23)
_f = _draw.floats
_DOUBLE = DType.FLOAT64


def _statistics(channels: int, dtype: DType = DType.FLOAT32) -> tuple[Array, ...]:
    """Scale, bias, mean, variance."""
    scale, bias, mean = (_f(channels, dtype=dtype) for _ in range(3))
    return scale, bias, mean, _f(channels, low=0.2, high=4.0, dtype=dtype)


_BATCH: list[Case] = [
    Case((_f(2, 3, 5, 7), *_statistics(3))),
    Case((_f(4, 3), *_statistics(3)), {"eps": 0.01}),
    Case((_f(2, 3, 5), *_statistics(3)), {"momentum": 0.7}),
    Case((_f(2, 3, 2, 3, 5), *_statistics(3))),
    Case((_f(2, 5, 7, 3), *_statistics(3)), {"axis": 3}),
    Case((_f(2, 5, 3), *_statistics(3)), {"axis": -1, "eps": 0.1}),
    Case((_f(2, 3, 5, dtype=_DOUBLE), *_statistics(3, _DOUBLE))),
    Case((_f(2, 3, 5, dtype=DType.FLOAT16), *_statistics(3, DType.FLOAT16))),
]


def _affine(x: tuple[int, ...], weight: tuple[int, ...], **literals: Any) -> list[Case]:
    """With weight and bias, with the weight alone, with neither."""
    return [
        Case((_f(*x), _f(*weight), _f(*weight)), literals),
        Case((_f(*x), _f(*weight)), literals),
        Case((_f(*x),), literals),
    ]


_LAYER = [
    *_affine((2, 3, 7), (7,)),
    *_affine((2, 3, 5, 7), (5, 7), axis=2, eps=0.01),
    *_affine((3, 5), (5,), axis=1),
    *_affine((2, 3, 5), (2, 3, 5), axis=0),
    *_affine((2, 3, 5, 7), (3, 5, 7), axis=-3),
    *[
        Case((_f(3, 7, dtype=dtype), _f(7, dtype=dtype), _f(7, dtype=dtype)))
        for dtype in (_DOUBLE, DType.FLOAT16, DType.BFLOAT16)
    ],
]
_RMS = [
    Case((_f(2, 3, 7), _f(7))),
    Case((_f(2, 3, 5, 7), _f(5, 7)), {"axis": 2, "eps": 0.01}),
    Case((_f(2, 3, 5), _f(3, 5)), {"axis": -2}),
    Case((_f(3, 7, dtype=_DOUBLE), _f(7, dtype=_DOUBLE))),
    Case((_f(3, 7, dtype=DType.FLOAT16), _f(7, dtype=DType.FLOAT16))),
]
_GROUP = [
    Case((_f(2, 6, 5, 3), _f(6), _f(6)), {"groups": 3}),
    Case((_f(2, 6, 7), _f(6), _f(6)), {"groups": 2, "eps": 0.01}),
    Case((_f(3, 6), _f(6), _f(6)), {"groups": 2}),
    Case((_f(2, 4, 3, dtype=_DOUBLE), _f(4, dtype=_DOUBLE), _f(4, dtype=_DOUBLE)), {"groups": 2}),
    Case((_f(2, 5, 3, 6), _f(6), _f(6)), {"groups": 3, "axes": "N*C->N*C"}),
]
_INSTANCE = [
    Case((_f(2, 3, 5, 7), _f(3), _f(3))),
    Case((_f(2, 3, 7), _f(3), _f(3)), {"eps": 0.01}),
    Case((_f(2, 3, 2, 3, 5), _f(3), _f(3))),
    Case((_f(2, 3, 5, dtype=_DOUBLE), _f(3, dtype=_DOUBLE), _f(3, dtype=_DOUBLE))),
    Case((_f(2, 5, 7, 3), _f(3), _f(3)), {"axes": "N*C->NC*"}),
]
_LRN = [
    Case((_f(2, 7, 3, 5),), {"size": 5}),
    Case((_f(2, 7, 3, 5),), {"size": 4, "alpha": 0.5}),
    Case((_f(2, 5, 3, 2),), {"size": 3, "alpha": 0.2, "beta": 0.5, "bias": 2.0}),
    Case((_f(2, 3, 5, 7),), {"size": 4, "alpha": 0.5, "axes": "N*C->N*C"}),
]
_LP = [
    Case((_f(3, 5),)),
    Case((_f(3, 5, 2),), {"axis": 1}),
    Case((_f(3, 5, 2),), {"p": 1, "axis": 0}),
]
_MEAN_VARIANCE = [
    Case((_f(2, 3, 5, 7),)),
    Case((_f(2, 3, 5, 7),), {"axes": (2, 3)}),
    Case((_f(3, 5),), {"axes": (-1,)}),
]

CASES |= {
    "batch_norm": _BATCH,
    "batch_norm_training": _BATCH,
    "layer_norm": _LAYER,
    "layer_norm_stats": _LAYER,
    "rms_norm": _RMS,
    "group_norm": _GROUP,
    "instance_norm": _INSTANCE,
    "lrn": _LRN,
    "lp_norm": _LP,
    "mean_variance_norm": _MEAN_VARIANCE,
}
