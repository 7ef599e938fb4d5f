"""Random graphs compute the same in every target's order, and their spatial ops are in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_hub.ir.dims import Dim, substitute
from ir_hub.ir.graph import Graph, Model
from ir_hub.ir.verify import verify
from ir_hub.layout.boundary import native_boundary
from ir_hub.layout.permutations import Perm
from ir_hub.layout.relay import relay
from ir_hub.ops.catalogue import OPS
from ir_hub.simplify.reference import run
from tests.layout.drawn import BATCH, graph

WINDOWS = (
    "max_pool", "global_avg_pool", "lrn", "instance_norm", "group_norm", "grid_sample",
    "depth_to_space", "space_to_depth",
)  # fmt: skip
FIRST = {"conv": "NC*,OI*->NC*", **dict.fromkeys(WINDOWS, "NC*->NC*")}
LAST = {"conv": "N*C,*IO->N*C", **dict.fromkeys(WINDOWS, "N*C->N*C")}
SHAPES = (
    (2, 3, 5, 4), (4, 4, 4, 4), (BATCH, 2, 4, 3), (BATCH, 3, 4), (2, 3, 3, 2, 4), (1, 4, 1, 3),
)  # fmt: skip


@pytest.mark.parametrize("axes", [FIRST, LAST], ids=["channels first", "channels last"])
@settings(max_examples=400, deadline=None)
@given(shape=st.sampled_from(SHAPES), steps=st.integers(1, 20), seed=st.integers(0, 2**32))
def test_random_graphs_keep_their_meaning(
    axes: dict[str, str], shape: tuple[Dim, ...], steps: int, seed: int
) -> None:
    model = Model(graph(shape, steps, seed))
    array = np.random.default_rng(0).normal(size=[3 if n == BATCH else n for n in shape])
    before = run(model, [array])
    names = [value.name for value in model.graph.outputs]

    relay(model, axes)

    verify(model, OPS, allow_foreign=False, typed=True)
    check_types(model.graph)
    assert [value.name for value in model.graph.outputs] == names
    assert all(n.axes == axes[n.op] for n in model.graph.walk() if n.op in axes)
    for was, now in zip(before, run(model, [array]), strict=True):
        assert was.dtype == now.dtype
        np.testing.assert_allclose(now, was, rtol=1e-9, atol=1e-9)

    boundary = native_boundary(model.graph)

    verify(model, OPS, allow_foreign=False, typed=True)
    assert [value.name for value in model.graph.outputs] == names
    given = [turned(array, boundary.inputs[0])]
    for was, now, perm in zip(before, run(model, given), boundary.outputs, strict=True):
        np.testing.assert_allclose(now, turned(was, perm), rtol=1e-9, atol=1e-9)


def turned(array: np.ndarray, perm: Perm) -> np.ndarray:
    return array.transpose(perm) if perm else array


def check_types(graph: Graph) -> None:
    """The types are those that follow from the operands'."""
    for node in graph.nodes:
        found = OPS[node.op].infer(node.args, lambda: BATCH)
        said = [result.type for result in node.results]
        assert [t.dtype for t in found] == [t.dtype for t in said], node
        for one, other in zip(found, said, strict=True):
            assert len(one.shape) == len(other.shape), node
            sizes = zip(one.shape, other.shape, strict=True)
            assert all(substitute(a, {"n": 7}) == substitute(b, {"n": 7}) for a, b in sizes), node
