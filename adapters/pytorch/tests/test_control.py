"""Branches and loops: bodies as modules, with weights of their own and values from around them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.pytorch.tests.saved import run_saved, write
from ir_hub.ir.graph import Graph, Model, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.simplify import reference

WEIGHT = np.array([[1, 2], [-3, 4]], np.float32)


def check(graph: Graph, inputs: dict[str, np.ndarray], folder: Path) -> str:
    """Compares what is written with the reference, which runs first: writing changes graphs."""
    wanted = reference.run(graph, inputs)
    for index, value in enumerate(graph.outputs):
        value.name = f"y{index}"
    write(Model(graph), folder)
    found = list(run_saved(folder, inputs).values())
    for ours, theirs in zip(wanted, found, strict=True):
        assert theirs.dtype == ours.dtype
        np.testing.assert_allclose(theirs, ours, rtol=1e-6)
    return (folder / "model.py").read_text("utf-8")


def branches(b: Builder, x: Value, condition: Value) -> Value:
    """A linear layer of x, or x and a constant."""
    then, other = Builder(prefix="t"), Builder(prefix="e")
    then.graph.outputs = [then.linear(x, then.constant(WEIGHT), then.constant(WEIGHT[0]))]
    other.graph.outputs = [other.add(x, other.constant(WEIGHT[1]))]
    found: tuple[Value] = b.call("if", condition, then_branch=then.graph, else_branch=other.graph)
    return found[0]


@pytest.mark.parametrize("condition", [True, False])
def test_a_branch_is_a_module(condition: bool, tmp_path: Path) -> None:
    b = Builder()
    x, c = b.input("x", shape=(3, 2)), b.input("c", DType.BOOL, ())
    b.graph.outputs = [b.relu(branches(b, x, c))]
    inputs = {"x": np.arange(6, dtype=np.float32).reshape(3, 2), "c": np.array(condition)}
    code = check(b.graph, inputs, tmp_path)
    assert "nn.ModuleList([ThenBranch(), ElseBranch()])" in code


@pytest.mark.parametrize(("limit", "most"), [(4, 100.0), (9, 5.0), (1, 100.0)])
def test_a_loop_carries_and_stacks(limit: int, most: float, tmp_path: Path) -> None:
    b = Builder()
    trips, x = b.input("trips", DType.INT64, ()), b.input("x", shape=(2,))
    step, most_ = b.input("step", shape=(2,)), b.input("most", shape=())
    inner = Builder(prefix="i")
    number, _ = inner.input("number", DType.INT64, ()), inner.input("going", DType.BOOL, ())
    carried = inner.input("carried", shape=(2,))
    total = inner.add(inner.linear(carried, inner.constant(WEIGHT)), step)
    going = inner.less(inner.reduce_max(total, (0,), keepdims=False), most_)
    inner.graph.outputs = [going, total, number, branches(inner, total, going)]
    b.graph.outputs = list(b.loop(trips, None, (x,), body=inner.graph))
    inputs = {
        "trips": np.array(limit),
        "x": np.array([1, 0.5], np.float32),
        "step": np.array([0.25, 1], np.float32),
        "most": np.array(most, np.float32),
    }
    assert "class LoopBody(nn.Module)" in check(b.graph, inputs, tmp_path)


@pytest.mark.parametrize("backwards", [(), (1,)])
def test_a_scan_goes_along_an_axis(backwards: tuple[int, ...], tmp_path: Path) -> None:
    b = Builder()
    start, rows = b.input("start", shape=(2,)), b.input("rows", shape=(2, 5))
    inner = Builder(prefix="i")
    total, row = inner.input("total", shape=(2,)), inner.input("row", shape=(2,))
    total = inner.add(total, inner.mul(row, inner.constant(WEIGHT[0])))
    inner.graph.outputs = [total, inner.sub(total, start)]
    more = {"input_directions": backwards, "output_directions": backwards}
    b.graph.outputs = list(
        b.scan((start,), (rows,), body=inner.graph, input_axes=(1,), output_axes=(1,), **more)
    )
    inputs = {
        "start": np.array([1, 2], np.float32),
        "rows": np.arange(10, dtype=np.float32).reshape(2, 5),
    }
    check(b.graph, inputs, tmp_path)


def test_bodies_have_classes_of_their_own(tmp_path: Path) -> None:
    b = Builder()
    x, c = b.input("x", shape=(3, 2)), b.input("c", DType.BOOL, ())
    b.graph.outputs = [branches(b, branches(b, x, c), c)]
    inputs = {"x": np.arange(6, dtype=np.float32).reshape(3, 2), "c": np.array(True)}
    code = check(b.graph, inputs, tmp_path)
    assert code.count("class ") == 5
