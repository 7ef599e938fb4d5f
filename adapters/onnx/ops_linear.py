"""ONNX's matrix products and attention."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import dtype_of_number, only, rank_of, table
from ir_hub.ir.graph import Node
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

table.same("matmul", "MatMul")
table.same(
    "gemm", "Gemm", since=7, alpha="alpha", beta="beta", trans_a="transA", trans_b="transB"
)
table.same("einsum", "Einsum", since=12, equation="equation")
table.same(
    "rotary_embedding",
    "RotaryEmbedding",
    since=23,
    interleaved="interleaved",
    rotary_embedding_dim="rotary_embedding_dim",
    num_heads="num_heads",
)

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


@table.read("Attention", since=23)
def attention(call: Call, b: Builder) -> Any:
    only(call, *_ATTENTION, "softmax_precision")
    literals = {name: call.attrs[name] for name in _ATTENTION if name in call.attrs}
    literals["is_causal"] = bool(literals.get("is_causal", 0))
    if "softmax_precision" in call.attrs:
        literals["softmax_precision"] = dtype_of_number(call.attrs["softmax_precision"])
    return b.multi_head_attention(*call.inputs, **literals)


@table.write("multi_head_attention", since=23)
def write_attention(node: Node, emitter: Any) -> Any:
    windows = (node.left_window_size, node.right_window_size)
    if windows != (-1, -1):
        raise Unsupported(f"attention in the window {windows}")
    attributes = {name: node.args[name] for name in _ATTENTION[:-2]}
    attributes["softmax_precision"] = node.softmax_precision
    tensors = [node.q, node.k, node.v, node.attn_mask, node.past_key, node.past_value]
    return emitter.node(
        "Attention", [*tensors, node.nonpad_kv_seqlen], attributes, len(node.results)
    )


@table.write("attention", since=23)
def write_attention_core(node: Node, emitter: Any) -> Any:
    """ONNX's Attention has batch and heads before the two axes."""
    ranks = {rank_of(value, "an operand of attention") for value in (node.q, node.k, node.v)}
    if ranks != {4} or any(a.shape[1] != node.q.shape[1] for a in (node.k, node.v)):
        raise Unsupported("attention of other than batch, heads, length and width")
    attributes = {"scale": node.scale, "is_causal": node.causal}
    return emitter.node("Attention", [node.q, node.k, node.v, node.mask], attributes)


@table.write("linear", since=11)
def write_linear(node: Node, emitter: Any) -> Any:
    """Gemm for matrices; the weight of all else is transposed once."""
    if rank_of(node.x, "the operand of linear") == 2:
        tensors = [node.x, node.weight, node.bias]
        return emitter.node("Gemm", tensors, {"transB": 1})
    weight = emitter.node("Transpose", [node.weight], {"perm": (1, 0)})
    product = emitter.node("MatMul", [node.x, weight[0]])
    return product if node.bias is None else emitter.node("Add", [product[0], node.bias])
