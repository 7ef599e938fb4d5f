"""Cases of convolutions: 1 to 3 spatial axes, groups, and every order of axes in use."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples
from ir_hub.ops.op import Array

_draw = Samples(24)
_f = _draw.floats


def _slide(spatial: int, **given: Any) -> dict[str, Any]:
    """Literals of a plain sliding window, but for those given."""
    plain = {
        "strides": (1,) * spatial,
        "pads": ((0, 0),) * spatial,
        "dilations": (1,) * spatial,
    }
    return plain | given


def _conv(x: tuple[int, ...], weight: tuple[int, ...], outputs: int, **given: Any) -> list[Case]:
    literals = _slide(len(x) - 2, **given)
    return [
        Case((_f(*x), _f(*weight)), literals),
        Case((_f(*x), _f(*weight), _f(outputs)), literals),
    ]


_DOUBLES = tuple(_f(*shape, dtype=DType.FLOAT64) for shape in ((2, 3, 7, 5), (4, 3, 3, 2), (4,)))
_HALVES = tuple(_f(*shape, dtype=DType.FLOAT16) for shape in ((2, 3, 7, 5), (4, 3, 3, 2), (4,)))
_CONV = [
    *_conv((2, 3, 7, 9), (4, 3, 3, 2), 4),
    *_conv((2, 3, 7, 9), (4, 3, 3, 5), 4, strides=(2, 3), pads=((1, 1), (2, 2))),
    *_conv((1, 3, 9, 8), (5, 3, 2, 3), 5, dilations=(2, 3), pads=((0, 1), (3, 2))),
    *_conv((1, 3, 9, 12), (5, 3, 2, 3), 5, strides=(1, 2), dilations=(2, 4), pads=((0, 1), (3, 2))),
    *_conv((2, 6, 7, 5), (4, 3, 3, 3), 4, groups=2, pads=((1, 1), (1, 1))),
    *_conv((2, 5, 7, 6), (5, 1, 3, 3), 5, groups=5, strides=(2, 2), pads=((1, 1), (0, 1))),
    *_conv((2, 5, 7, 6), (5, 1, 3, 3), 5, groups=5, strides=(2, 1)),
    *_conv((2, 3, 7, 6), (6, 1, 3, 3), 6, groups=3),
    *_conv((2, 3, 5, 7), (4, 3, 1, 1), 4),
    *_conv((2, 3, 11), (5, 3, 4), 5, strides=(2,), pads=((2, 1),), dilations=(2,)),
    *_conv((1, 2, 5, 4, 7), (3, 2, 2, 3, 3), 3, strides=(1, 2, 2), pads=((0, 0), (1, 1), (1, 0))),
    *_conv((2, 7, 9, 3), (3, 2, 3, 4), 4, axes="N*C,*IO->N*C", strides=(2, 1)),
    *_conv((2, 7, 9, 6), (3, 2, 3, 4), 4, axes="N*C,*IO->N*C", groups=2, pads=((1, 1), (1, 0))),
    *_conv((2, 7, 9, 3), (4, 3, 3, 2), 4, axes="N*C,OI*->NC*"),
    *_conv((2, 11, 3), (4, 3, 5), 5, axes="N*C,*IO->N*C", dilations=(2,)),
    Case(_DOUBLES, _slide(2)),
    Case(_HALVES, _slide(2)),
]


def _spread(x: tuple[int, ...], weight: tuple[int, ...], outputs: int, **given: Any) -> list[Case]:
    return _conv(x, weight, outputs, **{"output_padding": (0,) * (len(x) - 2), **given})


_CONV_TRANSPOSE = [
    *_spread((2, 3, 5, 4), (3, 4, 3, 2), 4),
    *_spread((2, 3, 5, 4), (3, 4, 3, 3), 4, strides=(2, 3), pads=((1, 1), (1, 0))),
    *_spread((1, 3, 4, 5), (3, 4, 3, 3), 4, strides=(2, 2), output_padding=(1, 0)),
    *_spread((1, 3, 4, 5), (3, 2, 2, 3), 2, dilations=(2, 2), pads=((1, 0), (2, 1))),
    *_spread((2, 6, 5, 4), (6, 2, 3, 3), 4, groups=2, strides=(2, 2)),
    *_spread((2, 4, 5, 3), (4, 1, 3, 3), 4, groups=4, strides=(2, 2), pads=((1, 1), (1, 1))),
    *_spread((2, 3, 7), (3, 5, 4), 5, strides=(3,), pads=((1, 2),), output_padding=(2,)),
    *_spread((1, 2, 3, 4, 3), (2, 3, 2, 3, 2), 3, strides=(2, 1, 2)),
    *_spread((2, 5, 4, 3), (3, 2, 4, 3), 4, axes="N*C,*OI->N*C", strides=(2, 2)),
    Case(
        tuple(_f(*shape, dtype=DType.FLOAT64) for shape in ((2, 3, 4, 3), (3, 4, 3, 2), (4,))),
        _slide(2, output_padding=(0, 0), strides=(2, 1)),
    ),
]


def _bytes(*shape: int, dtype: DType = DType.UINT8) -> Array:
    bounds = np.iinfo(dtype.numpy)
    return _draw.integers(*shape, low=int(bounds.min), high=int(bounds.max), dtype=dtype)


_POINT = np.array(131, np.uint8)
_SIGNED = np.array([-3, 5, 0, 7], np.int8)
_CONV_INTEGER = [
    Case((_bytes(2, 3, 5, 6), _bytes(4, 3, 3, 2)), _slide(2)),
    Case((_bytes(2, 3, 5, 6), _bytes(4, 3, 3, 2), _POINT), _slide(2, pads=((1, 1), (0, 2)))),
    Case(
        (_bytes(2, 4, 7), _bytes(4, 2, 3, dtype=DType.INT8), _POINT, _SIGNED),
        _slide(1, groups=2, strides=(2,), dilations=(2,)),
    ),
    Case(
        (_bytes(2, 5, 6, 3), _bytes(3, 2, 3, 4), _POINT, np.array(7, np.uint8)),
        _slide(2, axes="N*C,*IO->N*C"),
    ),
]

CASES |= {
    "conv": _CONV,
    "conv_transpose": _CONV_TRANSPOSE,
    "conv_integer": _CONV_INTEGER,
}
