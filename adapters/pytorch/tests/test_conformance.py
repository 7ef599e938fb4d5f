"""Every op's cases: what PyTorch computes is what the op means."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.pytorch.adapter import PyTorchAdapter
from ir_hub.sdk.conformance import OpCase, cases, check
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.sdk.subject import InProcess

ADAPTER = PyTorchAdapter()
ADAPTER.warm()

# What PyTorch can't say, by the reason that the adapter gives: refused, never guessed.
REFUSED = (
    "PyTorch has no tensors of",
    "its axes are",  # the hub's pass re-lays these before they come here
    "cubic with a border",
    "it doesn't saturate",
    "which PyTorch doesn't compute with",
)


@pytest.mark.parametrize("case", cases(ADAPTER))
def test_conformance(case: OpCase, tmp_path: Path) -> None:
    try:
        check(InProcess(ADAPTER, tmp_path), case)
    except UnsupportedNodes as error:
        if not any(reason in error.problems[0].description for reason in REFUSED):
            raise
