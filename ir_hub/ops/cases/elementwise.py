"""Cases of arithmetic and trigonometry."""

from __future__ import annotations

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(1)
_WIDE_AND_NARROW = (DType.FLOAT64, DType.FLOAT16, DType.BFLOAT16)


def _binary(low: float = -3.0, high: float = 3.0) -> list[Case]:
    """Equal shapes, broadcasting from both sides, a scalar, other floats."""
    shapes = [((3, 5), (3, 5)), ((2, 1, 5), (3, 1)), ((7,), ())]
    floats = _draw.floats
    return [
        *[Case((floats(*a), floats(*b, low=low, high=high))) for a, b in shapes],
        *[
            Case((floats(4, 3, dtype=dtype), floats(3, low=low, high=high, dtype=dtype)))
            for dtype in _WIDE_AND_NARROW
        ],
    ]


def _integers(*dtypes: DType, low: int = -9, high: int = 9) -> list[Case]:
    return [
        Case(
            (
                _draw.integers(3, 7, low=0 if "u" in dtype.value else low, dtype=dtype),
                _draw.integers(7, low=max(low, 1), high=high, dtype=dtype),
            )
        )
        for dtype in dtypes
    ]


def _unary(low: float = -3.0, high: float = 3.0) -> list[Case]:
    shapes: list[tuple[int, ...]] = [(3, 7), (2, 3, 5), ()]
    return [
        *[Case((_draw.floats(*shape, low=low, high=high),)) for shape in shapes],
        *[Case((_draw.floats(11, low=low, high=high, dtype=d),)) for d in _WIDE_AND_NARROW],
    ]


def _mod() -> list[Case]:
    x, y = _draw.integers(4, 5, dtype=DType.INT32), _draw.integers(5, low=1, dtype=DType.INT32)
    floats = (_draw.floats(4, 5), _draw.floats(5, low=0.5))
    return [
        Case((x, y)),
        Case((x, -y)),
        Case((x, -y), {"fmod": True}),
        Case(floats, {"fmod": True}),
        Case(
            (
                _draw.integers(9, low=0, dtype=DType.UINT8),
                _draw.integers(1, low=3, high=5, dtype=DType.UINT8),
            )
        ),
    ]


def _pow() -> list[Case]:
    return [
        Case((_draw.floats(3, 5, low=0.2), _draw.floats(3, 5))),
        Case((_draw.floats(3, 5), _draw.integers(5, low=-2, high=3))),
        Case((_draw.integers(3, 5, low=-3, high=3), _draw.integers(5, low=0, high=4))),
        Case((_draw.integers(6, low=1, high=9, dtype=DType.INT32), _draw.floats(6, low=0.5))),
        Case((_draw.floats(3, low=0.2, dtype=DType.FLOAT64), _draw.floats(dtype=DType.FLOAT64))),
    ]


_INTEGERS = (DType.INT64, DType.INT32, DType.INT8, DType.UINT8)

CASES |= {
    "add": _binary() + _integers(*_INTEGERS),
    "sub": _binary() + _integers(*_INTEGERS),
    "mul": _binary() + _integers(*_INTEGERS),
    "div": _binary(low=0.5) + _integers(*_INTEGERS),
    "floor_div": _binary(low=0.5) + _integers(*_INTEGERS),
    "mod": _mod(),
    "pow": _pow(),
    "minimum": _binary() + _integers(*_INTEGERS),
    "maximum": _binary() + _integers(*_INTEGERS),
    "neg": [*_unary(), Case((_draw.integers(5, dtype=DType.INT32),))],
    "abs": [*_unary(), Case((_draw.integers(5, dtype=DType.INT32),))],
    "sign": [*_unary(), Case((_draw.integers(3, 9, dtype=DType.INT64),))],
    "reciprocal": _unary(low=0.3),
    "sqrt": _unary(low=0.1),
    "rsqrt": _unary(low=0.1),
    "square": _unary(),
    "exp": _unary(),
    "log": _unary(low=0.1),
    "log1p": _unary(low=-0.9),
    "expm1": _unary(),
    "erf": _unary(),
    "ceil": _unary(),
    "floor": _unary(),
    "round": [*_unary(), Case((_draw.integers(4, 5, dtype=DType.FLOAT32) / 2,))],
    "sin": _unary(),
    "cos": _unary(),
    "tan": _unary(low=-1.4, high=1.4),
    "asin": _unary(low=-0.9, high=0.9),
    "acos": _unary(low=-0.9, high=0.9),
    "atan": _unary(),
    "atan2": _binary(),
    "sinh": _unary(),
    "cosh": _unary(),
    "tanh": _unary(),
    "asinh": _unary(),
    "acosh": _unary(low=1.1),
    "atanh": _unary(low=-0.9, high=0.9),
}
