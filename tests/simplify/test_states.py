"""Recurrent layers lose the zeros that they start from, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import ir_hub.ops.catalogue  # noqa: F401 (the builder calls the ops that it registers)
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.simplify.reference import run
from ir_hub.simplify.states import INITIAL, drop_zero_states

N = symbol("N")
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
RANDOM = np.random.default_rng(0)
ZEROS, ONES = np.zeros((1, 4), np.float32), np.ones((1, 4), np.float32)


def weights(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 1, shape).astype(np.float32)


def filled(b: Builder, number: float) -> Value:
    return b.constant_of_shape((2, N, 4), value=number, dtype=DType.FLOAT32)


def expanded(b: Builder, *rows: np.ndarray) -> Value:
    one = b.concat(tuple(b.constant(row) for row in rows), axis=0)
    return b.expand(b.unsqueeze(one, (1,)), (2, N, 4))


CASES: list[tuple[Callable[[Builder], Value], bool]] = [
    (lambda b: filled(b, 0.0), True),
    (lambda b: filled(b, 1.0), False),
    (lambda b: expanded(b, ZEROS, ZEROS), True),
    (lambda b: expanded(b, ZEROS, ONES), False),
    (lambda b: b.sub(filled(b, 1.0), filled(b, 1.0)), False),
    (lambda b: b.input("state", shape=(2, N, 4)), False),
]


@pytest.mark.parametrize(("state", "dropped"), CASES)
@pytest.mark.parametrize("op", INITIAL)
def test_zeros_are_dropped(op: str, state: Callable[[Builder], Value], dropped: bool) -> None:
    b = Builder()
    x = b.input("x", shape=(5, N, 3))
    matrices = [weights(2, GATES[op] * 4, 3), weights(2, GATES[op] * 4, 4)]
    states = [state(b)] * len(INITIAL[op])
    literals = {"hidden_size": 4, "direction": "bidirectional"}
    b.graph.outputs = list(b.call(op, x, *matrices, None, None, *states, **literals))
    given = [weights(*((2 if size == N else size) for size in v.shape)) for v in b.graph.inputs]
    before = run(b.graph, given)
    drop_zero_states(Model(b.graph))
    layer = next(node for node in b.graph.nodes if node.op == op)
    assert (layer.initial_h is None) is dropped
    assert (layer.args[INITIAL[op][-1]] is None) is dropped
    for found, wanted in zip(run(b.graph, given), before, strict=True):
        np.testing.assert_array_equal(found, wanted)
