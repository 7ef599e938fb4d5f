"""What small graphs look like as functions that call layers: blocks, loops, shared layers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ir_hub.codegen.functional import Functions, write_functional
from ir_hub.ir.graph import Model, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from tests.codegen.tiny import STYLE, N, linear, spelled, weight

FUNCTIONAL = replace(STYLE, sequential="", names=frozenset({"keras"}), marks=".-")


def functions(build: Callable[[Builder, Value], Any], scopes: dict[str, str]) -> Functions:
    """The code of a function of a builder and one input, as functions."""
    b = Builder()
    b.graph.outputs = [build(b, b.input("x", DType.FLOAT32, (N, 4)))]
    spellings = {
        node: replace(what, function=None) if hasattr(what := spelled(node), "ctor") else what
        for node in b.graph.nodes
    }
    return write_functional(Model(b.graph, scopes), spellings, FUNCTIONAL, ["Input(4)"])


def code(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def block(b: Builder, x: Value, path: str) -> Value:
    with b.within(f"{path}.fc"):
        y = linear(b, x, 4)
    with b.within(path):
        return b.add(b.tanh(y), x)  # type: ignore[no-any-return]


def test_equal_blocks_are_one_function_and_many_of_them_a_loop() -> None:
    def build(b: Builder, x: Value) -> Any:
        for number in range(4):
            x = block(b, x, f"layers.{number}")
        return x

    scopes = {"": "Net", "layers": "Sequential", **{f"layers.{n}": "Residual" for n in range(4)}}
    found = functions(build, scopes)
    assert found.function == "net"
    assert found.code == code(
        """
        def residual(x, name=None):
            x = inputs = keras.Input(batch_shape=x.shape)
            y = Linear(4, 4, name="fc")(x)
            y = Tanh(name="act")(y)
            return keras.Model(inputs, y + x, name=name)


        def net():
            x = inputs = Input(4)
            for i in range(4):
                x = residual(x, name=f"layers.{i}")(x)
            return keras.Model(inputs, x, name="net")
        """
    )
    assert list(found.weights) == [f"layers.{n}.fc.{key}" for n in range(4) for key in KEYS]


KEYS = ("weight", "bias")


def test_a_layer_that_is_called_twice_has_a_variable() -> None:
    def build(b: Builder, x: Value) -> Any:
        shared = weight(b, 4, 4)
        with b.within("fc"):
            y = b.linear(x, shared)
            z = b.linear(b.tanh(y), shared)
        return b.mul(y, z)

    found = functions(build, {"": "Net", "fc": ""})
    assert found.code.count("Linear(") == 1
    assert len(found.weights) == 1


def test_constants_are_found_by_the_path_of_their_block() -> None:
    def build(b: Builder, x: Value) -> Any:
        for number in range(2):
            with b.within(f"blocks.{number}"):
                table = b.constant(np.arange(4, dtype=np.float32) + number, name="table")
                x = b.tanh(b.mul(x, table))
        return x

    scopes = {"": "Net", "blocks": "", "blocks.0": "Scaled", "blocks.1": "Scaled"}
    found = functions(build, scopes)
    assert 'constants[f"{name}.' in found.code
    keys = list(found.constants)
    assert [key.rpartition(".")[0] for key in keys] == ["blocks.0", "blocks.1"]
    assert found.constants[keys[1]].array()[0] == 1
    assert not found.weights


def test_no_variable_hides_a_function() -> None:
    def build(b: Builder, x: Value) -> Any:
        return block(b, x, "x")

    found = functions(build, {"": "Net", "x": "X"})
    assert "def x(" not in found.code


def test_names_of_a_stranger_are_harmless() -> None:
    def build(b: Builder, x: Value) -> Any:
        return block(b, x, 'a"); import os #')

    found = functions(build, {"": 'N"""', 'a"); import os #': "B'\n"})
    compile(found.code, "model", "exec")
    assert "import os" not in found.code
