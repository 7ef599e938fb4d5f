"""Every op's cases: what Keras computes is what the op means."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.tensorflow.adapter import TensorFlowAdapter
from ir_hub.sdk.conformance import OpCase, cases, check
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.sdk.subject import InProcess

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()

KNOWN: dict[str, str] = {}


@pytest.mark.parametrize("case", cases(ADAPTER, KNOWN))
def test_conformance(case: OpCase, tmp_path: Path) -> None:
    try:
        check(InProcess(ADAPTER, tmp_path), case)
    except UnsupportedNodes as error:
        pytest.skip(str(error))
