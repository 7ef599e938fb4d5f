"""Differences that are rounding, and those that aren't."""

from __future__ import annotations

import numpy as np
import pytest

from ir_hub.hub.agreement import compare_outputs, outputs_of
from ir_hub.hub.provenance import Origin
from ir_hub.hub.rounding import settle
from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder

_X = np.random.default_rng(3).normal(size=(4, 5)).astype(np.float32)
_EXACT = np.abs(_X).astype(np.float64) * 2 + 1


def _model() -> Model:
    b = Builder()
    x = b.input("x", shape=(4, 5))
    b.graph.outputs = [b.add(b.mul(b.abs(x), np.full((5,), 2, np.float32)), 1.0)]
    return Model(b.graph)


def _off_by(error: float, seed: int) -> np.ndarray:
    """The exact result, off by so much of its scale at most."""
    noise = np.random.default_rng(seed).uniform(-1, 1, _EXACT.shape)
    noise *= error * np.max(_EXACT) / np.max(np.abs(noise))
    return (_EXACT + noise).astype(np.float32)


@pytest.mark.parametrize(
    ("source", "target", "equal", "said"),
    [
        (1.2e-4, 3.4e-4, True, "amplifies rounding"),
        (3.0e-4, 1.0e-4, True, "amplifies rounding"),
        (4.0e-4, 0.0, False, "not rounding"),  # misread: only the target computes the model
        (0.0, 4.0e-4, False, "not rounding"),  # miswritten: only the source does
        (9.0e-4, 9.0e-4, False, ""),  # too far apart to be called rounding
        (1.0e-6, 2.0e-6, True, ""),  # within the tolerance anyway
    ],
)
def test_only_what_is_off_on_both_sides_is_rounding(
    source: float, target: float, equal: bool, said: str
) -> None:
    a, b = {"y": _off_by(source, 1)}, {"y": _off_by(target, 2)}
    if source == 9.0e-4:
        b = {"y": (2 * _EXACT - a["y"]).astype(np.float32)}
    found = compare_outputs(outputs_of(a), b, 0, [])
    notes = settle(_model(), {"x": _X}, outputs_of(a), b, found)
    assert found[0].equal is equal
    assert said in " ".join(notes)
    assert found[0].max_error <= found[0].tolerance or not equal


def test_errors_are_relative_to_the_scale_of_the_comparison() -> None:
    """Small results of a sigmoid carry the rounding of numbers near 1."""
    b = Builder()
    b.graph.outputs = [b.sigmoid(b.input("x", shape=(20,)))]
    x = np.linspace(-9, -7, 20, dtype=np.float32)
    exact = 1 / (1 + np.exp(-x.astype(np.float64)))
    above, below = ((exact + off).astype(np.float32) for off in (1.0e-6, -1.3e-6))
    a = outputs_of({"y": above}, [Origin("sigmoid")])
    found = compare_outputs(a, {"y": below}, 0, [])
    assert not found[0].equal
    (note,) = settle(Model(b.graph), {"x": x}, a, {"y": below}, found)
    assert found[0].equal, note


def test_a_model_that_quantises_may_differ_by_steps() -> None:
    b = Builder()
    x, scale = b.input("x", shape=(4,)), b.constant(np.float32(0.1))
    steps = b.quantize_linear(x, scale, output_dtype=DType.INT8)
    b.graph.outputs = [b.dequantize_linear(steps, scale, output_dtype=DType.FLOAT32)]
    a, far = ({"y": np.array([0.1, 0.2, 0.3, last], np.float32)} for last in (0.4, 0.5))
    for target, said in ((a, 0), (far, 1)):
        found = compare_outputs(outputs_of(a), target, 0, [])
        notes = settle(Model(b.graph), {"x": a["y"]}, outputs_of(a), target, found)
        assert sum("whole steps in 1 places" in note for note in notes) == said
        assert found[0].equal is not bool(said)


def test_another_shape_or_type_is_never_rounding() -> None:
    array = _off_by(1e-4, 1)
    a = outputs_of({"y": array})
    for other in (array.astype(np.float64), array[:1]):
        found = compare_outputs(a, {"y": other}, 0, [])
        settle(_model(), {"x": _X}, a, {"y": other}, found)
        assert not found[0].equal


def test_what_the_reference_cannot_run_stays_unequal() -> None:
    a, b = outputs_of({"y": _off_by(1.2e-4, 1)}), {"y": _off_by(3.4e-4, 2)}
    found = compare_outputs(a, b, 0, [])
    notes = settle(_model(), {"x": _X[:, :3]}, a, b, found)
    assert not found[0].equal
    assert "could not be told" in notes[0]
