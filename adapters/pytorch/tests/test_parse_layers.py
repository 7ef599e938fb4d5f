"""Each layer and function that PyTorch has and we read, exported, read, run beside PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from adapters.pytorch.tests.exported import Call, check
from adapters.pytorch.tests.exported_functions import FUNCTIONS
from adapters.pytorch.tests.exported_layers import LAYERS, telling


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_read_as_what_it_does(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    make, inputs = LAYERS[name]
    check(telling(make()), inputs, tmp_path / "model.pt2")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_read_as_what_it_does(name: str, tmp_path: Path) -> None:
    function, inputs = FUNCTIONS[name]
    check(Call(function), inputs, tmp_path / "model.pt2")
