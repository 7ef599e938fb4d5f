"""Graphs written as PyTorch code, loaded with exactly their weights, run beside the reference."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from adapters.pytorch.emit import model_code, spell
from adapters.pytorch.run import to_numpy, to_torch
from adapters.pytorch.table import STYLE
from ir_hub.codegen.write import Written, write
from ir_hub.ir.graph import Model, Source
from ir_hub.simplify.reference import run

Array = np.ndarray[Any, Any]


def written(model: Model) -> Written:
    """The model as code."""
    return write(model, spell(model.graph), STYLE)


def loaded(code: Written) -> nn.Module:
    """The module that the code defines; its parameters and buffers must be those it names."""
    namespace: dict[str, Any] = {}
    exec(compile(model_code(code, Source()), "model.py", "exec"), namespace)
    with torch.device("meta"):
        module = namespace[code.class_name]()
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert {name: value.shape for name, value in code.weights.items()} == wanted
    weights = {name: to_torch(value.array()) for name, value in code.weights.items()}
    module.load_state_dict(weights, strict=True, assign=True)
    return module.eval()


def check(model: Model, *batches: int) -> Written:
    """Writes a model and compares it with the reference at these sizes of the batch."""
    code = written(copy.deepcopy(model))
    module = loaded(code)
    for batch in batches:
        inputs = _inputs(model, batch)
        wanted = run(model, inputs)
        with torch.no_grad():
            found = module(*map(to_torch, inputs))
        results = found if isinstance(found, tuple) else (found,)
        for ours, theirs in zip(wanted, map(to_numpy, results), strict=True):
            assert theirs.shape == ours.shape, code.code
            assert theirs.dtype == ours.dtype, code.code
            np.testing.assert_allclose(theirs, ours, rtol=1e-7, atol=1e-9, err_msg=code.code)
    return code


def _inputs(model: Model, batch: int) -> list[Array]:
    rng = np.random.default_rng(batch)
    shapes = [
        [size if isinstance(size, int) else batch for size in value.shape or ()]
        for value in model.graph.inputs
    ]
    return [rng.normal(0, 1, shape).astype(np.float64) for shape in shapes]
