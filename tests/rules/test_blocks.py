"""Layers with numbered names become blocks, and nothing else does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import ir_hub.ops.catalogue  # noqa: F401 (the builder calls the ops that it registers)
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model, Value
from ir_hub.ops.build import Builder
from ir_hub.recover.blocks import name_blocks
from ir_hub.recover.numbered import numbered

N = symbol("N")


@pytest.mark.parametrize(
    ("names", "blocks"),
    [
        ("block_1_expand block_1_BN block_2_expand block_2_BN", "block_1: expand BN; block_2: ..."),
        ("block2a_conv block2a_bn block2b_conv block2b_bn", "block2a: conv bn; block2b: ..."),
        # The first number counts, and a stage's blocks are found within it.
        (
            "conv2_block1_1_conv conv2_block1_1_bn conv3_block1_1_conv conv3_block1_1_bn",
            "conv2: block1_1_conv block1_1_bn; conv3: ...",
        ),
        # A number that all names have says nothing.
        (
            "net50_unit1_a net50_unit1_b net50_unit2_a net50_unit2_b",
            "net50_unit1: a b; net50_unit2: ...",
        ),
        # A layer that is called as its block is.
        (
            "dw_1 dw_1_bn dw_1_relu dw_2 dw_2_bn dw_2_relu",
            "dw_1: dw bn relu; dw_2: ...",
        ),
        # Only one of its kind, only one layer, other layers, names that Keras gives.
        ("conv1_pad conv1_conv conv1_bn", ""),
        ("stage_1_conv stage_2_conv stage_3_conv", ""),
        ("conv1_pad conv1_bn conv2_a conv2_b", ""),
        ("conv2d conv2d_1 conv2d_2 batch_normalization_1 conv2d_transpose conv2d_transpose_1", ""),
        ("conv1_1 conv1_2 conv2_1 conv2_2", ""),
        ("1_conv 1_bn 2_conv 2_bn", ""),
        # It can't be said which of the two is the block's `conv`.
        ("conv1 conv1_conv conv1_bn conv1_a conv2_conv conv2_bn conv2_a", "conv2: conv bn a"),
    ],
)  # fmt: skip
def test_names(names: str, blocks: str) -> None:
    found: dict[str, list[str]] = {}
    for member in numbered(names.split()).values():
        found.setdefault(member.block, []).append(member.name)
    wanted: dict[str, list[str]] = {}
    for text in filter(None, blocks.split("; ")):
        block, _, held = text.partition(": ")
        wanted[block] = held.split() if held != "..." else list(wanted.values())[-1]
    assert found == wanted


def chain(layers: Sequence[str], scopes: dict[str, str] | None = None) -> Model:
    """Layers in a row: each with weights, but those that end in "act"; "a+b" is what `a` gives
    added to what `b` does, and `x` the input."""
    b = Builder()
    made = {"x": b.input("x", shape=(N, 4))}
    value = made["x"]
    for layer in layers:
        name, _, operands = layer.partition("=")
        with b.within(name):
            if operands:
                value = b.add(*(made[operand] for operand in operands.split("+")))
            else:
                value = b.relu(value) if name.endswith("act") else linear(b, value)
        made[name] = value
    b.graph.outputs = [value]
    found = {name: "" for name in made if name != "x"} | (scopes or {})
    return Model(b.graph, found)


def linear(b: Builder, x: Value) -> Value:
    weight = b.constant(np.random.default_rng(0).normal(0, 1, (4, 4)).astype(np.float32))
    found: Value = b.linear(x, weight)
    return found


def scopes_of(model: Model) -> list[str]:
    assert {node.scope for node in model.graph.nodes} <= model.scopes.keys()
    return [node.scope for node in model.graph.nodes]


def test_blocks() -> None:
    model = name_blocks(chain(["stem", "b_1_fc", "b_1_out", "b_2_fc", "b_2_out", "head"]))
    assert scopes_of(model) == ["stem", "b_1.fc", "b_1.out", "b_2.fc", "b_2.out", "head"]
    assert model.scopes["b_1"] == model.scopes["b_2"] == "b"
    assert "b_1_fc" not in model.scopes


def test_stages_are_sequences_of_blocks() -> None:
    names = [f"s{s}_b{b}_{name}" for s in (1, 2) for b in (1, 2) for name in ("fc", "out")]
    model = name_blocks(chain(names))
    assert scopes_of(model)[:3] == ["s1.b1.fc", "s1.b1.out", "s1.b2.fc"]
    assert model.scopes["s1"] == "Sequential"
    assert model.scopes["s1.b1"] == "b"


def test_a_layer_that_is_called_as_its_block_is() -> None:
    names = [f"dw_{n}{end}" for n in (1, 2) for end in ("", "_bn", "_act")]
    model = name_blocks(chain(names, {"": "Net"}))
    assert scopes_of(model)[:3] == ["dw_1.dw", "dw_1.bn", "dw_1.act"]
    assert model.scopes["dw_1"] == "dw"
    assert model.scopes[""] == "Net"


def test_what_lies_in_a_block_belongs_to_it() -> None:
    """An activation that Keras named, and none behind the block."""
    names = ["b_1_fc", "act", "b_1_out", "act_1_act", "b_2_fc", "act_2_act", "b_2_out"]
    found = scopes_of(name_blocks(chain(names)))
    assert found == ["b_1.fc", "b_1", "b_1.out", "act_1_act", "b_2.fc", "b_2", "b_2.out"]


def test_a_way_around_a_block_that_it_alone_takes_belongs_to_it() -> None:
    b1 = ["b_1_fc", "b_1_fc2", "b_1_out=b_1_fc2+x"]
    b2 = ["b_2_fc", "b_2_fc2", "way=b_1_out+b_1_out", "b_2_out=b_2_fc2+way"]
    found = scopes_of(name_blocks(chain([*b1, *b2])))
    assert found[3:] == ["b_2.fc", "b_2.fc2", "b_2", "b_2.out"]


def test_a_block_with_anothers_layer_in_it_stays_flat() -> None:
    names = ["b_1_fc", "other", "b_1_out", "b_2_fc", "b_2_out", "b_3_fc", "b_3_out"]
    found = scopes_of(name_blocks(chain(names)))
    assert found == [*names[:3], "b_2.fc", "b_2.out", "b_3.fc", "b_3.out"]


def test_blocks_that_are_mixed_stay_flat() -> None:
    names = ["b_1_fc", "b_2_fc", "b_1_out", "b_2_out"]
    assert scopes_of(name_blocks(chain(names))) == names


def test_a_join_that_only_some_blocks_end_with_is_around_them() -> None:
    names = ["b_1_fc", "b_1_out", "b_2_fc", "b_2_out", "b_2_add=b_1_out+b_2_out", "head"]
    found = scopes_of(name_blocks(chain(names)))
    assert found == ["b_1.fc", "b_1.out", "b_2.fc", "b_2.out", "b_2_add", "head"]


@pytest.mark.parametrize("scopes", [{"b_1_fc": "m.Linear", "b_2_fc": "m.Linear"}, {}])
def test_modules_that_the_source_knows_stay(scopes: dict[str, str]) -> None:
    """By their class, or because others are in them."""
    names = ["b_1_fc", "b_1_out", "b_2_fc", "b_2_out"]
    if not scopes:
        names = ["b_1_fc.a", "b_1_fc.b", "b_1_out", "b_2_fc.a", "b_2_fc.b", "b_2_out"]
        scopes = {"b_1_fc": "", "b_2_fc": ""}
    assert scopes_of(name_blocks(chain(names, scopes))) == names
