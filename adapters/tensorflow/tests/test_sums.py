"""Arithmetic that Keras or NumPy would take for something else comes out as it is meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.tensorflow.adapter import TensorFlowAdapter
from ir_hub.ir import serde
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model
from ir_hub.ops.build import Builder
from ir_hub.ops.op import OPSET
from ir_hub.sdk.subject import InProcess
from ir_hub.simplify.reference import run

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()
N = symbol("N")
SHAPES = [
    ((3, 4, 4), (1, 4, 1)),
    ((3, 4, 4), (3, 1, 1)),
    ((4, 4), (4, 1)),
    ((1, 4, 4), (4, 1, 1)),
    ((2, 4, 1), (4,)),
    ((4, 1), (1, 4)),
    ((2, 3, 5), (5,)),
]


@pytest.mark.parametrize(("first", "second"), SHAPES)
@pytest.mark.parametrize("is_open", [False, True])
def test_sum(
    first: tuple[int, ...], second: tuple[int, ...], is_open: bool, tmp_path: Path
) -> None:
    b = Builder()
    shape = (N, *first[1:]) if is_open and first[0] != 1 and len(first) > len(second) else first
    x, y = b.input("x", shape=shape), b.input("y", shape=second)
    b.graph.outputs = [b.add(x, y), b.add(y, x)]
    subject = InProcess(ADAPTER, tmp_path)
    put = subject.store.put_bytes
    files = subject.emit(put(serde.dump_bytes(Model(b.graph), put, OPSET)))
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal(s).astype(np.float32) for s in (first, second))
    for found in subject.run(files, {"x": left, "y": right}).values():
        np.testing.assert_allclose(found, left + right, rtol=1e-6)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "greater"])
@pytest.mark.parametrize("number", [np.pi, 2.0], ids=["learned", "number"])
def test_a_vector_of_one_element_comes_first(op: str, number: float, tmp_path: Path) -> None:
    """What was learned is an array, whose operators don't take Keras' tensors."""
    b, first = Builder(), np.array([number], np.float32)
    b.graph.outputs = [b.call(op, b.constant(first), b.input("x", shape=(N, 5)))]
    subject = InProcess(ADAPTER, tmp_path)
    put = subject.store.put_bytes
    files = subject.emit(put(serde.dump_bytes(Model(b.graph), put, OPSET)))
    x = np.linspace(1, 9, 10, dtype=np.float32).reshape(2, 5)
    (found,) = subject.run(files, {"x": x}).values()
    np.testing.assert_allclose(found, run(b.graph, [x])[0], rtol=1e-6)
