"""ONNX's own backend tests, through the hub's passes, as Keras: nothing is silently wrong."""

from __future__ import annotations

from pathlib import Path

from adapters.tensorflow.adapter import TensorFlowAdapter
from tests.backend.case import opened
from tests.backend.judge import judge

EVERY = 20  # all of them: `python -m adapters.tensorflow.tests.backend`


def test_onnx_backend(tmp_path: Path) -> None:
    adapter, cases = TensorFlowAdapter(), opened(tmp_path)
    adapter.warm()
    verdicts = {case.name: judge(adapter, cases, case) for case in cases.load()[::EVERY]}
    failed = ("wrong", "not run", "not written")
    assert {name: text for name, text in verdicts.items() if text.startswith(failed)} == {}
    assert sum(text == "passed" for text in verdicts.values()) > len(verdicts) / 2
