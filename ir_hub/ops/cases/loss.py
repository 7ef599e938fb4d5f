"""Cases of losses."""

from __future__ import annotations

import itertools

from ir_hub.ops.cases.case import CASES, Case, Samples
from ir_hub.ops.op import Array

_draw = Samples(29)
_f = _draw.floats


def _classes(*shape: int) -> Array:
    """Classes of 5, at least one of them the class 2 that some cases ignore."""
    found = _draw.integers(*shape, low=0, high=4)
    found.reshape(-1)[0] = 2
    return found


_LOSS = [
    *[
        Case((_f(3, 5), _classes(3), *weight), {"reduction": reduction})
        for reduction, weight in itertools.product(
            ("none", "sum", "mean"), ((), (_f(5, low=0.2, high=2.0),))
        )
    ],
    Case((_f(2, 5, 3, 4), _classes(2, 3, 4))),
    Case((_f(2, 5, 7), _classes(2, 7)), {"ignore_index": 2}),
    Case(
        (_f(2, 5, 7), _classes(2, 7), _f(5, low=0.2, high=2.0)),
        {"ignore_index": 2, "reduction": "none"},
    ),
]

CASES |= {"nll_loss": _LOSS, "softmax_cross_entropy_loss": _LOSS}
