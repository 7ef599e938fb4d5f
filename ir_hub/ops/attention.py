"""Scaled dot-product attention, with and without heads and caches; rotary position embedding."""

from __future__ import annotations

import math

import numpy as np

from ir_hub.ir.dims import Dim, floordiv
from ir_hub.ir.types import DType, Shape
from ir_hub.ops.families import Ranked
from ir_hub.ops.op import Array, op
from ir_hub.ops.precision import keeps_float_type, widened
from ir_hub.ops.shape_rules import broadcast, same_rule


def _attention_shape(
    q: Ranked, k: Ranked, v: Ranked, mask: Ranked | None = None, **_: object
) -> Shape:
    masked = mask.shape[:-2] if mask is not None and mask.shape else ()
    keys, values = (_leading(q.shape, shape) for shape in (k.shape, v.shape))
    leading = broadcast(q.shape[:-2], keys, values, masked)
    return *leading, q.shape[-2], v.shape[-1]


def _leading(queries: Shape, keys: Shape) -> Shape:
    """The axes before the last two of the keys, with the queries' heads where they share them."""
    many = len(queries) > 2 and len(keys) > 2 and isinstance(keys[-3], int) and keys[-3] > 1
    if many and (not isinstance(queries[-3], int) or group_of(queries, keys) > 1):
        return *keys[:-3], queries[-3]
    return keys[:-2]


def group_of(queries: Shape, keys: Shape) -> int:
    """How many heads of the queries share each head of the keys, where the keys have more than one
    and fewer; else 1."""
    heads = [shape[-3] if len(shape) > 2 else 1 for shape in (queries, keys)]
    own, shared = (size if isinstance(size, int) else 1 for size in heads)
    return own // shared if shared > 1 and own % shared == 0 else 1


@op(shape=_attention_shape)
@keeps_float_type
def attention(
    q: Array,
    k: Array,
    v: Array,
    mask: Array | None = None,
    *,
    scale: float | None = None,
    causal: bool = False,
) -> Array:
    """softmax(q @ k^T * scale + mask) @ v over the last two axes; the others broadcast. Where k and
    v have fewer items than q in the axis before, each serves as many of q's in a row.

    `scale` None is 1 / sqrt of q's last size. Where a boolean mask is False, and with `causal`
    where a key comes after its query, there is no attention; a query that has none left gives 0.
    """
    each = group_of(q.shape, k.shape)
    if each > 1:
        k, v = (np.repeat(tensor, each, axis=-3) for tensor in (k, v))
    scores = np.matmul(q, k.swapaxes(-1, -2))
    scores = scores * (1.0 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:]) > 0, scores, -np.inf)
    if mask is not None:
        scores = scores + as_bias(mask, q)
    return np.matmul(attention_weights(scores).astype(q.dtype, copy=False), v)


def as_bias(mask: Array, like: Array) -> Array:
    """A mask as what is added to the scores: a boolean one is 0 where True, else -inf."""
    if mask.dtype == np.bool_:
        return np.where(mask, like.dtype.type(0), like.dtype.type(-np.inf))
    return mask


def attention_weights(scores: Array) -> Array:
    """The softmax over the last axis, with zeros for a row of -inf alone."""
    highest = scores.max(axis=-1, keepdims=True)
    powers = np.exp(scores - np.where(np.isneginf(highest), scores.dtype.type(0), highest))
    total = powers.sum(axis=-1, keepdims=True)
    return np.asarray(powers / np.where(total == 0, scores.dtype.type(1), total))


def _heads_shapes(
    q: Ranked,
    k: Ranked,
    v: Ranked,
    attn_mask: Ranked | None = None,
    past_key: Ranked | None = None,
    past_value: Ranked | None = None,
    nonpad_kv_seqlen: Ranked | None = None,
    *,
    q_num_heads: int | None = None,
    kv_num_heads: int | None = None,
    **_: object,
) -> list[Shape]:
    queries = _split_shape(q.shape, q_num_heads)
    keys = _split_shape(k.shape, kv_num_heads)
    values = _split_shape(v.shape, kv_num_heads)
    past: Dim = past_key.shape[2] if past_key is not None and past_key.shape else 0
    batch, heads, length, _size = queries
    y: Shape = (batch, heads, length, values[-1])
    if len(q.shape) == 3:
        y = (batch, length, heads * values[-1])
    present_key = (*keys[:2], keys[2] + past, keys[3])
    present_value = (*values[:2], values[2] + past, values[3])
    return [y, present_key, present_value, (batch, heads, length, keys[2] + past)]


def _split_shape(shape: Shape, heads: int | None) -> Shape:
    if len(shape) == 4:
        return shape
    count = _head_count(len(shape), heads)
    return shape[0], count, shape[1], floordiv(shape[2], count)


def _head_count(rank: int, heads: int | None) -> int:
    if rank != 3 or heads is None:
        raise ValueError("attention with heads needs rank 4, or rank 3 and the number of heads")
    return heads


@op(
    results=("y", "present_key", "present_value", "qk_matmul_output"),
    dtypes=("q", "k", "v", "q"),
    shape=_heads_shapes,
)
def multi_head_attention(
    q: Array,
    k: Array,
    v: Array,
    attn_mask: Array | None = None,
    past_key: Array | None = None,
    past_value: Array | None = None,
    nonpad_kv_seqlen: Array | None = None,
    *,
    is_causal: bool = False,
    q_num_heads: int | None = None,
    kv_num_heads: int | None = None,
    qk_matmul_output_mode: int = 0,
    scale: float | None = None,
    softcap: float = 0.0,
    softmax_precision: DType | None = None,
    left_window_size: int = -1,
    right_window_size: int = -1,
) -> tuple[Array, Array, Array, Array]:
    """ONNX Attention: grouped heads, (batch, heads, length, size) or with the heads in the last
    axis, a cache of past keys and values, windows, and scores as a further result."""
    folded, types = q.ndim == 3, (q.dtype, k.dtype, v.dtype, q.dtype)
    q, k, v, attn_mask, past_key, past_value = widened((q, k, v, attn_mask, past_key, past_value))
    q, k, v = _split(q, q_num_heads), _split(k, kv_num_heads), _split(v, kv_num_heads)
    if past_key is not None and past_value is not None:
        k, v = np.concatenate([past_key, k], axis=2), np.concatenate([past_value, v], axis=2)
    repeats = q.shape[1] // k.shape[1]
    keys, values = np.repeat(k, repeats, axis=1), np.repeat(v, repeats, axis=1)
    root = q.dtype.type(math.sqrt(1.0 / math.sqrt(q.shape[-1]) if scale is None else scale))
    scores = np.matmul(q * root, (keys * root).swapaxes(-1, -2))
    capped = np.tanh(scores / softcap) * softcap if softcap > 0 else scores
    past = 0 if past_key is None else past_key.shape[2]
    bias = np.zeros((q.shape[2], keys.shape[2]), q.dtype)
    if attn_mask is not None:
        bias = bias + _lengthened(as_bias(attn_mask, q), keys.shape[2])
    right = 0 if is_causal else right_window_size
    bias = bias + _reach(bias, past, nonpad_kv_seqlen, left_window_size, right)
    biased = capped + bias
    wanted = softmax_precision.numpy if softmax_precision is not None else q.dtype
    weights = attention_weights(biased.astype(np.promote_types(wanted, np.float32)))
    masked = np.isneginf(bias.max(axis=-1, keepdims=True))
    weights = np.where(masked, 0, weights).astype(q.dtype)
    y = np.matmul(weights, values)
    if folded:
        y = y.swapaxes(1, 2).reshape(y.shape[0], y.shape[2], -1)
    results = y, k, v, (scores, capped, biased, weights)[qk_matmul_output_mode]
    y, k, v, shown = (each.astype(t) for each, t in zip(results, types, strict=True))
    return y, k, v, shown


def _split(x: Array, heads: int | None) -> Array:
    """(batch, length, heads * size) as (batch, heads, length, size)."""
    if x.ndim == 4:
        return x
    return x.reshape(*x.shape[:2], _head_count(x.ndim, heads), -1).swapaxes(1, 2)


def _lengthened(bias: Array, length: int) -> Array:
    missing = length - bias.shape[-1]
    if missing <= 0:
        return bias
    return np.pad(bias, [(0, 0)] * (bias.ndim - 1) + [(0, missing)], constant_values=-np.inf)


def _reach(bias: Array, past: int, valid: Array | None, left: int, right: int) -> Array:
    """-inf for keys that aren't valid, or outside the window around their query's position."""
    queries, keys = np.arange(bias.shape[-2])[:, None], np.arange(bias.shape[-1])
    offset: int | Array = past
    allowed = np.ones((1, 1), dtype=bool)
    if valid is not None:
        counts = valid.reshape(-1, 1, 1, 1)
        offset = counts - bias.shape[-2]
        allowed = keys < counts
    ahead = keys - (queries + offset)
    if left >= 0:
        allowed = allowed & (-ahead <= left)
    if right >= 0:
        allowed = allowed & (ahead <= right)
    return np.where(allowed, bias.dtype.type(0), bias.dtype.type(-np.inf))


@op(shape=same_rule)
@keeps_float_type
def rotary_embedding(
    x: Array,
    cos_cache: Array,
    sin_cache: Array,
    position_ids: Array | None = None,
    *,
    interleaved: bool = False,
    rotary_embedding_dim: int = 0,
    num_heads: int = 0,
) -> Array:
    """ONNX RotaryEmbedding: rotates pairs of the last axis by angles that depend on the position.

    x is (batch, heads, length, size) or (batch, length, heads * size). The caches are
    (positions, size / 2) with position_ids (batch, length), (batch, length, size / 2) without.
    Only the first `rotary_embedding_dim` of the size turn, all when it is 0.
    """
    heads_last = x.swapaxes(1, 2) if x.ndim == 4 else x.reshape(*x.shape[:2], num_heads, -1)
    turning = rotary_embedding_dim or heads_last.shape[-1]
    if position_ids is not None:
        cos_cache, sin_cache = cos_cache[position_ids], sin_cache[position_ids]
    cos, sin = cos_cache[:, :, None, :], sin_cache[:, :, None, :]
    turned = heads_last[..., :turning]
    if interleaved:
        a, b = turned[..., 0::2], turned[..., 1::2]
    else:
        a, b = turned[..., : turning // 2], turned[..., turning // 2 :]
    pair = cos * a - sin * b, sin * a + cos * b
    if interleaved:
        turned = np.stack(pair, axis=-1).reshape(turned.shape)
    else:
        turned = np.concatenate(pair, axis=-1)
    y = np.concatenate([turned, heads_last[..., turning:]], axis=-1)
    return y.swapaxes(1, 2) if x.ndim == 4 else y.reshape(x.shape)
