"""ONNX's own backend tests, through the hub's passes, as PyTorch: nothing is silently wrong."""

from __future__ import annotations

from pathlib import Path

from adapters.onnx.tests.backend_case import load_cases
from adapters.pytorch.tests.backend import judge

PASSED = 1789  # of 2,024; what doesn't is refused with its reason


def test_onnx_backend(tmp_path: Path) -> None:
    verdicts = {case.name: judge(case, tmp_path) for _, case in load_cases()}
    assert {name: text for name, text in verdicts.items() if text.startswith("wrong")} == {}
    assert {name: text for name, text in verdicts.items() if text.startswith("not run")} == {}
    assert sum(text == "passed" for text in verdicts.values()) >= PASSED
