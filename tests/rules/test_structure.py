"""Graphs that lost their modules get some again: blocks that come again, alike, properly nested."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ir_hub.ops.catalogue  # noqa: F401 (the builder calls the ops that it registers)
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Graph, Model, Value
from ir_hub.ops.build import Builder
from ir_hub.recover import repeats
from ir_hub.recover.structure import structure

N = symbol("N")
UNARY = ["exp", "tanh", "neg", "abs", "relu"]


def weight(b: Builder, *shape: int) -> Value:
    return b.constant(np.random.default_rng(0).normal(0, 1, shape).astype(np.float32))


def conv(b: Builder, x: Value, width: int, groups: int = 1) -> Value:
    channels = (x.shape or ())[1]
    assert isinstance(channels, int)
    kernel = weight(b, width, channels // groups, 3, 3)
    same = {"strides": (1, 1), "pads": ((1, 1), (1, 1)), "dilations": (1, 1), "groups": groups}
    found: Value = b.conv(x, kernel, weight(b, width), **same)
    return found


def linear(b: Builder, x: Value, width: int) -> Value:
    found: Value = b.linear(x, weight(b, width, (x.shape or ())[-1]), weight(b, width))
    return found


def separable(b: Builder, x: Value, width: int) -> Value:
    """As PP-OCR's backbone has it: depthwise, pointwise, hard swish behind each."""
    channels = (x.shape or ())[1]
    assert isinstance(channels, int)
    return b.hard_swish(conv(b, b.hard_swish(conv(b, x, channels, channels)), width))


def residual(b: Builder, x: Value, width: int) -> Value:
    return b.add(x, conv(b, b.relu(conv(b, x, width)), (x.shape or ())[1]))


def attention(b: Builder, x: Value, width: int) -> Value:
    y = b.layer_norm(x, weight(b, 8), weight(b, 8))
    y = b.attention(linear(b, y, 8), linear(b, y, 8), linear(b, y, 8))
    x = b.add(x, linear(b, y, 8))
    y = b.layer_norm(x, weight(b, 8), weight(b, 8))
    return b.add(x, linear(b, b.gelu(linear(b, y, width)), 8))


def stacked(block: Callable[..., Value], shape: tuple, *widths: int) -> Model:
    b = Builder()
    x = b.input("x", shape=shape)
    for width in widths:
        x = block(b, x, width)
    b.graph.outputs = [x]
    return Model(b.graph)


@pytest.mark.parametrize(
    ("block", "shape", "name"),
    [
        (separable, (N, 8, 4, 4), "SeparableConvBlock"),
        (residual, (N, 8, 4, 4), "ResidualBlock"),
        (attention, (N, 2, 5, 8), "TransformerLayer"),
    ],
)
def test_a_block_that_comes_again_is_found(
    block: Callable[..., Value], shape: tuple, name: str
) -> None:
    model = structure(stacked(block, shape, *[8, 16, 16, 24] * 3))
    blocks = [path for path, found in model.scopes.items() if found == name]
    assert len(blocks) == 12
    each = len(model.graph.nodes) // 12
    for number, node in enumerate(model.graph.nodes):
        assert node.scope.startswith(blocks[number // each])


def test_blocks_in_blocks() -> None:
    def stage(b: Builder, x: Value, width: int) -> Value:
        for _ in range(5):
            x = residual(b, x, width)
        return separable(b, b.max_pool(x, **POOL), width)

    model = structure(stacked(stage, (N, 8, 8, 8), 8, 8, 8))
    depths = {node.scope.count(".") for node in model.graph.nodes}
    assert max(depths) >= 2
    assert "ResidualBlock" in model.scopes.values()


POOL = {"kernel": (2, 2), "strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilations": (1, 1)}


def numbered(model: Model, stage: str, first: int) -> Model:
    """Each convolution as a layer in the stage, with a running number; all else in the stage."""
    convs = [node for node in model.graph.nodes if node.op == "conv"]
    for node in model.graph.nodes:
        number = first + convs.index(node) if node in convs else 0
        node.scope = f"{stage}.conv{number}" if node in convs else stage
    return model


def test_layers_that_only_have_numbers_get_blocks() -> None:
    model = numbered(stacked(residual, (N, 8, 4, 4), *[8] * 6), "stage1", 0)
    structure(model)
    blocks = {path: name for path, name in model.scopes.items() if name == "ResidualBlock"}
    assert list(blocks) == [f"stage1.{place}" for place in range(6)]
    assert model.scopes["stage1"] == ""
    assert {node.scope for node in model.graph.nodes} == set(blocks)


@pytest.mark.parametrize(("count", "first"), [(6, 1), (3, 0)])
def test_layers_that_are_few_or_named_by_a_person_stay(count: int, first: int) -> None:
    model = numbered(stacked(residual, (N, 8, 4, 4), *[8] * count), "stage1", first)
    before = [node.scope for node in model.graph.nodes]
    assert structure(model).scopes == {}
    assert [node.scope for node in model.graph.nodes] == before


def test_scopes_of_the_source_stay() -> None:
    model = stacked(residual, (N, 8, 4, 4), 8, 8, 8)
    model.graph.nodes[3].scope = "layer1"
    before = [node.scope for node in model.graph.nodes]
    assert structure(model).scopes == {}
    assert [node.scope for node in model.graph.nodes] == before


def test_what_doesnt_come_again_gets_no_scope() -> None:
    b = Builder()
    x = b.input("x", shape=(N, 8))
    b.graph.outputs = [b.exp(b.tanh(linear(b, b.abs(linear(b, x, 8)), 8)))]
    assert structure(Model(b.graph)).scopes == {}


def test_a_value_used_far_behind_a_block_keeps_it_open() -> None:
    """A U-Net's blocks give one result to the next and one to the far end: not one block."""
    b = Builder()
    x = b.input("x", shape=(N, 8, 4, 4))
    kept = []
    for _ in range(4):
        y = conv(b, x, 8)
        kept.append(y)
        x = b.relu(conv(b, b.relu(y), 8))
    for value in reversed(kept):
        x = b.relu(conv(b, b.concat((x, value), axis=1), 8))
    b.graph.outputs = [x]
    model = structure(Model(b.graph))
    _check_nesting(model)


@st.composite
def graphs(draw: Callable) -> Graph:
    """Stretches of a few ops, repeated here and there, that read from before them now and then."""
    b = Builder()
    values = [b.input("x", shape=(N, 4))]
    ops = st.sampled_from([*UNARY, "add", "mul", "linear", "far"])
    stretch = st.lists(ops, min_size=1, max_size=6)
    stretches = draw(st.lists(stretch, min_size=1, max_size=3))
    for chosen in draw(st.lists(st.sampled_from(stretches), min_size=2, max_size=12)):
        start = values[-1]
        for op in chosen:
            x = values[-1]
            if op == "linear":
                values.append(linear(b, x, 4))
            elif op == "far":
                values.append(b.add(x, draw(st.sampled_from(values))))
            else:
                values.append(b.call(op, x) if op in UNARY else b.call(op, x, start))
    b.graph.outputs = [values[-1], draw(st.sampled_from(values))]
    return b.graph


@settings(deadline=None, max_examples=150)
@given(graphs())
def test_only_scopes_are_set_and_they_nest(graph: Graph) -> None:
    model = Model(graph)
    before = repr(copy.deepcopy(graph))
    structure(model)
    _check_nesting(model)
    for node in graph.nodes:
        node.scope = ""
    assert repr(graph) == before


def _check_nesting(model: Model) -> None:
    """Every scope is a stretch of nodes within its parent; blocks of one class do the same ops;
    a block gives one result."""
    nodes = model.graph.nodes
    returned = set(model.graph.outputs)
    kinds: dict[tuple[str, int], list[str]] = {}
    for path, class_name in model.scopes.items():
        inside = [i for i, n in enumerate(nodes) if f"{n.scope}.".startswith(f"{path}.")]
        assert inside == list(range(inside[0], inside[-1] + 1)), path
        assert path.rpartition(".")[0] in ("", *model.scopes)
        made = {v for i in inside for v in nodes[i].results}
        outside = [v for i, n in enumerate(nodes) if i not in inside for v in n.reads()]
        assert len(made.intersection([*outside, *returned])) == 1, path
        if class_name:
            ops = [nodes[i].op for i in inside]
            alike = kinds.setdefault((class_name, len(ops)), ops)
            assert alike == ops or sorted(alike) != sorted(ops)


@pytest.mark.parametrize("op", ["relu", "add"])
def test_the_work_grows_as_the_graph_does(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where everything is alike, each search looks at no item more often than stretches
    are long."""
    grown = 0
    grow = repeats._Trace.grow

    def counted(trace: repeats._Trace) -> object | None:
        nonlocal grown
        grown += 1
        return grow(trace)

    monkeypatch.setattr(repeats._Trace, "grow", counted)
    model = stacked(lambda b, x, _: b.add(x, x) if op == "add" else b.relu(x), (N, 4), *range(1000))
    structure(model)
    assert grown <= 3 * repeats.LONGEST * 1000
