"""Graphs as sources spell them, recovered, and run before and after."""

from collections.abc import Callable

import numpy as np

from ir_hub.ir.graph import Graph, Model
from ir_hub.ir.types import DType
from ir_hub.ops.trace import Term, Tracer
from ir_hub.recover.pipeline import recover
from ir_hub.simplify.reference import run

Spelling = Callable[..., Term]


def graph_of(spelling: Spelling, *shapes: tuple, dtype: DType = DType.FLOAT32) -> Graph:
    """The graph of a function of a tracer and inputs of these shapes."""
    b = Tracer()
    inputs = [b.term(b.input(f"x{i}", dtype, shape)) for i, shape in enumerate(shapes)]
    result = spelling(b, *inputs)
    b.graph.outputs = [t.value for t in (result if isinstance(result, tuple) else (result,))]
    return b.graph


def weights(b: Tracer, *shape: int, seed: int = 0) -> Term:
    """A constant of random elements."""
    array = np.random.default_rng(seed + sum(shape)).uniform(0.5, 2, shape)
    return b.term(b.constant(array.astype(np.float32)))


def recovered(spelling: Spelling, *shapes: tuple, dtype: DType = DType.FLOAT32) -> Graph:
    """The graph after recovery; it must compute what it computed before."""
    graph = graph_of(spelling, *shapes, dtype=dtype)
    rng = np.random.default_rng(1)
    inputs = [
        rng.normal(0, 2, [size if isinstance(size, int) else 3 for size in shape]).astype(
            dtype.numpy
        )
        for shape in shapes
    ]
    before = run(graph, inputs)
    recover(Model(graph))
    for was, now in zip(before, run(graph, inputs), strict=True):
        tolerance = 1e-5 if dtype is DType.FLOAT32 else 1e-2
        np.testing.assert_allclose(
            now.astype(np.float64), was.astype(np.float64), rtol=tolerance, atol=tolerance
        )
    return graph


def ops_of(graph: Graph) -> list[str]:
    """The ops of a graph, in order."""
    return [node.op for node in graph.nodes]
