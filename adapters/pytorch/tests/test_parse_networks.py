"""Networks there and back: exported, read, recovered, written as code, run beside the original."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn
from torch.utils._pytree import tree_leaves

from adapters.pytorch.run import _loaded, to_numpy
from adapters.pytorch.table import pytorch
from adapters.pytorch.tests.exported import check, close, export, parse
from adapters.pytorch.tests.exported_networks import NETWORKS
from adapters.pytorch.tests.saved import write
from ir_hub.hub import pipeline
from ir_hub.ir.graph import Model
from tests.models import telling, vision

# The others have lists of modules, towers called twice, or weights that only the model has.
SAME_KEYS = ("tagger", "unet")


def returned(model: Model, folder: Path) -> str:
    """The code that a model is written as, after the hub's passes."""
    model = pipeline.simplify(model)
    pipeline.recover(model)
    write(pipeline.lower(model, pytorch.written()), folder)
    return (folder / "model.py").read_text("utf-8")


def compare(module: nn.Module, folder: Path, *inputs: tuple[Any, ...]) -> None:
    """The code must compute what the module does."""
    code = (folder / "model.py").read_text("utf-8")
    loaded = _loaded(code, str(folder / "model.safetensors"))
    for given in inputs:
        with torch.no_grad():
            wanted = [to_numpy(tensor) for tensor in tree_leaves(module(*given))]
            found = [to_numpy(tensor) for tensor in tree_leaves(loaded(*given))]
        close(found, wanted, 1e-5)


def saved_keys(folder: Path) -> list[str]:
    with safe_open(folder / "model.safetensors", "pt") as file:
        return sorted(file.keys())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_there_and_back(name: str, tmp_path: Path) -> None:
    make, inputs, others = NETWORKS[name]
    module = make()
    telling.randomise(module)
    batch = torch.export.Dim("batch", min=1, max=64)
    dynamic = tuple({0: batch} for _ in inputs)
    model = check(module, inputs, tmp_path / "model.pt2", dynamic, others)
    assert [(s.min, s.max) for s in model.symbols.values()] == [(1, 64)]
    returned(model, tmp_path)
    compare(module, tmp_path, inputs, others)
    if name in SAME_KEYS:
        assert saved_keys(tmp_path) == sorted(module.state_dict())


class Sequence(nn.Module):
    """What a recurrent layer gives for each step."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.layer(x)[0])


@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_sequence_is_taken_as_the_layer_gives_it(
    layer: type[nn.RNNBase], batch_first: bool, both_ways: bool, tmp_path: Path
) -> None:
    module = Sequence(layer(5, 4, batch_first=batch_first, bidirectional=both_ways)).eval()
    telling.randomise(module)
    x = torch.randn(3, 7, 5)
    code = returned(parse(export(module, (x,), tmp_path / "model.pt2")), tmp_path)
    assert "self.layer(x)[0]" in code
    compare(module, tmp_path, (x,))


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "mobilenet_v2", "densenet121"])
def test_torchvision_there_and_back(name: str, tmp_path: Path) -> None:
    there_and_back(name, (2, 3, 96, 64), tmp_path)


def test_a_vision_transformer_there_and_back(tmp_path: Path) -> None:
    there_and_back("vit_b_16", vision.INPUT, tmp_path)


def there_and_back(name: str, shape: tuple[int, ...], folder: Path) -> str:
    module = vision.build(name)
    inputs = (torch.randn(shape),)
    batch = torch.export.Dim("batch", min=1, max=64)
    path = export(module, inputs, folder / "model.pt2", ({0: batch},))
    code = returned(parse(path), folder)
    compare(module, folder, inputs, (torch.randn(3, *shape[1:]),))
    assert saved_keys(folder) == sorted(module.state_dict())
    return code


def test_resnet_50_is_as_short_as_by_hand(tmp_path: Path) -> None:
    code = there_and_back("resnet50", (2, 3, 64, 64), tmp_path)
    assert len(code.splitlines()) <= 120
    assert re.findall(r"^class (\w+)", code, re.MULTILINE) == ["Bottleneck", "ResNet"]


def test_the_original_takes_the_weights(tmp_path: Path) -> None:
    there_and_back("resnet18", (2, 3, 64, 64), tmp_path)
    module = vision.build("resnet18", seed=1)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        module.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
    x = torch.randn(2, 3, 64, 64)
    compare(module, tmp_path, (x,))
    assert np.isfinite(module(x).detach().numpy()).all()
