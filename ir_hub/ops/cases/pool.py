"""Cases of pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples
from ir_hub.ops.op import OPS

_draw = Samples(25)
_f = _draw.floats


def _slide(kernel: tuple[int, ...], **given: Any) -> dict[str, Any]:
    """Literals of a plain sliding window, but for those given."""
    spatial = len(kernel)
    plain = {
        "kernel": kernel,
        "strides": (1,) * spatial,
        "pads": ((0, 0),) * spatial,
        "dilations": (1,) * spatial,
    }
    return plain | given


_WINDOWS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 7, 9), _slide((3, 2))),
    ((2, 3, 8, 9), _slide((3, 4), strides=(2, 3), pads=((1, 1), (1, 2)))),
    ((1, 2, 9, 8), _slide((2, 3), dilations=(3, 2), pads=((1, 0), (1, 1)))),
    ((2, 3, 8, 7), _slide((3, 3), strides=(2, 2), ceil_mode=True)),
    ((1, 2, 6, 6), _slide((2, 2), strides=(3, 3), pads=((1, 1), (0, 1)), ceil_mode=True)),
    ((2, 3, 10), _slide((4,), strides=(3,), pads=((2, 1),))),
    ((1, 2, 5, 6, 7), _slide((2, 3, 2), strides=(2, 1, 2))),
]
_CHANNELS_LAST: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 7, 9, 3), _slide((3, 2), strides=(2, 2), pads=((1, 1), (0, 1)), axes="N*C->N*C")),
    ((2, 9, 3), _slide((3,), axes="N*C->NC*")),
]
_ALL = [Case((_f(*shape),), literals) for shape, literals in _WINDOWS + _CHANNELS_LAST]
_PADDED = _slide((3, 3), strides=(2, 2), pads=((1, 1), (1, 1)))

_MAX = [
    *_ALL,
    Case((_draw.integers(2, 3, 7, 5, dtype=DType.INT8),), _PADDED),
    Case((_f(2, 3, 7, 5, low=-9, high=-1),), _PADDED),
    Case((_f(2, 3, 7, 5, dtype=DType.FLOAT16),), _PADDED),
]
_MAX_INDICES = [
    *[Case((_draw.shuffled(*shape),), literals) for shape, literals in _WINDOWS],
    Case((_draw.shuffled(2, 3, 7, 5),), {**_PADDED, "storage_order": 1}),
]
_AVG = [
    *_ALL,
    *[Case(case.tensors, {**case.literals, "count_include_pad": True}) for case in _ALL],
    Case((_f(2, 3, 7, 5, dtype=DType.FLOAT64),), _PADDED),
    Case((_f(2, 3, 7, 5, dtype=DType.FLOAT16),), _PADDED),
]
_LP = [*_ALL, *[Case(case.tensors, {**case.literals, "p": 3}) for case in _ALL[:2]]]

_GLOBAL = [
    Case((_f(2, 3, 5, 7),)),
    Case((_f(2, 3, 7),)),
    Case((_f(1, 2, 3, 4, 5),)),
    Case((_f(2, 5, 7, 3),), {"axes": "N*C->N*C"}),
    Case((_f(2, 3, 5, dtype=DType.FLOAT16),)),
]


def _unpool() -> list[Case]:
    slide = _slide((2, 3), strides=(2, 3))
    pooled = OPS["max_pool_indices"].body(_draw.shuffled(2, 3, 6, 9) + np.float32(1), **slide)
    literals = {name: slide[name] for name in ("kernel", "strides", "pads")}
    return [Case((*pooled, None), literals), Case((*pooled, (2, 3, 7, 10)), literals)]


CASES |= {
    "max_pool": _MAX,
    "max_pool_indices": _MAX_INDICES,
    "avg_pool": _AVG,
    "lp_pool": _LP,
    "global_avg_pool": _GLOBAL,
    "global_max_pool": _GLOBAL,
    "global_lp_pool": [*_GLOBAL, Case((_f(2, 3, 5, 7),), {"p": 3})],
    "max_unpool": _unpool(),
}
