"""A model that is written as an exported program too: read again, it is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from adapters.pytorch.export import save_exported
from adapters.pytorch.replay import replay
from adapters.pytorch.run import to_numpy
from adapters.pytorch.tests.exported import close, export, files_of, parse
from adapters.pytorch.tests.exported_networks import NETWORKS
from ir_hub.hub import pipeline
from ir_hub.ir.dims import Symbol, symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.errors import UnsupportedNodes
from tests.models import telling


def _quiet(message: str, part: float) -> None:
    """Progress that nobody follows."""


@pytest.mark.parametrize("name", ["unet", "two_in_two_out", "tagger"])
def test_it_computes_the_same_at_another_batch(name: str, tmp_path: Path) -> None:
    make, inputs, others = NETWORKS[name]
    module = make().eval()
    telling.randomise(module)
    batch = torch.export.Dim("batch", min=1, max=64)
    source = export(module, inputs, tmp_path / "source.pt2", tuple({0: batch} for _ in inputs))
    model = pipeline.simplify(parse(source))
    pipeline.recover(model)
    names = [value.name for value in model.graph.inputs]
    emitted = save_exported(model, tmp_path, _quiet)
    assert emitted.files == ["model.pt2", "model.py", "model.safetensors"]
    given = {name: to_numpy(tensor) for name, tensor in zip(names, others, strict=True)}
    found = list(replay(files_of(tmp_path / "model.pt2"), given, 1).values())
    with torch.no_grad():
        wanted = module(*others)
    close(found, [to_numpy(t) for t in (wanted if isinstance(wanted, tuple) else (wanted,))], 1e-5)
    again = parse(tmp_path / "model.pt2")
    assert [(s.min, s.max) for s in again.symbols.values()] == [(1, 64)]


def small(name: str) -> Model:
    """relu of an input of this name."""
    b = Builder()
    x = b.input(name, DType.FLOAT32, (symbol("N"), 6))
    b.graph.outputs = [b.relu(x)]
    return Model(b.graph, symbols={"N": Symbol("N", 4, 8, 4)})


def test_sizes_are_such_as_the_source_allows(tmp_path: Path) -> None:
    save_exported(small("x"), tmp_path, _quiet)
    x = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
    (found,) = replay(files_of(tmp_path / "model.pt2"), {"x": x}, 1).values()
    np.testing.assert_array_equal(found, np.maximum(x, 0))


def test_a_name_that_no_argument_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedNodes) as caught:
        save_exported(small("x/y:0"), tmp_path, _quiet)
    (problem,) = caught.value.problems
    assert problem.subject == "x/y:0"
    assert "can only call this input" in problem.description
