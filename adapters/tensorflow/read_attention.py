"""Reads attention: with heads, with fewer heads of keys, and without any."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.tensorflow.reading import LayerCall, permuted, rank, reads, reshaped, size_of
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.sdk.dialect import Unsupported

_NONE = np.float32(0)
_FAR = np.float32(-0.7) * np.finfo(np.float32).max  # what Keras puts in place of a hidden score
_FAR_ADDED = np.float32(-1e9)  # what layers without heads add to one


@reads("MultiHeadAttention")
def _(layer: LayerCall) -> Any:
    query, value, key = _operands(layer)
    heads, width = layer.get("num_heads"), layer.get("key_dim")
    value_width = layer.get("value_dim") or width
    for name in ("dropout", "query_shape", "key_shape", "value_shape", "output_shape"):
        layer.get(name)
    if layer.get("attention_axes") not in (None, (1,), 1) or rank(query) != 3:
        raise Unsupported("it attends along other axes than the second one")
    q = _projected(layer, query, "query_dense", heads, width)
    k = _projected(layer, key, "key_dense", heads, width)
    v = _projected(layer, value, "value_dense", heads, value_width)
    y, weights = _attended(layer, q, k, v, float(width) ** -0.5)
    y = _joined(layer, y, "output_dense", heads * value_width)
    return y if weights is None else (y, weights)


@reads("GroupQueryAttention")
def _(layer: LayerCall) -> Any:
    query, value, key = _operands(layer)
    heads, width = layer.get("num_query_heads"), layer.get("head_dim")
    groups = layer.get("num_key_value_heads")
    layer.get("dropout")
    b, repeats = layer.b, heads // groups
    q = _projected(layer, query, "_query_dense", heads, width)
    k, v = (
        b.reshape(
            b.tile(b.unsqueeze(_projected(layer, x, part, groups, width), (2,)),
                   (1, 1, repeats, 1, 1)),
            (0, heads, -1, width),
        )
        for x, part in ((key, "_key_dense"), (value, "_value_dense"))
    )  # fmt: skip
    y, weights = _attended(layer, q, k, v, float(width) ** -0.5)
    y = _joined(layer, y, "_output_dense", heads * width)
    return y if weights is None else (y, weights)


def _operands(layer: LayerCall) -> tuple[Value, Value, Value]:
    """Query, value and key; without a key it is the value."""
    given = [layer.value(argument) for argument in layer.args]
    names = ("query", "value", "key")
    found = dict(zip(names, given, strict=False))
    for name in names:
        argument = layer.argument(name)
        if argument is not None:
            found[name] = argument
    if "query" not in found or "value" not in found:
        raise Unsupported("it is called without a query and a value")
    key = found.get("key")
    return found["query"], found["value"], found["value"] if key is None else key


def _projected(layer: LayerCall, x: Value, part: str, heads: int, width: int) -> Value:
    """One of the three projections, by head: (batch, heads, length, width)."""
    b = layer.b
    kernel = layer.weight(f"{part}.0", (None, heads, width))
    inputs = int(kernel.shape[0])  # type: ignore[index, arg-type]
    weight = permuted(reshaped(kernel, (inputs, heads * width)), (1, 0))
    bias = None
    if layer.get("use_bias", True):
        bias = reshaped(layer.weight(f"{part}.1", (heads, width)), (heads * width,))
    y = b.reshape(b.linear(x, weight, bias), (0, 0, heads, width))
    return b.transpose(y, perm=(0, 2, 1, 3))  # type: ignore[no-any-return]


def _joined(layer: LayerCall, y: Value, part: str, width: int) -> Value:
    """The last projection, of all heads side by side."""
    b = layer.b
    y = b.reshape(b.transpose(y, perm=(0, 2, 1, 3)), (0, 0, width))
    kernel = layer.weight(f"{part}.0", (None, None, None))
    out = int(kernel.shape[-1])  # type: ignore[index, arg-type]
    weight = permuted(reshaped(kernel, (width, out)), (1, 0))
    bias = layer.weight(f"{part}.1", (out,)) if layer.get("use_bias", True) else None
    return b.linear(y, weight, bias)  # type: ignore[no-any-return]


def _attended(
    layer: LayerCall, q: Value, k: Value, v: Value, scale: float
) -> tuple[Value, Value | None]:
    """What the heads attend to, and the weights of it where they are asked for."""
    b = layer.b
    mask, causal = _mask(layer), bool(layer.argument("use_causal_mask"))
    if mask is not None and causal:
        mask, causal = b.logical_and(mask, _causal(layer, q, k)), False
    asked = bool(layer.argument("return_attention_scores"))
    if mask is not None and not (layer.config.get("dropout") or asked):
        # This way of computing it goes on with even weights where all is hidden, the other with 0.
        mask = b.where(mask, _NONE, _FAR)
    if not asked:
        return b.attention(q, k, v, mask, scale=scale, causal=causal), None
    if causal:
        mask = _causal(layer, q, k)
    scores = b.mul(b.matmul(q, b.transpose(k, perm=(0, 1, 3, 2))), scale)
    if mask is None:
        weights = b.softmax(scores, axis=-1)
    else:
        weights = b.softmax(b.where(mask, scores, _FAR_ADDED), axis=-1)
        weights = b.where(mask, weights, _NONE)
    return b.matmul(weights, v), weights


def _mask(layer: LayerCall) -> Value | None:
    """Which keys each query sees, of all that says so; None for all of them."""
    b = layer.b
    places = {"query_mask": (1, 3), "key_mask": (1, 2), "value_mask": (1, 2)}
    given = {name: layer.argument(name) for name in (*places, "attention_mask")}
    found = [
        b.unsqueeze(_truth(layer, given[name]), axes)
        for name, axes in places.items()
        if given[name] is not None
    ]
    whole = given["attention_mask"]
    if whole is not None:
        whole = _truth(layer, whole)
        found.append(whole if rank(whole) == 4 else b.unsqueeze(whole, (1,)))
    mask = None
    for each in found:
        mask = each if mask is None else b.logical_and(mask, each)
    return mask


def _truth(layer: LayerCall, mask: Value) -> Value:
    return mask if mask.dtype is DType.BOOL else layer.b.cast(mask, to=DType.BOOL)  # type: ignore[no-any-return]


def _causal(layer: LayerCall, q: Value, k: Value) -> Value:
    """That no query sees a key that comes after it; the lengths have to be known."""
    return layer.b.constant(np.tri(size_of(q, -2), size_of(k, -2)) > 0)


@reads("Attention", "AdditiveAttention")
def _(layer: LayerCall) -> Any:
    b = layer.b
    query, value, *rest = layer.xs
    key = rest[0] if rest else value
    layer.get("dropout")
    scores = _scores(layer, query, key)
    masks = layer.argument("mask")
    query_mask, value_mask = (masks if isinstance(masks, tuple) else (None, None))[:2]
    seen = None if value_mask is None else b.unsqueeze(value_mask, (1,))
    if layer.argument("use_causal_mask"):
        causal = _causal(layer, query, key)
        seen = causal if seen is None else b.logical_and(seen, causal)
    if seen is not None:
        scores = b.add(scores, b.where(seen, _NONE, _FAR_ADDED))
    weights = b.softmax(scores, axis=-1)
    y = b.matmul(weights, value)
    if query_mask is not None:
        y = b.where(b.unsqueeze(query_mask, (2,)), y, _NONE)
    return (y, weights) if layer.argument("return_attention_scores") else y


def _scores(layer: LayerCall, query: Value, key: Value) -> Value:
    """How well each query and key fit, (batch, queries, keys)."""
    b, scaled = layer.b, bool(layer.get("use_scale", layer.type == "AdditiveAttention"))
    if layer.type == "Attention" and layer.get("score_mode", "dot") == "dot":
        scores = b.matmul(query, b.transpose(key, perm=(0, 2, 1)))
        return b.mul(scores, layer.weight("0", (), "scale")) if scaled else scores  # type: ignore[no-any-return]
    sums = b.add(b.unsqueeze(query, (2,)), b.unsqueeze(key, (1,)))
    if layer.type == "AdditiveAttention":
        found = b.tanh(sums)
        if scaled:
            found = b.mul(found, layer.weight("0", (size_of(query, -1),), "scale"))
        return b.reduce_sum(found, (-1,), keepdims=False)  # type: ignore[no-any-return]
    if scaled:
        sums = b.mul(sums, layer.weight("0", (), "scale"))
    total = b.reduce_sum(b.tanh(sums), (-1,), keepdims=False)
    place = "1" if scaled else "0"
    return b.mul(total, layer.weight(place, (), "concat_score_weight"))  # type: ignore[no-any-return]
