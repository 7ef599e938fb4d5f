"""Masks of attention come back as what they mean, and others stay."""

import numpy as np
import pytest

from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType
from ir_hub.recover.pipeline import recover
from tests.rules.spelled import graph_of, ops_of, recovered

N, S = symbol("N"), symbol("S")
SHAPES = ((2, 3, 5, 16),) * 3


def counted(b, *axes, size=5):
    """0, 1, 2 and so on, with new axes."""
    return b.unsqueeze(b.positions((size,)), axes)


def scalar(b, number):
    return b.term(b.constant(np.float32(number)))


CAUSAL = {
    "positions": lambda b: b.less_equal(counted(b, 0, 1, 2), counted(b, 0, 1, 3)),
    "positions the other way": lambda b: b.greater_equal(counted(b, 1), counted(b, 0)),
    "not later": lambda b: b.logical_not(b.greater(counted(b, 0), counted(b, 1))),
    "filled triangle": lambda b: b.trilu(
        b.constant_of_shape((5, 5), value=-np.inf, dtype=DType.FLOAT32), b.constant(1, DType.INT64)
    ),
    "ones of a triangle": lambda b: b.equal(
        b.trilu(b.constant_of_shape((5, 5), value=1.0, dtype=DType.FLOAT32), upper=False),
        scalar(b, 1),
    ),
    "corner of a buffer": lambda b: b.cast(
        b.slice(b.term(b.constant(np.tri(9, dtype=np.float32))), (0, 0), (5, 5)), to=DType.BOOL
    ),
    "numbers of a choice": lambda b: b.where(
        b.less_equal(counted(b, 0), counted(b, 1)), scalar(b, 0), scalar(b, -np.inf)
    ),
}
OTHERS = {
    "a key further": lambda b: b.less_equal(counted(b, 0), b.add(counted(b, 1), 1)),
    "not itself": lambda b: b.less(counted(b, 0), counted(b, 1)),
    "earlier ones": lambda b: b.greater_equal(counted(b, 0), counted(b, 1)),
    "a column": lambda b: b.term(b.constant(np.tri(5, 1, dtype=np.bool_) & False)),
    "from the second row on": lambda b: b.cast(
        b.slice(b.term(b.constant(np.tri(9, dtype=np.float32))), (1, 0), (6, 5)), to=DType.BOOL
    ),
    "a shorter count": lambda b: b.less_equal(counted(b, 0, size=1), counted(b, 1)),
}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("spelling", CAUSAL.values(), ids=CAUSAL)
def test_the_causal_mask_that_is_worked_out(spelling, layers):
    def network(b, q, k, v):
        mask = spelling(b)
        for _ in range(layers):
            q = b.attention(q, k, v, mask)
        return q

    graph = recovered(network, *SHAPES)
    assert ops_of(graph) == ["attention"] * layers
    assert all((node.mask, node.causal) == (None, True) for node in graph.nodes)


@pytest.mark.parametrize("spelling", OTHERS.values(), ids=OTHERS)
def test_other_masks_stay(spelling):
    graph = recovered(lambda b, q, k, v: b.attention(q, k, v, spelling(b)), *SHAPES)
    (node,) = (node for node in graph.nodes if node.op == "attention")
    assert not node.causal


@pytest.mark.parametrize("shape", [(5, 1), (1, 1, 5, 1), (5, 5), (1,)])
def test_a_mask_of_what_is_always_seen_goes(shape):
    everything = np.ones(shape, np.bool_)
    graph = recovered(lambda b, q, k, v: b.attention(q, k, v, b.constant(everything)), *SHAPES)
    assert [(node.mask, node.causal) for node in graph.nodes] == [(None, False)]


def test_no_position_is_before_the_first():
    """As exporters begin the mask of padding."""

    def spelling(b, q, k, v, m):
        seen = b.greater_equal(b.unsqueeze(b.positions((S,)), (0, 1, 3)), 0)
        padding = b.unsqueeze(b.greater(m, 0.0), (1, 2))
        return b.attention(q, k, v, b.logical_and(b.logical_and(seen, True), padding))

    graph = graph_of(spelling, *((N, 3, S, 16),) * 3, (N, S))
    recover(Model(graph))
    assert ops_of(graph) == ["greater", "unsqueeze", "attention"]


def test_scores_with_infinity_in_their_place():
    def spelling(b, q, k, v, m):
        scores = b.matmul(q, b.transpose(k, perm=(0, 1, 3, 2))) * 0.25
        hidden = b.greater(b.abs(m), 3.0)
        return b.matmul(b.softmax(b.where(hidden, scalar(b, -np.inf), scores), axis=-1), v)

    graph = recovered(spelling, *SHAPES, (5, 5))
    node = graph.nodes[-1]
    assert (node.op, node.scale, node.mask.dtype) == ("attention", None, DType.BOOL)


@pytest.mark.parametrize("turned", [False, True])
def test_heads_that_are_repeated_are_shared(turned):
    def repeated(b, x):
        if turned:
            wide = b.expand(b.unsqueeze(x, (3,)), (2, 5, 3, 2, 16))
            return b.transpose(b.reshape(wide, (2, 5, 6, 16)), perm=(0, 2, 1, 3))
        wide = b.expand(b.unsqueeze(x, (2,)), (2, 3, 2, 5, 16))
        return b.reshape(wide, (2, 6, 5, 16))

    keys = (2, 5, 3, 16) if turned else (2, 3, 5, 16)
    graph = recovered(
        lambda b, q, k, v: b.attention(q, repeated(b, k), repeated(b, v)), (2, 6, 5, 16), keys, keys
    )
    assert graph.nodes[-1].k.shape == (2, 3, 5, 16)
    assert set(ops_of(graph)) == ({"transpose", "attention"} if turned else {"attention"})


def test_heads_in_another_order_stay():
    """All heads, and all again: no head is beside its copy."""

    def spelling(b, q, k, v):
        wide = (b.expand(b.unsqueeze(x, (1,)), (2, 2, 3, 5, 16)) for x in (k, v))
        return b.attention(q, *(b.reshape(x, (2, 6, 5, 16)) for x in wide))

    graph = recovered(spelling, (2, 6, 5, 16), (2, 3, 5, 16), (2, 3, 5, 16))
    assert graph.nodes[-1].k.shape == (2, 6, 5, 16)
