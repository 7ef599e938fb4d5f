"""Writes a model's code and weights as an exported program too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.export.graph_signature import InputKind

from adapters.pytorch.emit import CODE_FILE, WEIGHTS_FILE, save
from adapters.pytorch.run import module_of
from adapters.pytorch.table import pytorch
from ir_hub.ir.dims import Symbol, evaluate, symbol, symbols_of
from ir_hub.ir.graph import Model, Value
from ir_hub.sdk.adapter import Emitted, Progress
from ir_hub.sdk.errors import Problem, UnsupportedNodes

PROGRAM_FILE = "model.pt2"
_SHOWN = 300  # characters of PyTorch's own words


def save_exported(model: Model, folder: Path, progress: Progress) -> Emitted:
    """Writes model.pt2, exported from the code in model.py, and what `save` writes.

    Raises:
        UnsupportedNodes: PyTorch can't say the model, or can't export what it says.
    """
    inputs, symbols = list(model.graph.inputs), dict(model.symbols)
    emitted = save(model, folder, progress)
    progress("export", 0.7)
    program = _exported(folder, inputs, symbols)
    torch.export.save(program, folder / PROGRAM_FILE)
    return Emitted([PROGRAM_FILE, *emitted.files], emitted.notes, emitted.weight_names)


def _exported(folder: Path, inputs: list[Value], symbols: Mapping[str, Symbol]) -> Any:
    module = module_of((folder / CODE_FILE).read_text("utf-8"), str(folder / WEIGHTS_FILE))
    numbers = _example_sizes(inputs, symbols)
    dims = {name: _dim(f"size{at}", symbols.get(name)) for at, name in enumerate(numbers)}
    examples = tuple(_example(value, numbers) for value in inputs)
    dynamic = tuple(_dynamic(value, dims) for value in inputs)
    try:
        program = torch.export.export(module, examples, dynamic_shapes=dynamic)
    except Exception as error:  # tracing runs the model's code, which may raise anything
        said = " ".join(str(error).split())[:_SHOWN]
        raise _refused("the model", f"torch.export doesn't take its code: {said}") from error
    specs = program.graph_signature.input_specs
    names = [spec.arg.name for spec in specs if spec.kind is InputKind.USER_INPUT]
    for value, name in zip(inputs, names, strict=True):
        if value.name != name:
            raise _refused(value.name, f"an exported program can only call this input {name!r}")
    return program


def _example_sizes(inputs: list[Value], symbols: Mapping[str, Symbol]) -> dict[str, int]:
    """A size for each symbol: allowed, unlike the others, and not one of 0 and 1, which
    torch.export takes for fixed."""
    names = sorted(
        {name for value in inputs for size in _shape(value) for name in symbols_of(size)}
    )
    return {name: _allowed(symbols.get(name), 3 + 2 * at) for at, name in enumerate(names)}


def _allowed(said: Symbol | None, wanted: int) -> int:
    if said is None:
        return wanted
    step = said.multiple_of
    wanted = -(-max(wanted, said.min) // step) * step
    return int(min(wanted, said.interval[1]))


def _dim(name: str, said: Symbol | None) -> Any:
    return torch.export.Dim(name, min=said.min, max=said.max) if said else torch.export.Dim(name)


def _dynamic(value: Value, dims: Mapping[str, Any]) -> dict[int, Any]:
    """How torch.export is told which sizes stay open: what follows from others, it finds out."""
    by_dim = {symbol(name): dim for name, dim in dims.items()}
    return {
        axis: by_dim.get(size, torch.export.Dim.DYNAMIC)
        for axis, size in enumerate(_shape(value))
        if symbols_of(size)
    }


def _example(value: Value, numbers: Mapping[str, int]) -> torch.Tensor:
    if value.dtype is None:
        raise _refused(value.name, "its type isn't known: say it")
    shape = [evaluate(size, numbers) for size in _shape(value)]
    return torch.zeros(shape, dtype=getattr(torch, value.dtype.value))


def _shape(value: Value) -> tuple[Any, ...]:
    if value.shape is None:
        raise _refused(value.name, "its shape isn't known: say its type")
    return value.shape


def _refused(subject: str, reason: str) -> UnsupportedNodes:
    return UnsupportedNodes(pytorch.name, [Problem(subject, reason)])
