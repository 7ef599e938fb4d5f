"""The comparison finds what differs, wherever it hides, and nothing else."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from ir_hub.hub.agreement import compare_outputs, doubts, outputs_of
from irhub.hub.v1 import hub_pb2

BASE = np.linspace(-2, 3, 24, dtype=np.float32).reshape(2, 3, 4)


def compare(source: np.ndarray, target: np.ndarray) -> hub_pb2.OutputComparison:
    (entry,) = compare_outputs(outputs_of({"y": source}), {"other": target}, 1, ["x: float32[2]"])
    return entry


def changed(array: np.ndarray, value: float) -> np.ndarray:
    other = array.copy()
    other[1, 2, 3] = value
    return other


def test_equal() -> None:
    entry = compare(BASE, BASE.copy())
    assert entry.equal
    assert (entry.max_error, entry.argmax_agreement, entry.reason) == (0, 1, "")
    assert (entry.run, entry.output, list(entry.shape)) == (1, "y", [2, 3, 4])
    assert (entry.data_type, list(entry.inputs)) == ("float32", ["x: float32[2]"])


def test_error_is_relative_to_the_greatest_value() -> None:
    entry = compare(BASE * 100, changed(BASE * 100, 300 + 0.03))
    assert entry.max_error == pytest.approx(1e-4, rel=1e-2)
    assert not entry.equal
    assert "at [1, 2, 3]" in entry.reason


def test_one_wrong_element_of_a_million_counts() -> None:
    source = np.random.default_rng(0).normal(size=10**6).astype(np.float32)
    target = source.copy()
    target[777_777] += 0.01
    assert not compare(source, target).equal


def test_a_permutation_of_the_right_values_is_wrong() -> None:
    assert not compare(BASE, BASE[:, ::-1]).equal


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (BASE[..., None], "shape"),
        (BASE.reshape(3, 2, 4), "shape"),
        (BASE.astype(np.float64), "float64"),
        (BASE.astype(np.float16), "float16"),
    ],
)
def test_shape_and_type_count(target: np.ndarray, reason: str) -> None:
    entry = compare(BASE, target)
    assert not entry.equal
    assert reason in entry.reason


@pytest.mark.parametrize("unusual", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_have_their_places(unusual: float) -> None:
    assert compare(changed(BASE, unusual), changed(BASE, unusual)).equal
    assert not compare(changed(BASE, unusual), BASE).equal
    assert not compare(BASE, changed(BASE, unusual)).equal
    assert not compare(changed(BASE, unusual), changed(BASE, -unusual)).equal or np.isnan(unusual)


def test_nan_hides_nothing_elsewhere() -> None:
    source, target = changed(BASE, np.nan), changed(BASE, np.nan)
    target[0, 0, 0] += 1
    assert not compare(source, target).equal


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64, bool])
def test_integers_are_equal_or_not(dtype: type) -> None:
    source = np.array([0, 1, 1], dtype)
    assert compare(source, source.copy()).equal
    assert not compare(source, np.array([0, 1, 0], dtype)).equal


def test_large_integers_are_told_apart() -> None:
    source = np.array([2**62, 2**62 + 1])
    assert not compare(source, np.array([2**62, 2**62])).equal
    unsigned = np.array([2**64 - 1, 0], np.uint64)
    assert not compare(unsigned, np.array([2**64 - 2, 0], np.uint64)).equal


def test_texts() -> None:
    source = np.array(["a", "b"], object)
    assert compare(source, source.copy()).equal
    assert not compare(source, np.array(["a", "c"], object)).equal


def test_complex_numbers() -> None:
    source = (BASE + 1j * BASE).astype(np.complex64)
    assert compare(source, source.copy()).equal
    assert not compare(source, source.conj()).equal


def test_narrow_floats_have_their_own_tolerance() -> None:
    narrow = BASE.astype(ml_dtypes.bfloat16)
    entry = compare(narrow, (BASE * 1.004).astype(ml_dtypes.bfloat16))
    assert entry.equal
    assert entry.tolerance > compare(BASE, BASE).tolerance


def test_a_zero_source_is_compared_absolutely() -> None:
    zeros = np.zeros(3, np.float32)
    assert compare(zeros, zeros.copy()).equal
    assert not compare(zeros, np.array([0, 0, 1e-3], np.float32)).equal


def test_argmax_agreement_is_over_the_last_axis() -> None:
    source = np.array([[1, 2], [3, 4]], np.float32)
    entry = compare(source, np.array([[1, 2], [4, 3]], np.float32))
    assert entry.argmax_agreement == 0.5


@pytest.mark.parametrize("shape", [(), (0,), (2, 0)])
def test_odd_shapes(shape: tuple[int, ...]) -> None:
    assert compare(np.ones(shape, np.float32), np.ones(shape, np.float32)).equal


def test_outputs_belong_together_by_place() -> None:
    found = compare_outputs(outputs_of({"a": BASE, "b": -BASE}), {"c": BASE, "d": -BASE}, 0, [])
    assert [entry.equal for entry in found] == [True, True]


def test_another_number_of_outputs_is_wrong() -> None:
    found = compare_outputs(outputs_of({"a": BASE, "b": BASE}), {"a": BASE}, 0, [])
    assert [entry.equal for entry in found] == [False, False]
    assert "2 outputs, the target 1" in found[0].reason


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(4, np.float32), "zero"),
        (np.full(4, 3, np.int64), "the same"),
        (np.zeros((0, 2), np.float32), "no elements"),
        (np.array([np.nan, np.nan, 1], np.float32), "NaN"),
    ],
)
def test_doubts(array: np.ndarray, said: str) -> None:
    (doubt,) = doubts(outputs_of({"y": array}))
    assert said in doubt


def test_no_doubt() -> None:
    arrays = {"y": BASE, "flag": np.array([True]), "t": np.array(["a", "b"], object)}
    assert doubts(outputs_of(arrays)) == []
