"""ONNX's own backend tests, through the hub's passes, as MXNet: nothing is silently wrong."""

from __future__ import annotations

from pathlib import Path

from adapters.mxnet.tests.models import ADAPTER
from tests.backend.case import opened
from tests.backend.judge import judge

EVERY = 5  # all of them: `python -m adapters.mxnet.tests.backend`


def test_onnx_backend(tmp_path: Path) -> None:
    cases = opened(tmp_path)
    ADAPTER.warm()
    verdicts = {case.name: judge(ADAPTER, cases, case) for case in cases.load()[::EVERY]}
    failed = ("wrong", "not run", "not written")
    assert {name: text for name, text in verdicts.items() if text.startswith(failed)} == {}
    assert sum(text == "passed" for text in verdicts.values()) > len(verdicts) / 3
