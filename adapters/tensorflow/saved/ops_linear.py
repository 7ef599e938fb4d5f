"""Reads products of matrices, and norms of batches."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.saved.constants import in_order
from adapters.tensorflow.saved.reading import op
from adapters.tensorflow.saved.windows import order_of
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import dtype_of, only, rank_of


@op("MatMul")
def matmul(b: Builder, x: Value, y: Value, *, transpose_a: bool, transpose_b: bool) -> Any:
    only(dtype_of(x).is_float, "it multiplies matrices of integers")
    return b.matmul(_turned(b, x, transpose_a), _turned(b, y, transpose_b))


@op("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
def batch_matmul(b: Builder, x: Value, y: Value, *, adj_x: bool, adj_y: bool) -> Any:
    only(dtype_of(x).is_float, "it multiplies matrices of integers")
    return b.matmul(_turned(b, x, adj_x), _turned(b, y, adj_y))


def _turned(b: Builder, x: Value, turn: bool) -> Value:
    """x with its last two axes swapped, if they are to be."""
    if not turn:
        return x
    rank = rank_of(x)
    perm = (*range(rank - 2), rank - 1, rank - 2)
    return in_order(x, perm) if x.is_constant else b.transpose(x, perm=perm)


@op("Einsum")
def einsum(b: Builder, *items: Value, equation: str) -> Any:
    only(dtype_of(items[0]).is_float, "it is of integers")
    return b.einsum(items, equation=equation)


@op("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def batch_norm(
    b: Builder, x: Value, scale: Value, offset: Value, mean: Value, variance: Value, *,
    epsilon: float, data_format: str, is_training: bool, exponential_avg_factor: float | None,
) -> Any:  # fmt: skip
    """Other results than the first are for training."""
    only(not is_training, "it computes the statistics of the batch: it is of a model in training")
    del exponential_avg_factor  # says how the statistics are updated in training
    axis = 1 if order_of(data_format) == "NC*" else rank_of(x) - 1
    return b.batch_norm(x, scale, offset, mean, variance, eps=epsilon, axis=axis)
