"""Cases of attention and of rotary position embedding."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples
from ir_hub.ops.op import Array

_draw = Samples(22)
_f = _draw.floats


def _mask(*shape: int) -> Array:
    """A boolean mask that leaves every query its first key."""
    mask = _draw.booleans(*shape)
    mask[..., 0] = True
    return mask


def _qkv(dtype: DType = DType.FLOAT32) -> tuple[Array, ...]:
    return tuple(_f(2, 3, *rest, dtype=dtype) for rest in ((5, 4), (7, 4), (7, 6)))


_ATTENTION = [
    Case(_qkv()),
    Case(_qkv(DType.FLOAT64)),
    Case(_qkv(DType.FLOAT16)),
    Case((_f(5, 4), _f(7, 4), _f(7, 3))),
    Case((*_qkv(), _f(5, 7)), {"scale": 0.3}),
    Case((*_qkv(), _mask(2, 1, 5, 7))),
    Case(_qkv(), {"causal": True}),
    Case((_f(2, 5, 4), _f(2, 5, 4), _f(2, 5, 4)), {"causal": True, "scale": 1.0}),
    Case((*_qkv(), _mask(2, 1, 1, 7))),
    Case((*_qkv(), _f(1, 1, 5, 1))),
    Case((_f(2, 3, 5, 4), _f(2, 1, 7, 4), _f(2, 1, 7, 6))),
    Case((_f(2, 6, 5, 4), _f(2, 3, 7, 4), _f(2, 3, 7, 6), _mask(2, 1, 5, 7))),
    Case((_f(2, 4, 5, 4), _f(2, 2, 5, 4), _f(2, 2, 5, 4)), {"causal": True}),
    Case((_f(2, 3, 2, 5, 4), _f(2, 3, 2, 7, 4), _f(2, 3, 2, 7, 6)), {"scale": 0.4}),
    Case((*(_f(2, 3, 2, 5, 4) for _ in range(3)), _f(3, 1, 5, 5))),
]

_LENGTHS = np.array([3, 7], np.int64)
_HEADS = [
    Case(_qkv()),
    Case((*_qkv(), _f(5, 7)), {"scale": 0.3, "softcap": 2.0}),
    Case((*_qkv(), _mask(2, 3, 5, 7)), {"is_causal": True}),
    Case((_f(2, 6, 5, 4), _f(2, 3, 7, 4), _f(2, 3, 7, 4)), {"qk_matmul_output_mode": 3}),
    Case(
        (_f(2, 5, 12), _f(2, 7, 6), _f(2, 7, 8)),
        {"q_num_heads": 4, "kv_num_heads": 2, "qk_matmul_output_mode": 1, "softcap": 3.0},
    ),
    Case(
        (*_qkv(), _f(1, 1, 5, 9), _f(2, 3, 2, 4), _f(2, 3, 2, 6)),
        {"is_causal": True},
    ),
    Case((*_qkv(), _f(5, 7)), {"qk_matmul_output_mode": 2}),
    Case((*_qkv(), None, None, None, _LENGTHS)),
    Case(_qkv(), {"left_window_size": 2, "right_window_size": 1}),
    Case(_qkv(DType.FLOAT16), {"softmax_precision": DType.FLOAT32}),
]

_POSITIONS = _draw.integers(2, 3, low=0, high=9)
_ROTARY = [
    Case((_f(2, 4, 3, 8), _f(10, 4), _f(10, 4), _POSITIONS)),
    Case((_f(2, 4, 3, 8), _f(10, 4), _f(10, 4), _POSITIONS), {"interleaved": True}),
    Case((_f(2, 4, 3, 8), _f(2, 3, 4), _f(2, 3, 4))),
    Case((_f(2, 3, 24), _f(10, 4), _f(10, 4), _POSITIONS), {"num_heads": 3}),
    Case((_f(2, 4, 3, 8), _f(10, 2), _f(10, 2), _POSITIONS), {"rotary_embedding_dim": 4}),
]

CASES |= {
    "attention": _ATTENTION,
    "multi_head_attention": _HEADS,
    "rotary_embedding": _ROTARY,
}
