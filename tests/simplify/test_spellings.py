"""Every op that says how it is spelled with simpler ones means what that says, in all its cases."""

from __future__ import annotations

import numpy as np
import pytest

from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.ops.cases import CASES
from ir_hub.ops.cases.case import case_graph
from ir_hub.ops.catalogue import OPS
from ir_hub.sdk.tolerance import op_tolerance
from ir_hub.simplify.lower import lower
from ir_hub.simplify.reference import run

SPELLED = sorted(name for name, op in OPS.items() if op.spelling is not None)


def test_some_ops_are_spelled() -> None:
    assert len(SPELLED) >= 10


@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name in SPELLED for i in range(len(CASES[name]))]
)
def test_a_spelling_means_its_op(name: str, number: int) -> None:
    graph, feeds = case_graph(name, CASES[name][number])
    wanted = run(graph, feeds)
    dtypes = [value.dtype for value in graph.outputs]
    lower(Model(graph), OPS.keys() - {name})
    if [node.op for node in graph.walk()] == [name]:
        pytest.skip("simpler ops don't say it with these arguments")
    assert name not in {node.op for node in graph.walk()}
    for found, expected, dtype in zip(run(graph, feeds), wanted, dtypes, strict=True):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        scale = np.max(np.abs(expected.astype(np.float64)), initial=0.0) or 1.0
        difference = np.abs(found.astype(np.float64) - expected.astype(np.float64)) / scale
        assert dtype is not None
        assert np.max(difference, initial=0.0) <= op_tolerance(dtype)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_a_spelling_may_use_an_op_that_is_spelled(reduction: str) -> None:
    """Also where a result of it is returned, or read by another node."""
    rng = np.random.default_rng(3)
    b = Builder()
    x = b.input("x", shape=(4, 5))
    target = b.input("target", DType.INT64, (4,))
    loss, log_prob = b.softmax_cross_entropy_loss(x, target, reduction=reduction)
    b.graph.outputs = [loss, b.neg(loss), log_prob]
    feeds = [rng.standard_normal((4, 5), np.float32), np.array([4, 0, 2, 1])]
    wanted = run(b.graph, feeds)
    lower(Model(b.graph), OPS.keys() - {"softmax_cross_entropy_loss", "nll_loss"})
    assert not {"softmax_cross_entropy_loss", "nll_loss"} & {node.op for node in b.graph.walk()}
    for found, expected in zip(run(b.graph, feeds), wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
