"""Modules exported as `.pt2` files, read, and run beside PyTorch."""

from __future__ import annotations

import contextlib
import mmap
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from adapters.pytorch import reads
from adapters.pytorch.program import load
from adapters.pytorch.replay import replay
from adapters.pytorch.run import to_numpy
from adapters.pytorch.table import pytorch
from adapters.pytorch.walk import walk
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.ir.types import TensorType
from ir_hub.ir.verify import verify
from ir_hub.ops.catalogue import OPS
from ir_hub.sdk import source
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.simplify.reference import run

Array = np.ndarray[Any, Any]

assert reads


class Call(nn.Module):
    """A function as a module; `parts` are modules that it is given first."""

    def __init__(self, function: Any, *parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(parts)

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.function(*self.parts, *inputs)


def export(module: nn.Module, inputs: tuple[Any, ...], path: Path, dynamic: Any = None) -> Path:
    """Exports a module in evaluation mode."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module.eval(), inputs, dynamic_shapes=dynamic)
        torch.export.save(program, path)
    return path


def files_of(path: Path) -> Files:
    """A file as an adapter is given it."""
    mapped = memoryview(b"")
    if path.stat().st_size:
        with path.open("rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    blob = Blob("0" * 64, path.stat().st_size)
    return Files((SourceFile(path.name, path, blob),), lambda _: mapped)


def parse(path: Path, inputs: Mapping[str, TensorType] | None = None) -> Model:
    """Reads a file."""
    graph = walk(load(files_of(path)), inputs or {})
    model = source.read(graph, pytorch)
    verify(model, OPS)
    return model


def check(
    module: nn.Module,
    inputs: tuple[Any, ...],
    path: Path,
    dynamic: Any = None,
    others: tuple[Any, ...] | None = None,
    tolerance: float = 1e-5,
) -> Model:
    """Exports and reads a module; the reference runtime, and PyTorch op by op, must give what the
    module itself gives, for the example inputs and for `others`."""
    with preserved_rng():
        model = parse(export(module, inputs, path, dynamic))
        for given in filter(None, (inputs, others)):
            with torch.no_grad():
                found = module(*(i.clone() for i in given))
            wanted = [to_numpy(tensor) for tensor in tree_leaves(found)]
            arrays = [to_numpy(i) for i in given]
            close(run(model, arrays), wanted, tolerance)
            named = dict(zip((v.name for v in model.graph.inputs), arrays, strict=True))
            close(list(replay(files_of(path), named, 1).values()), wanted, tolerance)
    return model


def close(found: list[Array], wanted: list[Array], tolerance: float) -> None:
    """Equal shapes and types, and elements within a part of the output's scale."""
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        if theirs.dtype.kind in "bi" or theirs.size == 0:
            np.testing.assert_array_equal(ours, theirs)
            continue
        ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
        scale = max(np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0), 1e-6)
        np.testing.assert_allclose(ours / scale, theirs / scale, rtol=0, atol=tolerance)


@contextlib.contextmanager
def preserved_rng() -> Iterator[None]:
    """What is random stays what it would have been."""
    with torch.random.fork_rng():
        yield
