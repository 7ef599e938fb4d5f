"""Damaged graphs: whatever they have become, the answer is an error of the model's."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import keras
import pytest
from tensorflow.core.protobuf import saved_model_pb2

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.tests.saved_nets import NETS, files_in
from ir_hub.sdk.adapter import Files, Work
from ir_hub.sdk.errors import BadModel, UnsupportedNodes
from ir_hub.sdk.source import read

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()
NUMBERS = (0, -1, 1, 2, 7, 1 << 31, (1 << 63) - 1, -(1 << 63))
COUNT = 80


def _damage(model: Any, rng: random.Random) -> None:
    """Changes one node: an input, an attribute, its op, its name."""
    functions = model.meta_graphs[0].graph_def.library.function
    nodes = [node for function in functions for node in function.node_def]
    node, other = rng.choice(nodes), rng.choice(nodes)
    kind = rng.randrange(6)
    if kind == 0 and node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice([*other.input, other.name, "", ":"])
    elif kind == 1 and node.input:
        del node.input[rng.randrange(len(node.input))]
    elif kind == 2:
        node.op = rng.choice(["", "Nothing", "Identity", other.op])
    elif kind == 3:
        node.name = rng.choice(["", other.name])
    elif node.attr:
        _damage_attribute(node.attr, rng.choice(sorted(node.attr)), rng)


def _damage_attribute(attributes: Any, name: str, rng: random.Random) -> None:
    value, number = attributes[name], rng.choice(NUMBERS)
    if value.HasField("tensor"):
        if rng.random() < 0.5 and value.tensor.tensor_shape.dim:
            rng.choice(value.tensor.tensor_shape.dim).size = number
        else:
            value.tensor.tensor_content = bytes(rng.randrange(256) for _ in range(8))
    elif value.list.i:
        value.list.i[rng.randrange(len(value.list.i))] = number
    elif value.HasField("type"):
        value.type = rng.choice((0, 1, 2, 3, 7, 9, 20, 19))
    elif rng.random() < 0.5:
        del attributes[name]
    else:
        value.i = number


@pytest.mark.parametrize("name", ["plain", "dilated", "attention"])
def test_damaged_graphs(name: str, tmp_path: Path) -> None:
    keras.utils.clear_session()  # names, and with them the bytes, count on from other tests
    rng = random.Random(name)
    NETS[name](tmp_path / "net")
    whole = files_in(tmp_path / "net")
    content = (tmp_path / "net/saved_model.pb").read_bytes()
    refused = 0
    for _ in range(COUNT):
        model = saved_model_pb2.SavedModel.FromString(content)
        _damage(model, rng)
        damaged = model.SerializeToString()
        files = Files(
            whole.files,
            lambda blob, damaged=damaged: (  # type: ignore[misc]
                memoryview(damaged)
                if blob.digest.endswith("saved_model.pb")
                else whole.open_blob(blob)
            ),
        )
        work = Work({"signature": ""}, lambda message, part: None, tmp_path)
        try:
            read(ADAPTER.walk(ADAPTER.load(files), files, {}, work), ADAPTER.dialect())
        except (BadModel, UnsupportedNodes):
            refused += 1
    assert refused > COUNT // 10  # the others are in what a signature does not call
