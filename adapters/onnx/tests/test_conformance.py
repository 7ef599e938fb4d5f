"""ONNX Runtime computes what the ops mean, on what the adapter writes for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.onnx.adapter import OnnxAdapter
from ir_hub.sdk.conformance import OpCase, Respelled, cases, check, check_reading, op_cases
from ir_hub.sdk.errors import AdapterError, UnsupportedNodes
from ir_hub.sdk.subject import InProcess

ADAPTER = OnnxAdapter()
# Where ONNX Runtime 1.32 differs from ONNX's own reference evaluator, which agrees with us.
KNOWN = {
    "cast-20": "an infinity becomes NaN in float8_e5m2 without saturation",
    "cast-32": "the text of 100.0 is 100",
    "max_unpool-1": "indices are read as of an output without the rest",
    "grid_sample-14": "cubic interpolation clamps coordinates, not neighbours, at the border",
    "grid_sample-15": "cubic interpolation clamps coordinates, not neighbours, at the border",
    "dft-6": "the inverse of half a spectrum ignores the other half",
}
KNOWN |= dict.fromkeys(
    ("attention-1", "blackman_window-2", "blackman_window-5", "group_norm-3", "hamming_window-2",
     "hamming_window-5", "shrink-2"),
    "float64 is computed in float32",
)  # fmt: skip
KNOWN["batch_norm_training-6"] = "the momentum is a float32, as ONNX's attributes are"
KNOWN["qlinear_matmul-1"] = "takes a scale for each row of no other than the right operand"
# Ops that ONNX has no op for, or none that ONNX Runtime runs; and those it has another form of.
# fmt: off
RESPELLED = {
    "attention", "channel_shuffle", "embedding", "expm1", "floor_div", "gru", "linear", "log1p",
    "lstm", "not_equal", "one_hot", "positions", "relu6", "reverse", "rnn", "rsqrt", "silu",
    "softplus", "square", "swish",
}
# fmt: on
# What it says when it has no kernel for a type, or an op's option, that ONNX defines.
LACKS = ("NOT_IMPLEMENTED", "Exception during initialization", "does not support", "ConvInteger")


@pytest.mark.parametrize("case", cases(ADAPTER, KNOWN))
def test_conformance(case: OpCase, tmp_path: Path) -> None:
    try:
        check(InProcess(ADAPTER, tmp_path), case)
    except UnsupportedNodes as error:
        pytest.skip(str(error))
    except AdapterError as error:
        if not any(text in str(error) for text in LACKS):
            raise
        pytest.skip(f"ONNX Runtime lacks it: {error}")


@pytest.mark.parametrize("case", op_cases(ADAPTER.dialect().written()), ids=str)
def test_reading(case: OpCase, tmp_path: Path) -> None:
    """What is written is read back as what means the same, though perhaps by other ops."""
    try:
        check_reading(InProcess(ADAPTER, tmp_path), case)
    except Respelled:
        assert case.op in RESPELLED
    except UnsupportedNodes as error:
        pytest.skip(str(error))
