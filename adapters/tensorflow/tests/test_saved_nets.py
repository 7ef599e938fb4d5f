"""SavedModels, read by their graphs, mean what TensorFlow computes with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.tests.saved_nets import NETS, files_in
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import ArrayTensor, ReshapedTensor
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.adapter import Files, Work
from ir_hub.sdk.conformance import difference
from ir_hub.sdk.source import read
from ir_hub.simplify import reference

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()


def _work(folder: Path, **options: str) -> Work:
    folder.mkdir()
    return Work({"threads": "1", "signature": "", **options}, lambda message, part: None, folder)


def _read(files: Files, scratch: Path, inputs: dict[str, TensorType] | None = None) -> Model:
    graph = ADAPTER.walk(ADAPTER.load(files), files, inputs or {}, _work(scratch))
    return read(graph, ADAPTER.dialect())


def _inputs(model: Model) -> dict[str, Any]:
    rng = np.random.default_rng(11)
    found = {}
    for value in model.graph.inputs:
        assert value.type is not None
        shape = tuple(n if isinstance(n, int) else 3 for n in value.type.shape or ())
        whole = value.type.dtype.is_integer
        drawn = rng.integers(0, 17, shape) if whole else rng.standard_normal(shape)
        found[value.name] = drawn.astype(value.type.dtype.numpy)
    return found


@pytest.mark.parametrize("name", NETS)
def test_net(name: str, tmp_path: Path) -> None:
    """What is read computes what TensorFlow does; no weight was copied."""
    NETS[name](tmp_path / "net")
    files = files_in(tmp_path / "net")
    model = _read(files, tmp_path / "read")
    inputs = _inputs(model)
    wanted = ADAPTER.run(files, inputs, _work(tmp_path / "run"))
    assert [value.name for value in model.graph.outputs] == list(wanted)
    found = reference.run(model, list(inputs.values()))
    problems = [difference(a, b, 1e-5) for a, b in zip(wanted.values(), found, strict=True)]
    assert not any(problems), problems
    assert all(value.type is not None for value in model.graph.outputs)
    for value in model.graph.constants():
        data = value.data
        data = data.base if isinstance(data, ReshapedTensor) else data
        assert not isinstance(data, ArrayTensor) or data.array.size <= 16 or "perm" in value.name


def test_names_of_weights_and_scopes(tmp_path: Path) -> None:
    """As a .keras file has them, though TensorFlow numbers the scopes of nodes as it likes."""
    NETS["nested_model"](tmp_path / "net")
    model = _read(files_in(tmp_path / "net"), tmp_path / "read")
    names = {value.name for value in model.graph.constants()}
    assert {"stem.conv.kernel", "stem.bn.gamma", "head.dense.kernel"} <= names
    assert {"stem", "stem.conv", "stem.bn", "head", "head.dense"} <= model.scopes.keys()


def test_names_of_plain_variables(tmp_path: Path) -> None:
    NETS["plain"](tmp_path / "net")
    model = _read(files_in(tmp_path / "net"), tmp_path / "read")
    names = {value.name for value in model.graph.constants()}
    assert {"stem.kernel", "stem.bias", "block.kernel", "block.bias"} <= names
    assert {node.scope for node in model.graph.nodes if node.op == "conv"} == {"stem", "block"}


@pytest.mark.parametrize(
    ("name", "wanted"), [("dilated", ((2, 3), (2, 2))), ("conv1d", ((1,), (2,)))]
)
def test_dilation_comes_back(name: str, wanted: Any, tmp_path: Path) -> None:
    NETS[name](tmp_path / "net")
    model = _read(files_in(tmp_path / "net"), tmp_path / "read")
    model.graph.prune()
    convs = [node for node in model.graph.nodes if node.op == "conv"]
    assert tuple(node.dilations for node in convs)[:2] == wanted


def test_given_sizes(tmp_path: Path) -> None:
    NETS["plain"](tmp_path / "net")
    given = {"image": TensorType(DType.FLOAT32, (2, 17, 13, 3))}
    model = _read(files_in(tmp_path / "net"), tmp_path / "read", given)
    assert model.graph.inputs[1].shape == (2, 17, 13, 3)


def test_frozen_graph(tmp_path: Path) -> None:
    """A graph by itself: its placeholders are its inputs, its ends its outputs."""
    NETS["plain"](tmp_path / "net")
    loaded = tf.saved_model.load(str(tmp_path / "net"))
    frozen = convert_variables_to_constants_v2(loaded.signatures["serving_default"])
    (tmp_path / "one").mkdir()
    (tmp_path / "one/graph.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
    files = files_in(tmp_path / "one")
    model = _read(files, tmp_path / "read")
    inputs = _inputs(model)
    wanted = ADAPTER.run(files, inputs, _work(tmp_path / "run"))
    assert [value.name for value in model.graph.outputs] == list(wanted)
    found = reference.run(model, list(inputs.values()))
    problems = [difference(a, b, 1e-5) for a, b in zip(wanted.values(), found, strict=True)]
    assert not any(problems), problems
