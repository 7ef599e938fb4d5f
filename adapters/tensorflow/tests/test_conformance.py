"""Keras computes what the ops mean, on what the adapter writes for them, and it is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.tensorflow.adapter import TensorFlowAdapter
from ir_hub.ops.catalogue import OPS
from ir_hub.sdk.conformance import OpCase, Respelled, cases, check, check_reading, op_cases
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.sdk.subject import InProcess

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()
WRITTEN = set(ADAPTER.dialect().written())

# What is read back by other ops, since Keras has none of its own for it.
# fmt: off
RESPELLED = {
    "arg_max", "arg_min", "attention", "avg_pool", "batch_norm", "bit_shift", "channel_shuffle",
    "clip", "conv", "conv_transpose", "cum_prod", "cum_sum", "depth_to_space", "div", "embedding",
    "expand", "flatten", "gather", "gather_elements", "gelu", "gemm", "global_avg_pool",
    "global_lp_pool", "global_max_pool", "group_norm", "gru", "hard_sigmoid", "hardmax",
    "instance_norm",
    "layer_norm", "leaky_relu", "linear", "lp_norm", "lstm", "max_pool", "mean_variance_norm",
    "mish", "one_hot", "pad", "prelu", "reduce_l1", "reduce_l2", "reduce_log_sum",
    "reduce_log_sum_exp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
    "reduce_sum_square", "reshape", "resize", "rms_norm", "rnn", "selu", "shrink", "slice",
    "softplus", "space_to_depth", "split", "squeeze", "swish", "thresholded_relu", "top_k",
    "trilu", "unsqueeze",
}
# fmt: on


@pytest.mark.parametrize("case", cases(ADAPTER))
def test_conformance(case: OpCase, tmp_path: Path) -> None:
    try:
        check(InProcess(ADAPTER, tmp_path), case)
    except UnsupportedNodes as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("case", list(op_cases(WRITTEN)), ids=str)
def test_reading(case: OpCase, tmp_path: Path) -> None:
    """What is written is read back as what means the same, though perhaps by other ops."""
    subject = InProcess(ADAPTER, tmp_path)
    try:
        check_reading(subject, case)
    except Respelled:
        assert case.op in RESPELLED
    except UnsupportedNodes as error:
        with pytest.raises(UnsupportedNodes):  # it isn't written, so there was nothing to read
            check(subject, case)
        pytest.skip(str(error))


@pytest.mark.parametrize("case", list(op_cases(OPS.keys() - WRITTEN)), ids=str)
def test_ops_without_a_row(case: OpCase, tmp_path: Path) -> None:
    """What Keras has no op for is spelled with simpler ones, or refused."""
    try:
        check(InProcess(ADAPTER, tmp_path), case)
    except UnsupportedNodes as error:
        pytest.skip(str(error))
