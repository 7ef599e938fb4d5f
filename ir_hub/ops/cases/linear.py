"""Cases of matrix products, linear layers, embeddings."""

from __future__ import annotations

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples

_draw = Samples(21)
_f = _draw.floats
_HALVES = (DType.FLOAT16, DType.BFLOAT16)

_MATMUL = [
    Case((_f(3, 5), _f(5, 7))),
    Case((_f(2, 3, 5), _f(5, 4))),
    Case((_f(2, 1, 3, 5), _f(4, 5, 3))),
    Case((_f(5), _f(5, 3))),
    Case((_f(3, 5), _f(5))),
    Case((_f(5), _f(5))),
    Case((_f(3, 5, dtype=DType.FLOAT64), _f(5, 7, dtype=DType.FLOAT64))),
    Case((_draw.integers(3, 5, dtype=DType.INT32), _draw.integers(5, 2, dtype=DType.INT32))),
    *[Case((_f(3, 5, dtype=dtype), _f(5, 7, dtype=dtype))) for dtype in _HALVES],
]

_GEMM = [
    Case((_f(3, 5), _f(5, 7))),
    Case((_f(3, 5), _f(5, 7), _f(7))),
    Case((_f(5, 3), _f(5, 7), _f(3, 1)), {"trans_a": True, "alpha": 0.5}),
    Case((_f(3, 5), _f(7, 5), _f(3, 7)), {"trans_b": True, "beta": 0.25}),
    Case(
        (_f(5, 3), _f(7, 5), _f(1, 7)),
        {"trans_a": True, "trans_b": True, "alpha": 1.5, "beta": -2.0},
    ),
]

_LINEAR = [
    Case((_f(3, 5), _f(7, 5), _f(7))),
    Case((_f(3, 5), _f(7, 5))),
    Case((_f(2, 3, 5), _f(4, 5), _f(4))),
    Case((_f(5), _f(7, 5), _f(7))),
    Case(tuple(_f(*shape, dtype=DType.FLOAT64) for shape in ((3, 5), (7, 5), (7,)))),
    *[Case(tuple(_f(*s, dtype=t) for s in ((3, 5), (7, 5), (7,)))) for t in _HALVES],
]

_EINSUM = [
    Case(((_f(3, 5), _f(5, 4)),), {"equation": "ij,jk->ik"}),
    Case(((_f(2, 3, 5), _f(2, 4, 5)),), {"equation": "bid,bjd->bij"}),
    Case(((_f(2, 3, 5, 4), _f(2, 7, 5, 4)),), {"equation": "bqhd,bkhd->bhqk"}),
    Case(((_f(4, 4),),), {"equation": "ii->i"}),
    Case(((_f(3, 5),),), {"equation": "ij->ji"}),
    Case(((_f(2, 3, 5), _f(5, 4)),), {"equation": "...i, ij -> ...j"}),
    Case(((_f(3, 5), _f(5, 4)),), {"equation": "ab,bc"}),
    Case(((_f(3, 5), _f(5, 4), _f(4, 2)),), {"equation": "ij,jk,kl->il"}),
]

_EMBEDDING = [
    Case((_draw.integers(3, 5, low=0, high=6), _f(7, 4))),
    Case((_draw.integers(4, low=0, high=10, dtype=DType.INT32), _f(11, 3))),
    Case((_draw.integers(2, 3, low=0, high=6), _f(7, 5, dtype=DType.FLOAT16))),
]

CASES |= {
    "matmul": _MATMUL,
    "gemm": _GEMM,
    "linear": _LINEAR,
    "einsum": _EINSUM,
    "embedding": _EMBEDDING,
}
