"""ONNX's matrix products and attention."""

from __future__ import annotations

import math
from typing import Any

from adapters.onnx.dialect import dtype_of_number, only, rank_of, table
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import Shape
from ir_hub.ops.attention import group_of
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

table.same("matmul", "MatMul")
table.same("gemm", "Gemm", since=7, alpha="alpha", beta="beta", trans_a="transA", trans_b="transB")
table.same("einsum", "Einsum", since=12, equation="equation")
_ATTENTION = (
    "is_causal",
    "q_num_heads",
    "kv_num_heads",
    "qk_matmul_output_mode",
    "scale",
    "softcap",
    "left_window_size",
    "right_window_size",
)


_ROTARY = ("interleaved", "rotary_embedding_dim", "num_heads")


@table.read("RotaryEmbedding", since=23)
def rotary_embedding(call: Call, b: Builder) -> Any:
    only(call, *_ROTARY)
    literals = {name: call.attrs[name] for name in _ROTARY if name in call.attrs}
    literals["interleaved"] = bool(literals.get("interleaved", 0))
    return b.rotary_embedding(*call.inputs, **literals)


@table.write("rotary_embedding", since=23)
def write_rotary_embedding(node: Node, emitter: Any) -> Any:
    tensors = [node.x, node.cos_cache, node.sin_cache, node.position_ids]
    attributes = {name: node.args[name] or None for name in _ROTARY}
    return emitter.node("RotaryEmbedding", tensors, attributes)


@table.read("Attention", since=23)
def attention(call: Call, b: Builder) -> Any:
    only(call, *_ATTENTION, "softmax_precision")
    if _is_core(call):
        q, k, v = call.inputs[:3]
        scale, causal = call.attrs.get("scale"), bool(call.attrs.get("is_causal", 0))
        return b.attention(q, k, v, call.input(3), scale=scale, causal=causal)
    literals = {name: call.attrs[name] for name in _ATTENTION if name in call.attrs}
    literals["is_causal"] = bool(literals.get("is_causal", 0))
    if "softmax_precision" in call.attrs:
        literals["softmax_precision"] = dtype_of_number(call.attrs["softmax_precision"])
    return b.multi_head_attention(*call.inputs, **literals)


# What Attention does when it does nothing more; other attributes have no such value.
_PLAIN = {
    "qk_matmul_output_mode": 0,
    "softcap": 0.0,
    "left_window_size": -1,
    "right_window_size": -1,
}


def _is_core(call: Call) -> bool:
    """Whether it is no more than softmax(q @ k^T * scale + mask) @ v, head by head."""
    q, k, v, mask = (call.input(index) for index in range(4))
    plain = {"scale": call.attrs.get("scale"), "is_causal": call.attrs.get("is_causal"), **_PLAIN}
    if any(plain.get(name) != value for name, value in call.attrs.items()) or any(call.inputs[4:]):
        return False
    if any(call.wants(index) for index in range(1, 4)):
        return False
    shapes = [value.shape if value is not None else None for value in (q, k, v)]
    if any(shape is None or len(shape) != 4 for shape in shapes):
        return False
    if not _are_heads(*shapes):  # type: ignore[arg-type]
        return False
    return mask is None or bool(mask.shape and mask.shape[-1] == shapes[1][2])  # type: ignore[index]


def _are_heads(q: Shape, k: Shape, v: Shape) -> bool:
    """Whether queries have keys of their own, or heads in a row share them, as ONNX has it."""
    if k[:-2] != v[:-2] or k[:-2] == q[:-2]:
        return k[:-2] == v[:-2]
    return len(q) > 3 and k[:-3] == q[:-3] and (k[-3] == 1 or group_of(q, k) > 1)


@table.write("multi_head_attention", since=23)
def write_attention(node: Node, emitter: Any) -> Any:
    windowed = (node.left_window_size, node.right_window_size) != (-1, -1)
    names = _ATTENTION if windowed else _ATTENTION[:-2]
    attributes = {name: node.args[name] for name in names}
    attributes["softmax_precision"] = node.softmax_precision
    tensors = [node.q, node.k, node.v, node.attn_mask, node.past_key, node.past_value]
    return emitter.node(
        "Attention", [*tensors, node.nonpad_kv_seqlen], attributes, len(node.results)
    )


@table.write("attention", since=23)
def write_attention_core(node: Node, emitter: Any) -> Any:
    """ONNX's Attention has batch and heads before the two axes; or batch only, for one head."""
    operands = [node.q, node.k, node.v]
    (rank,) = ranks if len(ranks := {rank_of(v, "attention") for v in operands}) == 1 else (0,)
    if rank < 3 or not _are_heads(*(value.shape for value in operands)):
        raise Unsupported("attention of other than batch, heads, length and width")
    attributes = {"scale": node.scale, "is_causal": node.causal}
    mask = node.mask
    if rank > 4:
        operands = [_merged(value, value.shape, emitter) for value in operands]
        if mask is not None and rank_of(mask, "the mask of attention") > 3:
            full = (*node.q.shape[:-3], *mask.shape[-3:])
            mask = _merged(emitter.node("Expand", [mask, full])[0], full, emitter)
    if rank == 3:
        attributes |= {"q_num_heads": 1, "kv_num_heads": 1}
        if mask is not None and rank_of(mask, "the mask of attention") == 3:
            mask = emitter.node("Unsqueeze", [mask, (1,)])[0]
    if mask is not None and rank_of(node.mask, "the mask of attention"):
        scores = (node.q.shape[-2], node.k.shape[-2])
        if (1, *node.mask.shape)[-2:] != scores:  # which ONNX allows, but ONNX Runtime doesn't
            mask = emitter.node("Expand", [mask, scores])[0]
    y = emitter.node("Attention", [*operands, mask], attributes)
    if rank > 4:
        return emitter.node("Reshape", [*y, (*node.q.shape[:-1], node.v.shape[-1])])
    return y


def _merged(value: Value | str, shape: Shape, emitter: Any) -> Any:
    """A tensor of that shape with the axes before its last three as one."""
    return emitter.node("Reshape", [value, (math.prod(shape[:-3]), *shape[-3:])])[0]


@table.write("linear", since=11)
def write_linear(node: Node, emitter: Any) -> Any:
    """Gemm for matrices; the weight of all else is transposed once."""
    if rank_of(node.x, "the operand of linear") == 2:
        tensors = [node.x, node.weight, node.bias]
        return emitter.node("Gemm", tensors, {"transB": 1})
    weight = emitter.node("Transpose", [node.weight], {"perm": (1, 0)})
    product = emitter.node("MatMul", [node.x, weight[0]])
    return product if node.bias is None else emitter.node("Add", [product[0], node.bias])
