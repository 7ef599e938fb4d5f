"""Reads PyTorch's matrix products, linear layers, embeddings and attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import Operand, aten, operand
from adapters.pytorch.promotion import promoted
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.attention import group_of
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import axis_of, dtype_of, only, rank_of, shape_of


@aten("linear.default")
def linear(b: Builder, x: Value, weight: Value, bias: Value | None = None) -> Any:
    if rank_of(weight) == 1:
        found = b.matmul(x, weight)
        return found if bias is None else b.add(found, bias)
    return b.linear(x, weight, bias)


@aten("matmul.default", "mm.default", "bmm.default", "mv.default", "dot.default")
def matmul(
    b: Builder,
    x: Value,
    other: Value | None = None,
    mat2: Value | None = None,
    vec: Value | None = None,
    tensor: Value | None = None,
) -> Any:
    """The second operand is called otherwise in each."""
    right = next(value for value in (other, mat2, vec, tensor) if value is not None)
    return b.matmul(x, right)


@aten("addmm.default")
def addmm(
    b: Builder, x: Value, mat1: Value, mat2: Value, beta: Operand = 1, alpha: Operand = 1
) -> Any:
    only(not isinstance(alpha, Value) and not isinstance(beta, Value), "addmm with sizes")
    return b.gemm(mat1, mat2, x, alpha=float(alpha), beta=float(beta))  # type: ignore[arg-type]


@aten("baddbmm.default")
def baddbmm(
    b: Builder, x: Value, batch1: Value, batch2: Value, beta: Operand = 1, alpha: Operand = 1
) -> Any:
    product = b.matmul(batch1, batch2)
    if isinstance(alpha, Value) or alpha != 1:
        product = b.mul(product, operand(b, alpha, product.dtype))
    if isinstance(beta, Value) or beta != 1:
        x = b.mul(x, operand(b, beta, product.dtype))
    return b.add(x, product)


@aten("einsum.default")
def einsum(
    b: Builder, equation: str, tensors: Sequence[Value], path: Sequence[int] | None = None
) -> Any:
    return b.einsum(tuple(promoted(b, *tensors)), equation=equation.replace(" ", ""))


@aten("outer.default", "ger.default")
def outer(b: Builder, x: Value, vec2: Value) -> Any:
    left, right = promoted(b, x, vec2)
    return b.mul(b.unsqueeze(left, (1,)), right)


@aten("embedding.default")
def embedding(
    b: Builder,
    weight: Value,
    indices: Value,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    return b.embedding(indices, weight)


@aten("embedding_bag.default", "embedding_bag.padding_idx")
def embedding_bag(
    b: Builder,
    weight: Value,
    indices: Value,
    offsets: Value,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Value | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Bags of one size each, as the module makes them of a matrix of indices."""
    size = None if include_last_offset else _size_of_bags(offsets)
    only(size is not None, "bags of several sizes")
    only(padding_idx in (None, -1), "bags with items that don't count")
    rows = b.embedding(indices, weight)
    if per_sample_weights is not None:
        rows = b.mul(rows, b.unsqueeze(per_sample_weights, (1,)))
    bags = b.reshape(rows, (-1, size, shape_of(weight)[1]))
    return b.call(("reduce_sum", "reduce_mean", "reduce_max")[mode], bags, (1,), keepdims=False)


def _size_of_bags(offsets: Value) -> int | None:
    """The size of each bag, if all have the same."""
    if offsets.is_constant:
        starts = offsets.array()
        even = len(starts) > 1 and (starts == np.arange(len(starts)) * starts[1]).all()
        return int(starts[1]) if even else None
    made = offsets.producer
    if made is None or made.op != "range" or made.start.scalar != 0:
        return None
    step = made.delta.scalar
    return step if isinstance(step, int) and step > 0 else None


@aten("scaled_dot_product_attention.default")
def attention(
    b: Builder,
    query: Value,
    key: Value,
    value: Value,
    attn_mask: Value | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    only(dropout_p == 0, "attention with dropout is random: export the model after .eval()")
    if attn_mask is not None and attn_mask.dtype not in (DType.BOOL, query.dtype):
        attn_mask = b.cast(attn_mask, to=query.dtype)
    heads = shape_of(query)[-3] if rank_of(query) > 2 else 1
    same = heads in (shape_of(key)[-3:-2] or (1,))
    only(not enable_gqa or same or group_of(shape_of(query), shape_of(key)) > 1,
         "attention by groups of heads whose numbers aren't known")  # fmt: skip
    return b.attention(query, key, value, attn_mask, scale=scale, causal=is_causal)


@aten("bilinear.default")
def bilinear(
    b: Builder, input1: Value, input2: Value, weight: Value, bias: Value | None = None
) -> Any:
    found = b.einsum((input1, weight, input2), equation="...i,oij,...j->...o")
    return found if bias is None else b.add(found, bias)


@aten("cosine_similarity.default")
def cosine_similarity(b: Builder, x1: Value, x2: Value, dim: int = 1, eps: float = 1e-8) -> Any:
    left, right = promoted(b, x1, x2)
    axes = (axis_of(left, dim),)
    product = b.reduce_sum(b.mul(left, right), axes, keepdims=False)
    lengths = [
        b.maximum(b.reduce_l2(value, axes, keepdims=False), operand(b, eps, dtype_of(value)))
        for value in (left, right)
    ]
    return b.div(product, b.mul(*lengths))
