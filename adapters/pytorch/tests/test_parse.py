"""What reading an exported program keeps: names, modules, sizes, and where the weights lie."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from adapters.pytorch.aliases import is_view
from adapters.pytorch.program import load
from adapters.pytorch.table import pytorch
from adapters.pytorch.tests.exported import Call, check, export, files_of, parse
from adapters.pytorch.walk import walk
from ir_hub.ir.tensor import BlobTensor
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk import source
from ir_hub.sdk.errors import BadRequest
from ir_hub.simplify.reference import run


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
        self.register_buffer("shift", torch.randn(4))
        self.register_buffer("scale", torch.randn(4), persistent=False)
        self.turned = nn.Parameter(torch.randn(3, 4).t())
        self.part = nn.Parameter(torch.randn(5, 8)[1:, ::2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.layer1(x) * self.scale + self.shift) @ self.part.view(4, 4) @ self.turned


def test_names_modules_and_places(tmp_path: Path) -> None:
    model = check(Net(), (torch.randn(2, 4),), tmp_path / "model.pt2")
    assert [value.name for value in model.graph.inputs] == ["x"]
    found = {value.name: value.data for value in model.graph.constants()}
    assert list(found) == [
        "layer1.0.weight", "layer1.0.bias", "layer1.2.weight", "layer1.2.bias", "scale", "shift",
        "part", "turned",
    ]  # fmt: skip
    assert model.scopes == {
        "": "adapters.pytorch.tests.test_parse.Net",
        "layer1": "torch.nn.modules.container.Sequential",
        "layer1.0": "torch.nn.modules.linear.Linear",
        "layer1.1": "torch.nn.modules.activation.ReLU",
        "layer1.2": "torch.nn.modules.linear.Linear",
    }
    assert [node.scope for node in model.graph.nodes[:3]] == ["layer1.0", "layer1.1", "layer1.2"]
    assert model.graph.nodes[0].origins == ("linear (aten.linear.default)",)
    # Only what has gaps in the file is copied; the transposed one is read in another order.
    copied = [name for name, data in found.items() if not isinstance(data, BlobTensor)]
    assert copied == ["part"]
    turned = found["turned"]
    assert isinstance(turned, BlobTensor)
    assert (turned.stored_shape, turned.permutation) == ((3, 4), (1, 0))


def test_dropout_of_channels_is_noted(tmp_path: Path) -> None:
    """A dropout of elements would train otherwise."""
    net = nn.Sequential(nn.Dropout2d(0.3), nn.ReLU())
    graph = walk(load(files_of(export(net, (torch.ones(2, 3, 4, 4),), tmp_path / "a.pt2"))), {})
    model = source.read(graph, pytorch)
    assert [node.op for node in model.graph.nodes] == ["identity", "relu"]
    (note,) = graph.notes
    assert note.startswith("feature_dropout (")
    assert "it acts in training alone" in note


def test_weights_that_are_tied_lie_in_one_place(tmp_path: Path) -> None:
    a, b = nn.Linear(4, 4), nn.Linear(4, 4)
    b.weight = a.weight
    model = check(nn.Sequential(a, nn.Tanh(), b), (torch.randn(2, 4),), tmp_path / "model.pt2")
    places = [v.data.offset for v in model.graph.constants() if v.shape == (4, 4)]  # type: ignore[union-attr]
    assert len(set(places)) == 1


def test_sizes_stay_open_within_their_limits(tmp_path: Path) -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        batch, _, length = x.shape
        return x.reshape(batch, -1)[:, : 2 * length].reshape(batch, length, 2).mean(1)

    length = torch.export.Dim("length", min=3, max=50)
    dynamic = (({0: torch.export.Dim("batch", min=1, max=8), 2: 2 * length},),)
    x, other = torch.randn(2, 3, 8), torch.randn(5, 3, 14)
    model = check(Call(function), (x,), tmp_path / "model.pt2", dynamic, (other,))
    limits = [(symbol.min, symbol.max) for symbol in model.symbols.values()]
    assert sorted(limits) == [(1, 8), (3, 50)]
    shape = model.graph.inputs[0].shape
    assert shape is not None
    assert [str(size)[:2] for size in shape[1:]] == ["3", "2*"]


def test_the_caller_may_fix_what_is_open(tmp_path: Path) -> None:
    batch = torch.export.Dim("batch", min=2, max=8)
    path = export(nn.Linear(4, 3), (torch.randn(2, 4),), tmp_path / "m.pt2", ({0: batch},))
    model = parse(path, {"input": TensorType(DType.FLOAT32, (4, 4))})
    assert not model.symbols
    assert model.graph.outputs[0].shape == (4, 3)
    assert run(model, [np.ones((4, 4), np.float32)])[0].shape == (4, 3)
    for wrong in ((4, 5), (9, 4), (4,), None):
        with pytest.raises(BadRequest, match="was exported for"):
            parse(path, {"input": TensorType(DType.FLOAT32, wrong)})
    with pytest.raises(BadRequest, match="was exported for"):
        parse(path, {"input": TensorType(DType.INT64, (4, 4))})
    with pytest.raises(BadRequest, match="no input y; its inputs are input"):
        parse(path, {"y": TensorType(DType.FLOAT32, (4, 4))})


def schema_of(type_: str) -> torch.FunctionSchema:
    _, op, overload = type_.split(".")
    found: torch.FunctionSchema = getattr(getattr(torch.ops.aten, op), overload)._schema
    return found


READ = sorted(type_ for type_ in pytorch.reads if type_.startswith("aten."))


@pytest.mark.parametrize("type_", READ)
def test_a_rule_takes_what_the_op_takes_with_its_defaults(type_: str) -> None:
    """Arguments that the schema has and a rule hasn't are refused when they are there."""
    rule = pytorch.reader(type_, 1).__self__.rule  # type: ignore[attr-defined]
    params = dict(list(inspect.signature(rule).parameters.items())[1:])
    arguments = {
        {"self": "x", "input": "x"}.get(argument.name, argument.name): argument
        for argument in schema_of(type_).arguments
    }
    for name in arguments.keys() & params.keys():
        argument, param = arguments[name], params[name]
        if param.default is param.empty or not argument.has_default_value():
            continue
        theirs, ours = argument.default_value, param.default
        if isinstance(theirs, list):
            spread = (ours,) * max(len(theirs), 1) if isinstance(ours, int) else ours
            theirs, ours = tuple(theirs), () if ours is None else tuple(spread)
        assert ours == theirs, f"{type_}: {name} is {ours} here and {theirs} in PyTorch"


@pytest.mark.parametrize("type_", READ)
def test_ops_whose_results_share_elements_are_known(type_: str) -> None:
    schema = schema_of(type_)
    shares = any(argument.alias_info is not None for argument in schema.arguments)
    assert not shares or is_view(type_, in_place=False)
