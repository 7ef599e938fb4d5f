"""What joins what came before, and what takes one item."""

from __future__ import annotations

import numpy as np
import pytest

from ir_hub.ir.graph import Model, Value
from ir_hub.ops.build import Builder
from ir_hub.recover.joins import join_stepwise
from ir_hub.recover.pipeline import recover
from ir_hub.simplify.reference import run


def _data(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


def test_dense_connections_are_joined_step_by_step() -> None:
    b = Builder()
    x = b.input("x", shape=(2, 3))
    parts: list[Value] = [x]
    for _ in range(4):
        parts.append(b.relu(b.concat(tuple(parts), axis=1)))
    b.graph.outputs = [b.concat(tuple(parts), axis=1)]
    before = run(b.graph, {"x": _data(2, 3)})[0]
    model = join_stepwise(Model(b.graph))
    joins = [node for node in model.graph.nodes if node.op == "concat"]
    assert [len(node.xs) for node in joins] == [1, 2, 2, 2, 2]
    assert np.array_equal(run(model.graph, {"x": _data(2, 3)})[0], before)


def test_another_axis_or_order_is_another_join() -> None:
    b = Builder()
    x, y, z = (b.input(name, shape=(2, 2)) for name in "xyz")
    first = b.concat((x, y), axis=0)
    others = [b.concat((x, y, z), axis=1), b.concat((y, x, z), axis=0)]
    b.graph.outputs = [first, *others]
    model = join_stepwise(Model(b.graph))
    assert [len(node.xs) for node in model.graph.nodes] == [2, 3, 3]


@pytest.mark.parametrize(
    ("starts", "ends", "axes", "squeezed", "recovered"),
    [
        ((1,), (2,), (0,), (0,), True),
        ((2,), (3,), (-1,), (2,), True),
        ((0,), (1,), None, (0,), True),
        ((-1,), (2**31 - 1,), (0,), (0,), False),  # counted from the end
        ((1,), (2,), (1,), (0,), False),  # another axis is squeezed
        ((1, 0), (2, 1), (0, 1), (0,), False),  # more is cut
    ],
)
def test_one_item_of_an_axis(
    starts: tuple[int, ...],
    ends: tuple[int, ...],
    axes: tuple[int, ...] | None,
    squeezed: tuple[int, ...],
    recovered: bool,
) -> None:
    b = Builder()
    shape = (1, 4, 5) if axes == (1,) else (3, 4, 5)
    x = b.input("x", shape=shape)
    b.graph.outputs = [b.squeeze(b.slice(x, starts, ends, axes), squeezed)]
    before = run(b.graph, {"x": _data(*shape)})[0]
    model, _ = recover(Model(b.graph))
    assert [node.op for node in model.graph.nodes] == (
        ["gather"] if recovered else ["slice", "squeeze"]
    )
    assert np.array_equal(run(model.graph, {"x": _data(*shape)})[0], before)


def _indices(b: Builder, *axes: tuple[int, ...], shape: tuple[int, ...]) -> Value:
    """Places whose numbers count along axes: (size, the axis, of so many)."""
    numbers = []
    for size, axis, rank in axes:
        new = tuple(other for other in range(rank) if other != axis)
        spread = b.expand(b.unsqueeze(b.positions((size,)), new), shape)
        numbers.append(b.unsqueeze(spread, (rank,)))
    return b.concat(tuple(numbers), axis=-1)


@pytest.mark.parametrize(
    ("axes", "shape", "recovered"),
    [
        (((3, 0, 4), (4, 3, 4)), (3, 1, 1, 4), True),
        (((3, 1, 2),), (1, 3), True),
        (((3, 0, 2), (4, 1, 2)), (3, 4), True),
        (((3, 0, 2), (3, 1, 2)), (3, 3), False),  # fewer of the second axis than it has
        (((2, 0, 2), (4, 1, 2)), (2, 4), False),  # fewer of the first axis
        (((3, 1, 2), (4, 0, 2)), (4, 3), False),  # another order
    ],
)
def test_all_items_in_their_order(
    axes: tuple[tuple[int, ...], ...], shape: tuple[int, ...], recovered: bool
) -> None:
    b = Builder()
    x = b.input("x", shape=(3, 4, 2))
    b.graph.outputs = [b.gather_nd(x, _indices(b, *axes, shape=shape))]
    data = _data(*x.shape)
    before = run(b.graph, {"x": data})[0]
    model, _ = recover(Model(b.graph))
    assert ([node.op for node in model.graph.nodes] == ["unsqueeze"]) is recovered
    assert np.array_equal(run(model.graph, {"x": data})[0], before)
