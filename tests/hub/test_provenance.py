"""What outputs come from is found behind what only moves, chooses or casts them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ir_hub.hub.agreement import outputs_of
from ir_hub.hub.provenance import Origin, op_of_elements, origins
from ir_hub.ir.graph import Graph, Value
from ir_hub.ir.types import DType
from ir_hub.ops import catalogue  # noqa: F401 (it fills the table that the builder reads)
from ir_hub.ops.build import Builder

HALF, BRAIN, FLOAT = DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32


def test_moved_or_averaged_elements_are_still_those_of_a_sigmoid() -> None:
    b = Builder()
    x = b.input("x", shape=(2, 3))
    pairs = ("sigmoid", "sigmoid"), ("sigmoid", "tanh")
    alike, other = ([_averaged(op, x) for op in pair] for pair in pairs)
    go = b.input("go", DType.BOOL, ())
    y, z = (b.call("if", go, then_branch=a, else_branch=c)[0] for a, c in (alike, other))
    assert op_of_elements(b.unsqueeze(b.squeeze(y, (1,)), (0,))) == "sigmoid"
    assert op_of_elements(z) == ""
    assert op_of_elements(b.add(y, y)) == "add"
    assert op_of_elements(x) == ""


def _averaged(op: str, x: Value) -> Graph:
    b = Builder()
    b.graph.outputs = [b.reduce_mean(b.call(op, x), axes=(1,))]
    return b.graph


def through(b: Builder, x: Value, *types: DType) -> Value:
    for dtype in types:
        x = b.relu(b.cast(x, to=dtype))
    return x


def in_a_branch(b: Builder, x: Value) -> Value:
    inner = Builder()
    inner.graph.outputs = [through(inner, x, HALF, FLOAT)]
    condition = b.input("go", DType.BOOL, ())
    (y,) = b.call("if", condition, then_branch=inner.graph, else_branch=Graph(outputs=[x]))
    return b.neg(y)


@pytest.mark.parametrize(
    ("build", "half", "allowed"),
    [
        (lambda b, x: through(b, x, FLOAT), None, 5e-5),
        (lambda b, x: through(b, x, HALF, FLOAT), HALF, 2e-2),
        (lambda b, x: through(b, x, HALF, BRAIN, FLOAT), BRAIN, 0.1),
        (in_a_branch, HALF, 2e-2),
        # Weights that are only stored in halves take nothing from the precision of results.
        (lambda b, x: b.mul(x, b.cast(b.constant(np.ones(3), HALF), to=FLOAT)), None, 5e-5),
        # What doesn't go into an output doesn't matter to it.
        (lambda b, x: [through(b, x, HALF), b.neg(x)][1], None, 5e-5),
    ],
)
def test_half_precision_is_never_got_back(
    build: Callable[[Builder, Value], Value], half: DType | None, allowed: float
) -> None:
    b = Builder()
    b.graph.outputs = [build(b, b.input("x", shape=(2, 3)))]
    (origin,) = origins(b.graph)
    assert origin.half is half
    (output,) = outputs_of({"y": np.ones(3, np.float32)}, [origin])
    assert output.tolerance == pytest.approx(allowed)


def test_whole_numbers_have_to_be_equal_whatever_they_come_from() -> None:
    (output,) = outputs_of({"y": np.ones(3, np.int64)}, [Origin("argmax", HALF)])
    assert output.tolerance == 0
