"""Modules of the source are found in metadata and in names, and survive a round trip."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import helper

from adapters.onnx.scopes import metadata_for, scope_of
from adapters.onnx.tests.models import model_of, parsed, written

TORCH = {
    "pkg.torch.onnx.name_scopes": "['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d']",
    "pkg.torch.onnx.class_hierarchy": "['m.Net', 'torch.nn.Sequential', 'm.Block', "
    "'torch.nn.Conv2d', 'aten.conv2d.default']",
}


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"),
        ("/layer2/layer2.0/downsample/downsample.0/Conv_1", "layer2.0.downsample.0"),
        ("/ReduceMean", ""),
        ("model/block_1/conv/Conv2D__5", "model.block_1.conv"),
        ("Conv_12", ""),
        ("", ""),
    ],
)
def test_names(name: str, scope: str) -> None:
    assert scope_of(name, {}, {}) == scope


def test_metadata_of_torch() -> None:
    scopes: dict[str, str] = {}
    assert scope_of("/elsewhere/Conv", TORCH, scopes) == "layer1.0.conv1"
    assert scopes["layer1.0"] == "m.Block"
    assert scopes[""] == "m.Net"
    assert "conv2d" not in scopes


def test_what_no_module_asked_for_is_of_none() -> None:
    scopes: dict[str, str] = {}
    hook = "_empty_nn_module_stack_from_metadata_hook"
    metadata = {"pkg.torch.onnx.name_scopes": repr([hook, "sym_size_int"])}
    assert scope_of("node_1", metadata, scopes) == ""
    assert not scopes


@pytest.mark.parametrize("text", ["", "[", "__import__('os')", "[1, 2]", "x" * 30_000, "(" * 5000])
def test_strange_metadata_says_nothing(text: str) -> None:
    assert scope_of("n", {"pkg.torch.onnx.name_scopes": text}, {}) == ""


def test_what_is_written_is_read_again() -> None:
    scopes = {"": "m.Net", "layer1": "Sequential", "layer1.0": "m.Block"}
    found: dict[str, str] = {}
    assert scope_of("", metadata_for("layer1.0", "Conv", scopes), found) == "layer1.0"
    assert found == scopes


def test_round_trip(tmp_path: Path) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    for key, value in TORCH.items():
        node.metadata_props.add(key=key, value=value)
    first = parsed(model_of([node], {"x": [2]}))
    second = parsed(written(first, tmp_path))
    assert second.graph.nodes[0].scope == first.graph.nodes[0].scope == "layer1.0.conv1"
    assert second.scopes == first.scopes
