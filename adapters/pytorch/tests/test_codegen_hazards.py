"""Models whose names, scopes or sharing have once led code astray, or easily could."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from adapters.pytorch.tests.random_graphs import BATCH
from adapters.pytorch.tests.written import check, written
from ir_hub.codegen.steps import UnboundSize
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model, Node, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder


def weight(b: Builder, *shape: int) -> Value:
    array = np.random.default_rng(sum(shape)).uniform(-1, 1, shape)
    return b.constant(array)


def linear(b: Builder, x: Value, scope: str) -> Value:
    with b.within(scope):
        found: Value = b.linear(x, weight(b, 4, 4), weight(b, 4))
    return found


def model(build: Callable[[Builder, Value], Value | list[Value]], **scopes: str) -> Model:
    """The model of a function of a builder and rows of four; scopes are given as class names."""
    b = Builder()
    made = build(b, b.input("x", DType.FLOAT64, (BATCH, 4)))
    b.graph.outputs = made if isinstance(made, list) else [made]
    return Model(b.graph, scopes)


@pytest.mark.parametrize("name", ["forward", "train", "type", "append", "pop", "__init__", "1"])
@pytest.mark.parametrize("class_name", ["Block", "Sequential"])
def test_layers_named_as_what_every_module_has(name: str, class_name: str) -> None:
    scopes = [f"a.{name}", "a.b", f"a.{name}", f"a.{name}_"]

    def build(b: Builder, x: Value) -> Value:
        for scope in scopes:
            x = linear(b, x, scope)
        return x

    check(model(build, a=class_name), 2)


def test_names_that_become_the_same_name() -> None:
    def build(b: Builder, x: Value) -> Value:
        for scope in ("a.b c", "a.b-c", "a.b_c", "a.b_c2", "a." + "d" * 60, "a." + "d" * 50):
            x = linear(b, x, scope)
        return x

    for class_name in ("Block", "Sequential"):
        code = check(model(build, a=class_name), 2)
        assert len(code.weights) == 12


def test_parameters_named_as_layers_are() -> None:
    def build(b: Builder, x: Value) -> Value:
        for number in range(3):
            x = linear(b, x, f"blocks.{number}.alpha")
            with b.within(f"blocks.{number}"):
                x = b.mul(b.leaky_relu(x, alpha=0.1 * (number + 1)), weight(b, 4))
        return x

    check(model(build), 2)


def test_a_block_called_twice_is_one_block_only_if_all_of_it_is_the_same() -> None:
    def build(b: Builder, x: Value) -> Value:
        shared = weight(b, 4, 4)
        for index, slope in enumerate((0.1, 0.1, 0.3)):
            with b.within(f"block{index}"):
                x = b.sub(b.leaky_relu(b.linear(x, shared), alpha=slope), 0.25)
        return x

    code = check(model(build), 2)
    assert len(code.weights) == 2


def test_shared_weights_under_other_names() -> None:
    def build(b: Builder, x: Value) -> Value:
        first, second = weight(b, 4, 4), weight(b, 4, 4)
        for index, names in enumerate([("p", "q"), ("r", "s")]):
            for name, each in zip(names, (first, second), strict=True):
                with b.within(f"block{index}.{name}"):
                    x = b.linear(x, each)
            with b.within(f"block{index}"):
                x = b.neg(x)
        return x

    check(model(build), 2)


def test_nothing_but_inputs_and_constants() -> None:
    check(model(lambda b, x: x), 2)
    check(model(lambda b, x: [x, x, weight(b, 3), weight(b)]), 2)


def test_layers_of_constants() -> None:
    def build(b: Builder, x: Value) -> Value:
        with b.within("head"):
            learned = b.layer_norm(weight(b, 3, 4), weight(b, 4), weight(b, 4))
            return b.matmul(b.linear(learned, weight(b, 4, 4)), b.transpose(x, perm=(1, 0)))

    check(model(build), 2)


def test_results_that_nobody_needs_are_left_out() -> None:
    def build(b: Builder, x: Value) -> Value:
        linear(b, linear(b, x, "dead.first"), "dead.second")
        linear(b, x, "")
        return b.split(b.concat((x, x), axis=1), (1, 6, 1), axis=1, count=3)[1]

    code = check(model(build), 2)
    assert not code.weights


def test_scopes_as_deep_as_a_file_may_say() -> None:
    def build(b: Builder, x: Value) -> Value:
        for scope in (".".join("a" * 3000), "..", "a..b", ".a", "a.", "a.b."):
            x = linear(b, x, scope)
        return x

    check(model(build), 2)


def test_texts_with_what_looks_like_holes() -> None:
    b = Builder()
    x, y = (b.input(name, DType.FLOAT64, (BATCH, 4)) for name in ("{0}", "{x}"))
    with b.within("{1}.{name}"):
        b.graph.outputs = [b.linear(b.add(x, y), b.constant(np.ones((2, 4)), name="{2}"))]
    check(Model(b.graph, {"{1}": "{0}"}), 2)


def test_a_size_that_nothing_shows() -> None:
    def build(b: Builder, x: Value) -> Value:
        return b.expand(b.reduce_sum(x, (0, 1)), (symbol("K"), 1))

    with pytest.raises(UnboundSize, match="the size K has K, which no tensor shows"):
        written(model(build))


def test_sizes_computed_of_several_inputs() -> None:
    b = Builder()
    x = b.input("x", DType.FLOAT64, (symbol("N"), 4))
    other = b.input("other", DType.FLOAT64, (symbol("N"), 3))
    with b.within("inner"):
        flat = b.reshape(x, (symbol("N") * 2, 2))
        b.graph.outputs = [b.expand(b.reduce_sum(flat, (0, 1)), (symbol("N") * 2 + 1, 5)), other]
    check(Model(b.graph), 3)


def test_a_variable_is_not_written_to_while_it_is_needed() -> None:
    def build(b: Builder, x: Value) -> list[Value]:
        y = b.exp(x)
        parts = b.split(b.mul(y, x), (2, 2), axis=1, count=2)
        z = b.sub(b.concat((parts[1], parts[0]), axis=1), y)
        late = b.add(b.tanh(x), 1.0)
        return [b.mul(z, late), b.sub(y, z), late, parts[1]]

    check(model(build), 2)


def test_more_inputs_than_letters() -> None:
    b = Builder()
    inputs = [b.input("x", DType.FLOAT64, (BATCH, 4)) for _ in range(9)]
    with b.within("inner"):
        total = inputs[0]
        for each in inputs[1:]:
            total = b.sub(b.exp(total), b.mul(each, b.tanh(total)))
        b.graph.outputs = [b.tanh(total), *inputs]
    check(Model(b.graph), 2)


def test_a_node_may_be_named_anything() -> None:
    b = Builder()
    x = b.input("x", DType.FLOAT64, (BATCH, 4))
    made = b.exp(x)
    assert isinstance(made.producer, Node)
    made.producer.name = made.name = 'y"\n); import os #'
    b.graph.outputs = list(b.split(made, (2, 2), axis=1, count=2))
    for value in b.graph.outputs:
        value.name = 'y"\n); import os #'
    check(Model(b.graph), 2)
