"""Ops that a target lacks are spelled with those it has, and mean the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Graph, Model
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS
from ir_hub.simplify.lower import lower
from ir_hub.simplify.reference import run

N = symbol("N")
X = np.random.default_rng(0).normal(0, 1, (3, 4)).astype(np.float32)

SPELLINGS: dict[str, Callable[..., Any]] = {
    "silu": lambda b, x: x * b.sigmoid(x),
    "sigmoid": lambda b, x: 1 / (b.exp(-x) + 1),
    "dropout": lambda b, x, *, rate: x,
    "top_k": lambda b, x, k, **_: (b.reduce_max(x, (-1,)), b.arg_max(x, axis=-1, keepdims=True)),
    "split": lambda b, x, sizes, *, axis, count: (x, x),
}


@pytest.fixture(autouse=True)
def _spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    for op in OPS.values():
        monkeypatch.setattr(op, "spelling", SPELLINGS.get(op.name))


def lowered(build: Callable[[Builder, Any], Any], *lacks: str) -> Graph:
    """The graph of a function, lowered; it must compute what it computed before."""
    b = Builder()
    made = build(b, b.input("x", shape=(N, 4)))
    b.graph.outputs = list(made) if isinstance(made, list | tuple) else [made]
    for number, value in enumerate(b.graph.outputs):
        if value.producer is not None:
            value.name = f"out{number}"
    names = [value.name for value in b.graph.outputs]
    before = run(b.graph, [X])
    lower(Model(b.graph), OPS.keys() - set(lacks))
    assert not {node.op for node in b.graph.walk()} & set(lacks)
    for found, wanted in zip(run(b.graph, [X]), before, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert [value.name for value in b.graph.outputs] == names
    return b.graph


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


def test_what_is_written_stays() -> None:
    assert ops(lowered(lambda b, x: b.silu(x))) == ["silu"]


def test_one_op_becomes_several() -> None:
    graph = lowered(lambda b, x: b.neg(b.silu(b.abs(x))), "silu")
    assert ops(graph) == ["abs", "sigmoid", "mul", "neg"]


def test_what_it_is_spelled_with_is_spelled_too() -> None:
    graph = lowered(lambda b, x: b.silu(x), "silu", "sigmoid")
    assert ops(graph) == ["neg", "exp", "add", "div", "mul"]


def test_scopes_and_origins_go_to_what_it_became() -> None:
    def build(b: Builder, x: Any) -> Any:
        with b.within("layer1", ("Silu_3",)):
            return b.silu(x)

    graph = lowered(build, "silu", "sigmoid")
    assert {(node.scope, node.origins) for node in graph.nodes} == {("layer1", ("Silu_3",))}


def test_sizes_that_are_literals_stay_so() -> None:
    graph = lowered(lambda b, x: b.top_k(x, (1,), axis=-1), "top_k")
    assert ops(graph) == ["reduce_max", "arg_max"]


def test_types_that_a_source_knew_better_are_kept() -> None:
    graph = lowered(lambda b, x: b.top_k(x, (1,), axis=-1), "top_k")
    assert [value.shape for value in graph.outputs] == [(N, 1), (N, 1)]


def test_a_spelling_that_passes_its_operand_on() -> None:
    graph = lowered(lambda b, x: b.abs(b.dropout(b.exp(x))), "dropout")
    assert ops(graph) == ["exp", "abs"]


def test_outputs_keep_their_names_though_a_spelling_passes_its_operand_on() -> None:
    def build(b: Builder, x: Any) -> Any:
        first = b.exp(x)
        return [first, b.dropout(first), b.dropout(x)]

    assert ops(lowered(build, "dropout")) == ["exp", "identity", "identity"]


def test_two_results_may_be_one_value() -> None:
    b = Builder()
    first, second = b.split(b.exp(b.input("x", shape=(N, 4))), axis=1, count=2)
    first.name, second.name = "first", "second"
    b.graph.outputs = [first, second]
    lower(Model(b.graph), OPS.keys() - {"split"})
    assert [value.name for value in b.graph.outputs] == ["first", "second"]


def test_bodies_are_lowered() -> None:
    def branch(op: str) -> Graph:
        b = Builder(prefix=op)
        b.graph.outputs = [b.call(op, outer[0])]
        return b.graph

    outer: list[Any] = []

    def build(b: Builder, x: Any) -> Any:
        outer.append(b.exp(x))
        condition = b.constant(True, DType.BOOL)
        bodies = {"then_branch": branch("silu"), "else_branch": branch("neg")}
        return b.call("if", condition, **bodies)

    graph = lowered(build, "silu")
    assert ops(graph.nodes[1].then_branch) == ["sigmoid", "mul"]


def test_what_has_no_spelling_stays() -> None:
    b = Builder()
    b.graph.outputs = [b.erf(b.input("x", shape=(N, 4)))]
    lower(Model(b.graph), ())
    assert ops(b.graph) == ["erf"]
