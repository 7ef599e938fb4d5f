"""Cases of activation functions."""

from __future__ import annotations

from typing import Any

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(3)


def _unary(*literals: dict[str, Any], low: float = -3.0, high: float = 3.0) -> list[Case]:
    """Several ranks and types with the defaults, and one case for each other choice."""
    shapes: list[tuple[int, ...]] = [(3, 7), (2, 3, 5, 3)]
    types = (DType.FLOAT64, DType.FLOAT16, DType.BFLOAT16)
    return [
        *[Case((_draw.floats(*shape, low=low, high=high),)) for shape in shapes],
        *[Case((_draw.floats(5, 3, low=low, high=high, dtype=dtype),)) for dtype in types],
        *[Case((_draw.floats(3, 7, low=low, high=high),), chosen) for chosen in literals],
    ]


def _prelu() -> list[Case]:
    slopes: list[tuple[int, ...]] = [(3, 1, 1), (1,), (5, 7), (2, 3, 5, 7)]
    return [Case((_draw.floats(2, 3, 5, 7), _draw.floats(*slope, low=0.1))) for slope in slopes]


def _along_axes() -> list[Case]:
    chosen = [{"axis": axis} for axis in (0, 1, 2, -1, -2)]
    return [
        *_unary(low=-9, high=9),
        *[Case((_draw.floats(3, 5, 7),), literals) for literals in chosen],
        Case((_draw.floats(4, 3, low=500, high=900),), {"axis": 0}),
    ]


CASES |= {
    "relu": [*_unary(), Case((_draw.integers(3, 5, dtype=DType.INT32),))],
    "relu6": _unary(low=-9, high=12),
    "sigmoid": _unary(low=-20, high=20),
    "silu": _unary(low=-20, high=20),
    "swish": _unary({"alpha": 1.75}),
    "hard_sigmoid": _unary({"alpha": 0.4}, {"beta": 0.3}, {"alpha": 1 / 6, "beta": 0.5}),
    "hard_swish": _unary(low=-6, high=6),
    "softplus": _unary({"beta": 2.5}, low=-40, high=40),
    "softsign": _unary(),
    "mish": _unary(low=-20, high=20),
    "gelu": _unary({"approximate": "tanh"}),
    "leaky_relu": _unary({"alpha": 0.2}),
    "prelu": _prelu(),
    "thresholded_relu": _unary({"alpha": 0.5}),
    "elu": _unary({"alpha": 1.5}),
    "celu": _unary({"alpha": 1.5}),
    "selu": _unary({"alpha": 1.5}, {"gamma": 1.25}),
    "shrink": _unary({"bias": 0.25}, {"threshold": 1.25}, {"bias": 1.5, "threshold": 1.5}),
    "softmax": _along_axes(),
    "log_softmax": _along_axes(),
    "hardmax": _along_axes(),
}
