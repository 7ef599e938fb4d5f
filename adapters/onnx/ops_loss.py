"""ONNX's losses."""

from __future__ import annotations

from adapters.onnx.dialect import table

table.same(
    "nll_loss",
    "NegativeLogLikelihoodLoss",
    since=12,
    ignore_index="ignore_index",
    reduction="reduction",
)
table.same(
    "softmax_cross_entropy_loss",
    "SoftmaxCrossEntropyLoss",
    since=12,
    ignore_index="ignore_index",
    reduction="reduction",
)
