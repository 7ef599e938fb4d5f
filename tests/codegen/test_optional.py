"""Blocks of one class of the source that differ by children which only some of them have."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Sequence

from ir_hub.codegen.write import Written, write
from ir_hub.ir.graph import Model
from ir_hub.ops.build import Builder
from tests.codegen import tiny
from tests.codegen.tiny import N, linear, spelled

STYLE = dataclasses.replace(tiny.STYLE, absent="Same()")


def blocks(*kinds: tuple[int, str], class_name: str = "Residual") -> Written:
    """Residual blocks in a row, of a width and with the children that the letters of a text name:
    d: a linear `down` on the way around, n: a `norm` behind the sum."""
    b = Builder()
    x = b.input("x", shape=(N, 4))
    for number, (width, children) in enumerate(kinds):
        x = block(b, x, f"blocks.{number}", width, children)
    b.graph.outputs = [x]
    scopes = {"blocks": "Sequential"}
    scopes |= {f"blocks.{number}": class_name for number in range(len(kinds))}
    model = Model(b.graph, scopes)
    return write(model, {node: spelled(node) for node in model.graph.nodes}, STYLE)


def block(b: Builder, x, path: str, width: int, children: str):
    around = x
    with b.within(f"{path}.fc"):
        y = linear(b, x, width)
    if "d" in children:
        with b.within(f"{path}.down"):
            around = linear(b, x, width)
    with b.within(path):
        y = b.add(y, around)
    if "n" in children:
        with b.within(f"{path}.norm"):
            y = b.softmax(y)
    with b.within(path):
        return b.relu(y)


def names(found: Written) -> Sequence[str]:
    return [line.split("(")[0] for line in found.code.splitlines() if line.startswith("class ")]


def test_a_child_that_some_blocks_lack_is_an_argument() -> None:
    found = blocks((4, ""), (8, "d"), (8, ""), (6, "d"), (6, ""))
    assert found.code.startswith(
        textwrap.dedent(
            """
            class Residual(Module):
                def __init__(self, inputs, outputs, down=False):
                    super().__init__()
                    self.fc = Linear(inputs, outputs)
                    self.down = Linear(inputs, outputs) if down else Same()

                def run(self, x):
                    return relu(self.fc(x) + self.down(x))
            """
        ).lstrip()
    )
    members = "Residual(4, 4), Residual(4, 8, down=True), Residual(8, 8), Residual(8, 6, down=True)"
    assert f"Chain({members}, Residual(6, 6))" in found.code
    assert [key for key in found.weights if ".down." in key] == [
        "blocks.1.down.weight",
        "blocks.1.down.bias",
        "blocks.3.down.weight",
        "blocks.3.down.bias",
    ]


def test_several_children_may_be_absent_but_one_block_has_them_all() -> None:
    found = blocks((4, ""), (8, "dn"), (8, "n"), (6, "d"))
    assert names(found) == ["class Residual", "class Model"]
    assert len(names(blocks((8, "d"), (8, "n"), (6, "d"), (6, "n")))) == 3


def test_numbers_of_absent_children_are_nobodys() -> None:
    """What only the children of some blocks need has a default for all others."""
    b = Builder()
    x = b.input("x", shape=(N, 4))
    for number, (own, other) in enumerate([(4, 0), (4, 3), (4, 5), (4, 0)]):
        path = f"blocks.{number}"
        with b.within(f"{path}.fc"):
            y = linear(b, x, own)
        if other:
            with b.within(f"{path}.narrow.0"):
                y = linear(b, y, other)
            with b.within(f"{path}.narrow.1"):
                y = linear(b, y, own)
        with b.within(path):
            x = b.add(x, y)
    b.graph.outputs = [x]
    model = Model(b.graph, {f"blocks.{number}": "Residual" for number in range(4)})
    found = write(model, {node: spelled(node) for node in model.graph.nodes}, STYLE)
    assert "def __init__(self, outputs=3, narrow=False):" in found.code
    assert "Residual(5, narrow=True)" in found.code
    assert "Residual(narrow=True)" in found.code


def test_blocks_of_unnamed_classes_or_in_frameworks_without_identities_stay_apart() -> None:
    kinds = ((4, ""), (8, "d"), (8, ""))
    assert len(names(blocks(*kinds, class_name=""))) == 3
    b = Builder()
    x = b.input("x", shape=(N, 4))
    for number, (width, children) in enumerate(kinds):
        x = block(b, x, f"blocks.{number}", width, children)
    b.graph.outputs = [x]
    model = Model(b.graph, {f"blocks.{number}": "Residual" for number in range(3)})
    found = write(model, {node: spelled(node) for node in model.graph.nodes}, tiny.STYLE)
    assert names(found) == ["class Residual", "class Residual2", "class Model"]


def test_a_step_that_computes_is_never_left_out() -> None:
    """Without its relu a block computes something else; that is another class."""
    b = Builder()
    x = b.input("x", shape=(N, 4))
    for number, active in enumerate([True, False]):
        with b.within(f"blocks.{number}.fc"):
            y = linear(b, x, 4)
        with b.within(f"blocks.{number}"):
            x = b.add(x, b.tanh(b.exp(y)) if active else b.tanh(y))
    b.graph.outputs = [x]
    model = Model(b.graph, {f"blocks.{number}": "Residual" for number in range(2)})
    found = write(model, {node: spelled(node) for node in model.graph.nodes}, STYLE)
    assert names(found) == ["class Residual", "class Residual2", "class Model"]
