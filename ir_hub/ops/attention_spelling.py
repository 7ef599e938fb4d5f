"""How attention with heads, and rotary embedding, are spelled with simpler ops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ir_hub.ir.dims import floordiv
from ir_hub.ir.types import DType
from ir_hub.ops.attention import multi_head_attention, rotary_embedding
from ir_hub.ops.op import Array
from ir_hub.ops.trace import Term, Tracer

_HALVES = (DType.FLOAT16, DType.BFLOAT16)
_END = 1 << 62  # of a cut that goes to the end


@multi_head_attention.spelled
def _(
    b: Tracer,
    q: Term,
    k: Term,
    v: Term,
    attn_mask: Term | None,
    past_key: Term | None,
    past_value: Term | None,
    nonpad_kv_seqlen: Term | None,
    **literals: Any,
) -> tuple[Term, ...] | None:
    folded, types = len(q.shape or ()) == 3, (q.dtype, k.dtype, v.dtype, q.dtype)
    q, k, v = (_wide(b, each) for each in (q, k, v))
    q = _split(b, q, literals["q_num_heads"])
    k, v = (_split(b, each, literals["kv_num_heads"]) for each in (k, v))
    past: Any = 0
    if past_key is not None and past_value is not None:
        past = _size(past_key, 2)
        k = b.concat((_wide(b, past_key), k), axis=2)
        v = b.concat((_wide(b, past_value), v), axis=2)
    bias = _Bias(b, q, k, past, literals)
    if not bias.is_known(attn_mask, nonpad_kv_seqlen):
        return None
    keys, values = (_repeated(b, each, q) for each in (k, v))
    scale = literals["scale"]
    root = math.sqrt(1.0 / math.sqrt(_size(q, 3)) if scale is None else scale)
    scores = b.matmul(q * root, b.transpose(keys * root, perm=(0, 1, 3, 2)))
    cap = literals["softcap"]
    capped = b.tanh(scores / cap) * cap if cap > 0 else scores
    added = bias.term(attn_mask, nonpad_kv_seqlen)
    biased = capped if added is None else capped + added
    weights = _weights(b, biased, added, literals["softmax_precision"])
    y = b.matmul(weights, values)
    if folded:
        length, heads, size = _size(q, 2), _size(q, 1), _size(v, 3)
        y = b.reshape(b.transpose(y, perm=(0, 2, 1, 3)), (_size(q, 0), length, heads * size))
    shown = (scores, capped, biased, weights)[literals["qk_matmul_output_mode"]]
    results = zip((y, k, v, shown), types, strict=True)
    return tuple(each if each.dtype is t else b.cast(each, to=t) for each, t in results)


def _size(x: Term, axis: int) -> Any:
    assert x.shape is not None
    return x.shape[axis]


def _wide(b: Tracer, x: Term) -> Term:
    return b.cast(x, to=DType.FLOAT32) if x.dtype in _HALVES else x


def _split(b: Tracer, x: Term, heads: int | None) -> Term:
    """(batch, length, heads * size) as (batch, heads, length, size)."""
    if heads is None or len(x.shape or ()) == 4:
        return x
    batch, length, width = (_size(x, axis) for axis in range(3))
    parts = b.reshape(x, (batch, length, heads, floordiv(width, heads)))
    return b.transpose(parts, perm=(0, 2, 1, 3))


def _repeated(b: Tracer, x: Term, q: Term) -> Term:
    """Each head as often as there are queries' heads for it."""
    batch, heads, length, size = (_size(x, axis) for axis in range(4))
    count = _size(q, 1) // heads
    if count == 1:
        return x
    tiled = b.tile(b.unsqueeze(x, (2,)), (1, 1, count, 1, 1))
    return b.reshape(tiled, (batch, heads * count, length, size))


def _weights(b: Tracer, biased: Term, added: Term | None, precision: DType | None) -> Term:
    """The softmax; zeros for a query that may see no key."""
    own = biased.dtype
    if precision is DType.FLOAT64 and own is not precision:
        weights = b.cast(b.softmax(b.cast(biased, to=precision), axis=-1), to=own)
    else:
        weights = b.softmax(biased, axis=-1)
    if added is None:
        return weights
    if added.value.is_constant:
        blind = b.constant(np.isneginf(added.value.array().max(axis=-1, keepdims=True)))
        if not blind.array().any():
            return weights
    else:
        blind = b.is_inf(b.reduce_max(added, (-1,), keepdims=True), positive=False)
    return b.where(blind, b.constant(0.0, own), weights)


class _Bias:
    """What is added to the scores: masks, and -inf outside of what a query may see."""

    def __init__(self, b: Tracer, q: Term, k: Term, past: Any, literals: dict[str, Any]) -> None:
        self.b, self.dtype, self.past = b, q.dtype, past
        self.queries, self.keys = _size(q, 2), _size(k, 2)
        self.left = literals["left_window_size"]
        self.right = 0 if literals["is_causal"] else literals["right_window_size"]

    def is_known(self, mask: Term | None, valid: Term | None) -> bool:
        """Whether the sizes that it depends on are numbers."""
        reaches = valid is not None or self.left >= 0 or self.right >= 0
        if not reaches and (mask is None or _size(mask, -1) == self.keys):
            return True
        return all(isinstance(size, int) for size in (self.queries, self.keys, self.past))

    def term(self, mask: Term | None, valid: Term | None) -> Term | None:
        """None where nothing is added."""
        added = None if mask is None else self._lengthened(self._as_bias(mask))
        allowed: Any = None
        if valid is not None:
            allowed = self._among(valid)
        elif self.left >= 0 or self.right >= 0:
            allowed = self._seen(self.past)
        if allowed is None:
            return added
        reach = self._as_bias(allowed)
        return reach if added is None else added + reach

    def _as_bias(self, mask: Any) -> Term:
        if isinstance(mask, np.ndarray):
            return self.b.term(self.b.constant(np.where(mask, 0.0, -np.inf), self.dtype))
        if mask.dtype is not DType.BOOL:
            return _wide(self.b, mask)
        zero, lowest = (self.b.constant(v, self.dtype) for v in (0.0, -np.inf))
        return self.b.where(mask, zero, lowest)

    def _lengthened(self, mask: Term) -> Term:
        rank, length = len(mask.shape or ()), _size(mask, -1)
        if length == self.keys or (isinstance(length, int) and length >= self.keys):
            return mask
        pads = (*(0,) * rank, *(0,) * (rank - 1), self.keys - length)
        return self.b.pad(mask, pads, self.b.constant(-np.inf, self.dtype))

    def _ahead(self) -> Array:
        """By how much a key is ahead of a query, both counted from 0."""
        return np.arange(self.keys) - np.arange(self.queries)[:, None]

    def _seen(self, offset: int) -> Array:
        ahead = self._ahead() - offset
        behind = (-ahead <= self.left) if self.left >= 0 else np.ones_like(ahead, bool)
        return behind & (ahead <= self.right) if self.right >= 0 else behind

    def _among(self, valid: Term) -> Term:
        """Which keys are valid and within reach, where each batch has its own number of them."""
        b = self.b
        counts = b.reshape(valid, (-1, 1, 1, 1))
        places = b.constant(np.arange(self.keys).reshape(1, 1, 1, -1), valid.dtype)
        allowed = b.less(places, counts)
        # Queries end where the valid keys do.
        ahead = b.constant((self._ahead() + self.queries)[None, None], valid.dtype)
        if self.left >= 0:
            allowed = b.logical_and(allowed, b.less_equal(counts, b.add(ahead, self.left)))
        if self.right >= 0:
            allowed = b.logical_and(allowed, b.less_equal(b.sub(ahead, counts), self.right))
        return allowed


@rotary_embedding.spelled
def _(
    b: Tracer,
    x: Term,
    cos_cache: Term,
    sin_cache: Term,
    position_ids: Term | None,
    *,
    interleaved: bool,
    rotary_embedding_dim: int,
    num_heads: int,
) -> Term | None:
    whole, heads = x, 1
    if len(x.shape or ()) == 3:
        batch, length, width = (_size(x, axis) for axis in range(3))
        whole, heads = b.reshape(x, (batch, length, num_heads, floordiv(width, num_heads))), 2
    size = _size(whole, 3)
    turning = rotary_embedding_dim or size
    if not isinstance(turning, int):
        return None
    if position_ids is not None:
        cos_cache, sin_cache = (b.gather(c, position_ids, axis=0) for c in (cos_cache, sin_cache))
    cos, sin = (b.unsqueeze(cache, (heads,)) for cache in (cos_cache, sin_cache))
    turned = whole if turning == size else b.slice(whole, (0,), (turning,), (3,))
    if interleaved:
        first, second = (b.slice(turned, (i,), (_END,), (3,), (2,)) for i in (0, 1))
    else:
        half = turning // 2
        first, second = (b.slice(turned, (i,), (i + half,), (3,)) for i in (0, half))
    pair = cos * first - sin * second, sin * first + cos * second
    if interleaved:
        stacked = b.concat(tuple(b.unsqueeze(each, (4,)) for each in pair), axis=4)
        result = b.reshape(stacked, turned.shape)
    else:
        result = b.concat(pair, axis=3)
    if turning != size:
        result = b.concat((result, b.slice(whole, (turning,), (_END,), (3,))), axis=3)
    return result if whole is x else b.reshape(result, x.shape)
