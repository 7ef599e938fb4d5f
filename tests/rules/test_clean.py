"""What does nothing goes, what is one step becomes one, and a graph's own values stay."""

import numpy as np
import pytest

from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType
from ir_hub.ops.trace import Tracer
from ir_hub.recover.pipeline import clean, recover
from tests.rules.spelled import graph_of, ops_of, recovered, weights

N = symbol("N")


@pytest.mark.parametrize(
    "spelling",
    [
        lambda b, x: b.identity(x),
        lambda b, x: b.cast(x, to=DType.FLOAT32),
        lambda b, x: b.reshape(x, (2, 3, 4)),
        lambda b, x: b.reshape(x, (0, 0, -1)),
        lambda b, x: b.expand(x, (1, 3, 1)),
        lambda b, x: b.tile(x, (1, 1, 1)),
        lambda b, x: b.pad(x, (0, 0, 0, 0, 0, 0)),
        lambda b, x: b.slice(x, (0,), (2**40,), (1,), (1,)),
        lambda b, x: b.concat((x,), axis=1),
        lambda b, x: b.transpose(x, perm=(0, 1, 2)),
        lambda b, x: b.transpose(b.transpose(x, perm=(1, 2, 0)), perm=(2, 0, 1)),
        lambda b, x: b.dropout(x, rate=0.0),
        lambda b, x: x + 0.0,
        lambda b, x: 1.0 * x,
        lambda b, x: x / 1.0,
        lambda b, x: b.squeeze(b.unsqueeze(x, (1,)), (1,)),
        lambda b, x: b.reshape(b.reshape(x, (6, 4)), (2, 3, 4)),
    ],
)
def test_what_does_nothing_goes(spelling):
    assert ops_of(recovered(lambda b, x: b.relu(spelling(b, b.sin(x))), (2, 3, 4))) == [
        "sin",
        "relu",
    ]


@pytest.mark.parametrize(
    "spelling",
    [
        lambda b, x: b.cast(b.cast(x, to=DType.FLOAT16), to=DType.FLOAT32),
        lambda b, x: x + b.term(b.constant(np.zeros((5, 1, 1, 1), np.float32))),
        lambda b, x: 0.0 - x,
        lambda b, x: 1.0 / x,
        lambda b, x: b.slice(x, (1,), (2**40,), (1,), (1,)),
        lambda b, x: b.slice(x, (-1,), (-9,), (1,), (-1,)),
        lambda b, x: b.dropout(x, rate=0.3),
        lambda b, x: b.reshape(x, (3, 2, 4)),
    ],
)
def test_what_does_something_stays(spelling):
    before = ops_of(graph_of(spelling, (2, 3, 4)))
    assert ops_of(recovered(spelling, (2, 3, 4))) == before


def test_two_transposes_are_one():
    def spelling(b, x):
        return b.transpose(b.transpose(x, perm=(0, 2, 3, 1)), perm=(0, 2, 1, 3))

    (node,) = recovered(spelling, (2, 3, 4, 5)).nodes
    assert (node.op, node.perm) == ("transpose", (0, 3, 2, 1))


def test_two_transposes_are_one_in_spite_of_a_new_axis_between():
    def spelling(b, x):
        y = b.reshape(b.transpose(x, perm=(1, 2, 0)), (1, 3, 4, 2))
        return b.transpose(y, perm=(0, 1, 3, 2))

    graph = recovered(spelling, (2, 3, 4))
    assert ops_of(graph) == ["transpose", "unsqueeze"]
    assert graph.nodes[0].perm == (1, 0, 2)


@pytest.mark.parametrize(("inner", "outer"), [((0,), (1,)), ((1, 3), (0, -1)), ((-1,), (2, 0))])
def test_new_axes_come_all_at_once(inner, outer):
    graph = recovered(lambda b, x: b.unsqueeze(b.unsqueeze(x, inner), outer), (3, 4))
    assert ops_of(graph) == ["unsqueeze"]


def test_a_new_axis_that_moves_keeps_both_transposes():
    def spelling(b, x):
        y = b.reshape(b.transpose(x, perm=(1, 2, 0)), (1, 3, 4, 2))
        return b.transpose(y, perm=(1, 0, 3, 2))

    assert ops_of(recovered(spelling, (2, 3, 4))) == ["transpose", "reshape", "transpose"]


@pytest.mark.parametrize("batch", [2, N], ids=["static", "dynamic"])
@pytest.mark.parametrize("shape", [(0, -1), (-1, 60), (2, 60), (0, 60)])
def test_a_reshape_to_a_matrix_is_flatten(batch, shape):
    if batch is N and shape[0] == 2:
        shape = (N, 60)
    (node,) = recovered(lambda b, x: b.reshape(x, shape), (batch, 3, 4, 5)).nodes
    assert (node.op, node.axis) == ("flatten", 1)


def test_a_reshape_to_another_matrix_stays():
    assert ops_of(recovered(lambda b, x: b.reshape(x, (6, 20)), (2, 3, 4, 5))) == ["reshape"]


def test_a_copied_size_is_looked_up_before_the_reshape_it_was_copied_from_goes():
    graph = recovered(lambda b, x: b.reshape(b.reshape(x, (4, 3, 2)), (0, 6)), (2, 3, 4))
    assert ops_of(graph) == ["reshape"]
    assert graph.nodes[0].shape == (4, 6)


def test_outputs_keep_their_names_and_inputs_stay_inputs():
    b = Tracer()
    x = b.input("x", shape=(2, 3))
    inner = b.relu(x)
    outer = b.identity(inner)
    outer.value.name = "probabilities"
    same = b.identity(b.term(x))
    b.graph.outputs = [outer.value, same.value]
    recover(Model(b.graph))
    assert [value.name for value in b.graph.outputs] == ["probabilities", same.value.name]
    assert ops_of(b.graph) == ["relu", "identity"]


def test_one_value_returned_twice_stays_two_outputs():
    b = Tracer()
    inner = b.relu(b.input("x", shape=(2, 3)))
    b.graph.outputs = [inner.value, b.identity(inner).value]
    recover(Model(b.graph))
    assert len(set(b.graph.outputs)) == 2


def test_cleaning_alone_recovers_nothing():
    graph = graph_of(lambda b, x: b.identity(x) * b.sigmoid(x) + weights(b, 3), (2, 3))
    clean(Model(graph))
    assert ops_of(graph) == ["sigmoid", "mul", "add"]


def test_what_an_elementwise_op_would_fill_by_itself():
    batch = symbol("N")

    def spelling(b, x):
        zeros = b.constant_of_shape((batch, 5), value=0.5, dtype=DType.FLOAT32)
        return b.where(b.greater(x, 0.1), x, zeros)

    graph = recovered(spelling, (batch, 5))
    assert ops_of(graph) == ["greater", "where"]
    assert graph.nodes[1].y.scalar == 0.5


def test_a_filling_that_gives_the_size_stays():
    spelling = lambda b, x: x + b.constant_of_shape((4, 5), value=0.5, dtype=DType.FLOAT32)  # noqa: E731
    assert ops_of(recovered(spelling, (1, 5))) == ["constant_of_shape", "add"]


@pytest.mark.parametrize(
    ("shape", "repeats", "op"),
    [((1, 1, 4), (N, 1, 1), "expand"), ((3, 1, 4), (1, 5, 1), "expand"), ((3, 4), (1, 2), "tile")],
)
def test_repeating_along_axes_of_size_1_is_expanding(shape, repeats, op):
    graph = graph_of(lambda b, x, _: b.sin(b.tile(x, repeats)), shape, (N, 2))
    recover(Model(graph))
    assert ops_of(graph)[0] == op
