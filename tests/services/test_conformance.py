"""The conformance suite tells a faithful adapter from one that is wrong, in process and served."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from ir_hub.ir.types import DType
from ir_hub.ops.cases import CASES, Case
from ir_hub.sdk.conformance import (
    Mismatch,
    OpCase,
    Respelled,
    cases,
    check,
    check_reading,
    difference,
    main,
)
from ir_hub.sdk.subject import InProcess
from ir_hub.sdk.tolerance import op_tolerance, tolerance
from tests.services.conftest import Start
from tests.services.processes import Service
from tests.services.toy.adapter import ToyAdapter

LEAKY = OpCase("leaky_relu", 0, CASES["leaky_relu"][0])


@pytest.mark.parametrize("case", cases(ToyAdapter()))
def test_conformance(case: OpCase, tmp_path: Path) -> None:
    check(InProcess(ToyAdapter(), tmp_path), case)


@pytest.mark.parametrize("case", cases(ToyAdapter()))
def test_reading(case: OpCase, tmp_path: Path) -> None:
    check_reading(InProcess(ToyAdapter(), tmp_path), case)


def test_the_suite_runs_against_an_address(
    toy: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--address", toy.address]) == 0
    count = 2 * len(cases(ToyAdapter()))
    assert (
        capsys.readouterr().out
        == f"toy 1.0: {count} right, 0 failed, 0 expected, 0 refused, 0 respelled\n"
    )
    assert main(["--address", toy.address, "--op", "sigmoid"]) == 1
    assert "refused in check: sigmoid-0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda y: y + np.float32(1e-4), "off by"),
        (lambda y: y.astype(np.float64), "float64 instead of float32"),
        (lambda y: y.reshape(-1), "shape"),
        (lambda y: np.sort(y), "off by"),
        (lambda y: np.where(y == y.max(), np.nan, y).astype(y.dtype), "NaNs"),
    ],
    ids=["values", "type", "shape", "order", "nan"],
)
def test_wrong_results_are_found(change: object, said: str, tmp_path: Path) -> None:
    class Wrong(ToyAdapter):
        def run(self, files, inputs, work):
            return {name: change(y) for name, y in super().run(files, inputs, work).items()}

    with pytest.raises(Mismatch, match=said):
        check(InProcess(Wrong(), tmp_path), LEAKY)


def test_wrong_reading_is_found(tmp_path: Path) -> None:
    class Forgetful(ToyAdapter):
        def load(self, files):
            return [line.split()[0] for line in super().load(files)]

    case = next(c for c in CASES["leaky_relu"] if c.literals)
    with pytest.raises(Mismatch, match="was read back as"):
        check_reading(InProcess(Forgetful(), tmp_path), OpCase("leaky_relu", 1, case))


def test_other_words_for_the_same_are_told_from_what_is_wrong(tmp_path: Path) -> None:
    class Roundabout(ToyAdapter):
        def load(self, files):
            return ["relu" if line == "leaky 0.0" else line for line in super().load(files)]

    case = Case(CASES["leaky_relu"][0].tensors, {"alpha": 0.0})
    with pytest.raises(Respelled, match="relu"):
        check_reading(InProcess(Roundabout(), tmp_path), OpCase("leaky_relu", 0, case))


def test_expected_failures_are_for_cases_that_exist() -> None:
    with pytest.raises(ValueError, match="rleu"):
        cases(ToyAdapter(), {"rleu": "a reason"})
    marked = [case for case in cases(ToyAdapter(), {"relu-0": "a reason"}) if case.marks]
    assert [case.id for case in marked] == ["relu-0"]


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, object])
def test_what_isnt_a_float_has_to_be_equal(dtype: type) -> None:
    ours = np.array([0, 1, 1], np.int8).astype(dtype)
    if dtype is object:
        ours = np.array(["a", "b", "b"], object)
    assert difference(ours, ours.copy()) == ""
    assert difference(ours, ours[::-1].copy())


def test_an_approximate_gelu_isnt_the_exact_one() -> None:
    """The tolerance that is met by any exact GELU, and isn't by the one that uses tanh."""
    x = np.linspace(-6, 6, 1001)
    exact = 0.5 * x * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))
    approximate = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    error = np.abs(exact - approximate).max() / np.abs(exact).max()
    assert op_tolerance(DType.FLOAT32) < tolerance(DType.FLOAT32) < error


def test_expected_failures_are_counted_apart(
    start_service: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = start_service("tests.services.rounding")
    assert main(["--address", service.address, "--op", "relu"]) == 1
    assert "failed in check: relu-0, output 0: off by" in capsys.readouterr().out
    known = tmp_path / "known.json"
    known.write_text(json.dumps({"relu": "it rounds", "tanh": "never needed"}))
    assert main(["--address", service.address, "--op", "relu", "--known", str(known)]) == 0
    said = capsys.readouterr().out
    assert "expected in check: relu-0: it rounds" in said
    assert " 0 failed, " in said
