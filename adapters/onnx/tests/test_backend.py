"""ONNX's own backend tests: nothing is silently wrong, and no fewer pass than before."""

from __future__ import annotations

from adapters.onnx.tests.backend_case import judge, load_cases

PASSED = 1927  # of 2,024, by the reference runtime


def test_backend() -> None:
    outcomes = [judge(kind, case) for kind, case in load_cases()]
    wrong = [o.name for o in outcomes if "wrong" in (o.reference[:5], o.runtime[:5])]
    assert not wrong
    assert sum(outcome.reference == "passed" for outcome in outcomes) >= PASSED
