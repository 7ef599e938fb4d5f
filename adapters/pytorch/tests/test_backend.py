"""ONNX's own backend tests, through the hub's passes, as PyTorch: nothing is silently wrong."""

from __future__ import annotations

from pathlib import Path

from adapters.pytorch.adapter import PyTorchAdapter
from tests.backend.case import opened
from tests.backend.judge import judge

PASSED = 1789  # of 2,024; what doesn't is refused with its reason


def test_onnx_backend(tmp_path: Path) -> None:
    adapter, cases = PyTorchAdapter(), opened(tmp_path)
    adapter.warm()
    verdicts = {case.name: judge(adapter, cases, case) for case in cases.load()}
    assert {name: text for name, text in verdicts.items() if text.startswith("wrong")} == {}
    assert {name: text for name, text in verdicts.items() if text.startswith("not run")} == {}
    assert sum(text == "passed" for text in verdicts.values()) >= PASSED
