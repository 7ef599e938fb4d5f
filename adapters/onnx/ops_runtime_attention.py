"""ONNX Runtime's own attention and embedding, as its transformer optimiser writes them."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import only, rank_of, table
from ir_hub.ir.dims import provably_equal
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

_MASKED = -10000.0  # what is added to the scores of masked keys, where the node doesn't say


@table.read("com.microsoft::Attention")
def attention(call: Call, b: Builder) -> Any:
    """Self-attention from the input on: its projections are one matrix."""
    only(call, "num_heads", "unidirectional", "mask_filter_value", "scale", "qkv_hidden_sizes")
    x, weight, bias, mask, past, added = (call.input(index) for index in range(6))
    if past is not None or call.wants(1) or call.input(6) is not None:
        raise Unsupported("Attention that keeps its keys and values for later")
    projected = b.matmul(x, weight)
    if bias is not None:
        projected = b.add(projected, bias)
    sizes = call.attrs.get("qkv_hidden_sizes") or (_third(weight),) * 3
    q, k, v = b.split(projected, sizes, axis=-1, count=3)
    return _attended(call, b, q, k, v, _mask(call, b, mask, x), added)[0]


@table.read("com.microsoft::MultiHeadAttention")
def multi_head_attention(call: Call, b: Builder) -> Any:
    """Attention behind its projections, whose biases it may add."""
    only(call, "num_heads", "unidirectional", "mask_filter_value", "scale")
    q, k, v, bias, mask, added = (call.input(index) for index in range(6))
    if any(call.inputs[6:]) or call.wants(3):
        raise Unsupported("MultiHeadAttention that keeps its keys and values for later")
    operands = [q, k, v]
    if any(value is None or rank_of(value, "an operand") != 3 for value in operands):
        raise Unsupported("MultiHeadAttention of queries, keys and values packed into one")
    if bias is not None:
        sizes = [_last_size(value) for value in operands]
        parts = b.split(bias, sizes, axis=0, count=3)
        operands = [b.add(value, part) for value, part in zip(operands, parts, strict=True)]
    return _attended(call, b, *operands, _mask(call, b, mask, k), added)


def _attended(
    call: Call, b: Builder, q: Value, k: Value, v: Value, mask: Value | None, added: Value | None
) -> tuple[Value, Value, Value]:
    """The result, and the keys and values by head."""
    heads = call.attrs["num_heads"]
    q, k, v = (_by_head(b, each, heads) for each in (q, k, v))
    if mask is not None and added is not None:
        mask = b.add(mask, added)
    causal = bool(call.attrs.get("unidirectional", 0))
    scale = call.attrs.get("scale", 0.0) or None  # 0 stands for its default
    y = b.attention(q, k, v, added if mask is None else mask, scale=scale, causal=causal)
    return b.reshape(b.transpose(y, perm=(0, 2, 1, 3)), (0, 0, heads * _last_size(v))), k, v


def _by_head(b: Builder, value: Value, heads: int) -> Value:
    size = _last_size(value)
    if size % heads:
        raise Unsupported(f"attention of {heads} heads over {size} channels")
    apart = b.reshape(value, (0, 0, heads, size // heads))
    return b.transpose(apart, perm=(0, 2, 1, 3))  # type: ignore[no-any-return]


def _mask(call: Call, b: Builder, mask: Value | None, keys: Value | None) -> Value | None:
    """What is added to the scores: 0 where the mask is 1, much below 0 where it is 0. A mask of
    one axis says of each sequence how long it is."""
    if mask is None:
        return None
    assert keys is not None
    rank = rank_of(mask, f"the mask of {call.type}")
    if rank == 1:
        if not (keys.shape and mask.shape and provably_equal(mask.shape[0], keys.shape[0])):
            raise Unsupported(f"{call.type} with a mask of other sizes than the batch has")
        places = b.cast(b.positions((keys.shape[1],)), to=mask.dtype)
        mask = b.less(places, b.unsqueeze(mask, (1,)))
    elif rank not in (2, 3):
        raise Unsupported(f"{call.type} with a mask of {rank} axes")
    filtered = call.attrs.get("mask_filter_value", _MASKED)
    absent = b.sub(b.constant(1, keys.dtype), b.cast(mask, to=keys.dtype))
    bias = b.mul(absent, b.constant(filtered, keys.dtype))
    return b.unsqueeze(bias, (1,) if rank == 3 else (1, 2))  # type: ignore[no-any-return]


def _last_size(value: Value | None) -> int:
    size = value.shape[-1] if value is not None and value.shape else None
    if not isinstance(size, int):
        raise Unsupported("attention over a number of channels that only the run knows")
    return size


def _third(weight: Value | None) -> int:
    size = _last_size(weight)
    if size % 3:
        raise Unsupported(f"attention whose weight has {size} columns for three matrices")
    return size // 3


@table.read("com.microsoft::EmbedLayerNormalization")
def embed_layer_norm(call: Call, b: Builder) -> Any:
    """BERT's embeddings, and how long each sequence is by its mask."""
    only(call, "epsilon", "mask_index_type")
    words, segments, word_table, position_table, segment_table = map(call.input, range(5))
    weight, bias, mask, positions = map(call.input, range(5, 9))
    if rank_of(words, "the words of EmbedLayerNormalization") != 2:
        raise Unsupported("EmbedLayerNormalization of words without a batch")
    if positions is None:
        placed = b.slice(position_table, (0,), words.shape[1:], (0,))  # type: ignore[union-attr]
    else:
        placed = b.embedding(positions, position_table)
    total = b.add(b.embedding(words, word_table), placed)
    if segments is not None:
        total = b.add(total, b.embedding(segments, segment_table))
    y = b.layer_norm(total, weight, bias, eps=call.attrs.get("epsilon", 1e-12))
    if mask is None:
        batch = words.shape[:1]  # type: ignore[union-attr]
        return y, b.constant_of_shape(batch, value=0, dtype=DType.INT32), total
    return y, b.reduce_sum(mask, axes=(1,), keepdims=False), total
