"""Matrix products, linear layers, embeddings."""

from __future__ import annotations

from typing import Any

from adapters.mxnet.dialect import Reading, reads
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder


@reads("FullyConnected")
def _(node: Reading, b: Builder) -> Any:
    node.agree("num_hidden", node.operand(1), 0)
    bias = None if node.flag("no_bias") else node.operand(2)
    x, flat = node.x, node.flag("flatten", True)
    if flat and (x.shape is None or len(x.shape) != 2):
        x = b.flatten(x, axis=1)
    return b.linear(x, node.operand(1), bias)


@reads("dot")
def _(node: Reading, b: Builder) -> Any:
    node.text("forward_stype")
    x, y = node.operands
    turn_x, turn_y = node.flag("transpose_a"), node.flag("transpose_b")
    ranks = node.rank(0), node.rank(1)
    if not (turn_x or turn_y) and ranks[1] <= 2:
        return b.matmul(x, y)
    node.only(ranks == (2, 2), f"operands of {ranks[0]} and {ranks[1]} axes")
    return b.matmul(_turned(x, turn_x, b), _turned(y, turn_y, b))


@reads("batch_dot", "_linalg_gemm2", "linalg_gemm2")
def _(node: Reading, b: Builder) -> Any:
    node.text("forward_stype")
    axis, alpha = node.integer("axis", -2), node.number("alpha", 1.0)
    node.only(axis == -2, f"axis={axis}")
    x, y = node.operands
    turn_x, turn_y = node.flag("transpose_a"), node.flag("transpose_b")
    product = b.matmul(_turned(x, turn_x, b), _turned(y, turn_y, b))
    return product if alpha == 1 else b.mul(product, alpha)


def _turned(value: Value, turn: bool, b: Builder) -> Any:
    """A matrix, or a batch of them, transposed."""
    if not turn:
        return value
    rank = len(value.shape or (0, 0, 0))
    return b.transpose(value, perm=(*range(rank - 2), rank - 1, rank - 2))


@reads("Embedding", "_contrib_SparseEmbedding")
def _(node: Reading, b: Builder) -> Any:
    node.agree("input_dim", node.operand(1), 0)
    node.agree("output_dim", node.operand(1), 1)
    node.flag("sparse_grad")
    node.dtype("dtype"), node.flag("deterministic")
    return b.embedding(whole(node.x, b), node.operand(1))


def whole(indices: Value, b: Builder) -> Any:
    """Indices, which MXNet takes as floats too, as integers."""
    if indices.dtype is not None and indices.dtype.is_integer:
        return indices
    return b.cast(indices, to=DType.INT64)


@reads("_contrib_div_sqrt_dim")
def _(node: Reading, b: Builder) -> Any:
    size = node.shape()[-1]
    node.only(isinstance(size, int), "its last size isn't known")
    return b.div(node.x, float(size) ** 0.5)  # type: ignore[arg-type]


@reads("_contrib_interleaved_matmul_selfatt_qk", "_contrib_interleaved_matmul_selfatt_valatt")
def _(node: Reading, b: Builder) -> Any:
    """Queries, keys and values lie side by side: (time, batch, heads * 3 * size)."""
    heads = node.integer("heads")
    time, batch, width = node.shape()
    node.only(isinstance(width, int), "its width isn't known")
    size = width // 3 // heads  # type: ignore[operator]
    parts = b.reshape(node.x, (time, batch, heads, 3, size))
    q, k, v = (
        b.reshape(b.transpose(part, perm=(1, 2, 0, 3, 4)), (batch * heads, time, size))
        for part in b.split(parts, axis=3, count=3)
    )
    if node.type.endswith("qk"):
        return b.matmul(b.mul(q, float(size) ** -0.5), b.transpose(k, perm=(0, 2, 1)))
    weighted = b.reshape(b.matmul(node.operand(1), v), (batch, heads, time, size))
    return b.reshape(b.transpose(weighted, perm=(2, 0, 1, 3)), (time, batch, heads * size))
