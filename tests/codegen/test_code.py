"""What small graphs look like as code: what is nested, named, repeated and left out."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest

from ir_hub.codegen.alike import number_of
from ir_hub.codegen.forward import DEEPEST, WIDEST
from ir_hub.codegen.steps import UnboundSize
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Value, constant
from ir_hub.ops.build import Builder
from tests.codegen.tiny import N, body, linear, weight, written


def lines(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def test_what_is_used_once_is_written_where_it_is_used() -> None:
    found = body(lambda b, x: b.mul(b.relu(b.sub(x, 1.0)), b.tanh(x)))
    assert found == "return relu(x - 1.0) * tanh(x)"


def test_nesting_has_an_end() -> None:
    def build(b: Builder, x: Value) -> Any:
        for _ in range(20):
            x = b.neg(x)
        return x

    found = body(build).splitlines()
    assert all(line.count("neg") <= DEEPEST for line in found)
    assert {line.partition(" ")[0] for line in found} == {"x", "return"}


def test_wide_expressions_get_variables() -> None:
    def build(b: Builder, x: Value) -> Any:
        total = x
        for number in range(12):
            total = b.add(total, b.mul(x, float(number + 2)))
        return total

    assert all(len(line) < WIDEST + 10 for line in body(build).splitlines())


def test_variables_are_used_again_once_their_value_is_done_with() -> None:
    def build(b: Builder, x: Value) -> Any:
        y = b.exp(x)
        z = b.mul(y, x)
        return b.sub(b.add(z, y), z)

    assert body(build) == lines(
        """
        y = exp(x)
        x = y * x
        return x + y - x
        """
    )


def test_several_results() -> None:
    found = body(lambda b, x: b.split(x, (1, 2, 1), axis=1, count=3)[::2])
    assert found == "x, _, y = split(x, (1, 2, 1))\nreturn x, y"


def test_what_is_returned_may_be_an_input_a_constant_or_twice_the_same() -> None:
    found = written(lambda b, x: [x, weight(b, 3), x])
    assert found.code.endswith("y = self.constant\n        return x, y, x")
    assert list(found.weights) == ["constant"]
    assert body(lambda b, x: x) == "return x"


def test_three_equal_members_are_a_loop() -> None:
    def chain(*widths: int) -> str:
        def build(b: Builder, x: Value) -> Any:
            for number, width in enumerate(widths):
                with b.within(f"layers.{number}"):
                    x = linear(b, x, width)
            return x

        return written(build).code.partition("self.layers = ")[2].splitlines()[0]

    assert chain(4, 4) == "Chain(Linear(4, 4), Linear(4, 4))"
    assert chain(4, 4, 4, 5) == "Chain(*(Linear(4, 4) for _ in range(3)), Linear(4, 5))"


def test_a_sequence_keeps_the_names_of_its_members() -> None:
    def chain(*names: str) -> str:
        def build(b: Builder, x: Value) -> Any:
            for name in names:
                with b.within(f"layers.{name}"):
                    x = linear(b, x, 4)
            return x

        found = written(build, {"layers": "nn.Sequential"})
        assert next(iter(found.weights)) == f"layers.{names[0]}.weight"
        return found.code.partition("self.layers = ")[2].splitlines()[0]

    assert chain("a", "b") == 'Chain(named([("a", Linear(4, 4)), ("b", Linear(4, 4))]))'
    looped = 'Chain(named((f"layer{i}", Linear(4, 4)) for i in range(3)))'
    assert chain("layer0", "layer1", "layer2") == looped
    clashing = 'Chain(named([("a_b", Linear(4, 4)), ("a_b2", Linear(4, 4))]))'
    assert chain("a_b", "a-b") == clashing


def in_a_row(b: Builder, x: Value, *widths: int, mask: bool = True) -> Value:
    """Layers that all read the network's input beside what the one before made."""
    y = b.relu(x)
    for number, width in enumerate(widths):
        with b.within(f"layers.{number}"):
            y = b.add(linear(b, y, width), x if mask or not number else y)
    return y


def test_modules_one_after_another_are_a_list() -> None:
    found = written(lambda b, x: in_a_row(b, x, 4, 4, 4))
    assert (
        lines(
            """
        class Layers(List):
            def __init__(self):
                super().__init__(Block() for _ in range(3))

            def run(self, x, y):
                for layer in self:
                    x = layer(x, y)
                return x
        """
        )
        in found.code
    )
    assert list(found.weights)[::2] == [f"layers.{number}.linear.weight" for number in range(3)]


def test_modules_that_are_given_something_else_are_no_list() -> None:
    found = written(lambda b, x: in_a_row(b, x, 4, 4, 4, mask=False))
    assert "List" not in found.code


def test_what_differs_between_blocks_is_a_parameter() -> None:
    def build(b: Builder, x: Value) -> Any:
        for number, width in enumerate([4, 8, 8, 8, 8]):
            with b.within(f"blocks.{number}.up"):
                y = linear(b, x, 4 * width)
            with b.within(f"blocks.{number}.down"):
                y = linear(b, y, width)
            with b.within(f"blocks.{number}"):
                x = b.add(b.mul(y, weight(b, width)), float(number == 3))
        return x

    found = written(build, {f"blocks.{number}": "FeedForward" for number in range(5)})
    assert found.code == lines(
        """
        class FeedForward(Module):
            def __init__(self, inputs=8, outputs=32, value=0.0):
                super().__init__()
                self.up = Linear(inputs, outputs)
                self.down = Linear(outputs, outputs // 4)
                self.scale = learned(outputs // 4)
                self.value = value

            def run(self, x):
                x = self.down(self.up(x)) * self.scale
                return x + self.value


        class Model(Module):
            def __init__(self):
                super().__init__()
                self.blocks = Chain(FeedForward(4, 16), FeedForward(4), FeedForward(), """
        """FeedForward(value=1.0), FeedForward())

            def run(self, x):
                return self.blocks(x)
        """
    )
    assert found.weights["blocks.3.scale"].shape == (8,)


def test_a_multiple_of_a_parameter_keeps_its_meaning_within_arithmetic() -> None:
    def build(b: Builder, x: Value) -> Any:
        for number, factor in enumerate((2, 3, 5)):
            with b.within(f"blocks.{number}"):
                counts = b.cast(x, to=b.constant(0).dtype)
                counts = b.div(b.mul(counts, b.constant(factor)), b.constant(2 * factor))
                x = b.cast(counts, to=x.dtype)
        return x

    found = written(build).code
    assert "x / (2 * self.value)" in found


def test_equal_scopes_are_one_class_and_names_dont_clash() -> None:
    def build(b: Builder, x: Value) -> Any:
        for index, (scope, width) in enumerate([("a", 4), ("b", 4), ("c", 4), ("d", 4)]):
            with b.within(scope):
                x = b.mul(linear(b, x, width), b.exp(x) if index < 2 else b.log(x))
        return x

    classes = {"a": "x.Block", "b": "y.Block", "c": "Module", "d": "Model"}
    found = written(build, classes).code
    names = [line.split("(")[0][6:] for line in found.splitlines() if line.startswith("class")]
    assert names == ["Block", "Block2", "Module2", "Model2", "Model"]


def test_sizes_are_read_from_tensors_at_hand() -> None:
    there_and_back = body(lambda b, x: b.reshape(b.tanh(b.reshape(x, (N * 2, 2))), (N, 4)))
    assert there_and_back == "return tanh(x.reshape(2 * x.shape[0], 2)).reshape(x.shape[0], 4)"


def test_a_tensor_is_passed_into_a_block_for_its_size() -> None:
    def build(b: Builder, x: Value) -> Any:
        y = b.reshape(x, (N * 2, 2))
        with b.within("inner"):
            return b.expand(b.tanh(b.reduce_sum(y, (0, 1))), (N, 3))

    found = written(build).code
    assert "def run(self, x, y):" in found
    assert ".expand(y.shape[0], 3)" in found
    assert "self.inner(x.reshape(2 * x.shape[0], 2), x)" in found


def test_a_size_that_no_tensor_shows_is_refused() -> None:
    with pytest.raises(UnboundSize, match=r"the size 2\*K has K"):
        written(lambda b, x: b.expand(b.reduce_sum(x, (0, 1)), (symbol("K") * 2, 3)))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (np.float32(0.1), "0.1"),
        (np.float32(1 / 3), "0.33333334"),
        (np.float64(1 / 3), "0.3333333333333333"),
        (np.float32(-3), "-3.0"),
        (np.finfo(np.float32).min, "-3.4028234663852886e+38"),
        (np.float32(1e-30), "1e-30"),
        (np.float32(np.inf), 'float("inf")'),
        (np.float32(-np.inf), 'float("-inf")'),
        (np.float32(np.nan), 'float("nan")'),
        (np.int64(-(2**63)), "-9223372036854775808"),
    ],
)
def test_numbers(number: np.generic, text: str) -> None:
    assert body(lambda b, x: b.mul(x, constant(np.array(number)))) == f"return x * {text}"


def test_numbers_read_back_as_they_were() -> None:
    for number in np.random.default_rng(0).normal(0, 1e6, 200).astype(np.float32):
        assert np.float32(number_of(constant(np.array(number)))) == number


def test_numbers_that_overflow_are_buffers() -> None:
    largest = constant(np.array(2**63, np.uint64))
    assert list(written(lambda b, x: b.add(b.cast(x, to=largest.dtype), largest)).weights) == [
        "bias"
    ]
