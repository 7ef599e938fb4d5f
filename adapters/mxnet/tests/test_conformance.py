"""MXNet computes what the ops mean, on what the adapter writes for them, and it is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.mxnet.adapter import MXNetAdapter
from ir_hub.ops.catalogue import OPS
from ir_hub.sdk.conformance import OpCase, Respelled, cases, check, check_reading, op_cases
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.sdk.subject import InProcess

ADAPTER = MXNetAdapter()
ADAPTER.warm()
WRITTEN = ADAPTER.dialect().written()

# Where MXNet 1.9.1 computes something else than the op means.
KNOWN = {
    "gelu-2": "its constants are float32, in float64 too",
    "hard_sigmoid-2": "its numbers are float32, in float64 too",
    "leaky_relu-2": "its slope is a float32, in float64 too",
}
# What a GRU that resets its state early is written with.
LOOP = "no rule reads _foreach"
# What is read back by other ops, since MXNet has none of its own for it.
# fmt: off
RESPELLED = {
    "affine_grid", "arg_max", "arg_min", "attention", "avg_pool", "batch_norm", "celu",
    "channel_shuffle", "clip", "concat", "conv", "conv_transpose", "depth_to_space", "expand",
    "flatten", "gelu", "gemm", "grid_sample", "group_norm", "gru", "hard_swish", "hardmax",
    "is_inf", "is_nan", "layer_norm", "logical_not", "lp_norm", "lstm", "max_pool", "mish", "mod",
    "neg", "pad", "prelu", "reduce_l1", "reduce_l2", "reduce_log_sum", "reduce_log_sum_exp",
    "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum", "reduce_sum_square",
    "relu6", "reshape", "resize", "reverse", "rms_norm", "rnn", "round", "selu", "silu", "slice",
    "softplus", "split", "squeeze", "swish", "thresholded_relu", "top_k", "trilu", "unsqueeze",
}
# fmt: on


@pytest.mark.parametrize("case", cases(ADAPTER, KNOWN))
def test_conformance(case: OpCase, tmp_path: Path) -> None:
    try:
        check(InProcess(ADAPTER, tmp_path), case)
    except UnsupportedNodes as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("case", list(op_cases(WRITTEN)), ids=str)
def test_reading(case: OpCase, tmp_path: Path) -> None:
    """What is written is read back as what means the same, though perhaps by other ops."""
    if str(case) in KNOWN:
        pytest.skip(KNOWN[str(case)])
    subject = InProcess(ADAPTER, tmp_path)
    try:
        check_reading(subject, case)
    except Respelled:
        assert case.op in RESPELLED
    except UnsupportedNodes as error:
        if LOOP not in str(error):
            with pytest.raises(UnsupportedNodes):  # it isn't written, so there was nothing to read
                check(subject, case)
        pytest.skip(str(error))


@pytest.mark.parametrize("case", list(op_cases(OPS.keys() - set(WRITTEN))), ids=str)
def test_ops_without_a_row(case: OpCase, tmp_path: Path) -> None:
    """What MXNet has no op for is spelled with simpler ones, or refused."""
    try:
        check(InProcess(ADAPTER, tmp_path), case)
    except UnsupportedNodes as error:
        pytest.skip(str(error))
