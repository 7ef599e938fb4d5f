"""Runs the code of a model that was written, and takes tensors to PyTorch and back."""

from __future__ import annotations

import json
import linecache
import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from safetensors import safe_open

from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files
from ir_hub.sdk.errors import BadRequest, RunFailed

Array = np.ndarray[Any, Any]

# NumPy has no name of its own for these; PyTorch reads their bits from a type of the same width.
_BITS = {
    torch.bfloat16: (torch.uint16, np.uint16),
    torch.float8_e4m3fn: (torch.uint8, np.uint8),
    torch.float8_e4m3fnuz: (torch.uint8, np.uint8),
    torch.float8_e5m2: (torch.uint8, np.uint8),
    torch.float8_e5m2fnuz: (torch.uint8, np.uint8),
}


def run(files: Files, inputs: Mapping[str, Array], threads: int) -> dict[str, Array]:
    """The outputs by name, of the code in the first file with the weights beside it.

    Raises:
        BadRequest: the inputs aren't the model's.
        RunFailed: the code failed.
    """
    weights = files.named("model.safetensors").path
    with safe_open(weights, "pt") as opened:
        metadata = opened.metadata() or {}
    names, outputs = json.loads(metadata["inputs"]), json.loads(metadata["outputs"])
    if sorted(names) != sorted(inputs):
        raise BadRequest(f"the model's inputs are {names}, not {sorted(inputs)}")
    tensors = [to_torch(inputs[name]) for name in names]
    torch.set_num_threads(threads)
    try:
        found = _loaded(files.main.path.read_text("utf-8"), str(weights))(*tensors)
    except Exception as error:  # the code may raise anything
        said = f"PyTorch can't run the model: {type(error).__name__}: {error}{_place(error)}"
        raise RunFailed(said) from error
    results = found if isinstance(found, tuple) else (found,)
    return {name: to_numpy(result) for name, result in zip(outputs, results, strict=True)}


def _loaded(code: str, weights: str) -> Any:
    """The model that code loads, as a function that keeps no gradients."""
    return torch.no_grad()(module_of(code, weights))


def module_of(code: str, weights: str) -> torch.nn.Module:
    """The model that code loads with the weights in a file."""
    # Errors then show the line of the model's code.
    linecache.cache["model.py"] = len(code), None, code.splitlines(keepends=True), "model.py"
    namespace: dict[str, Any] = {"__name__": "model"}
    exec(compile(code, "model.py", "exec"), namespace)
    module: torch.nn.Module = namespace["load"](weights)
    return module


def _place(error: Exception) -> str:
    """The line of the model's code that failed, innermost."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == "model.py"]
    return f" (in line {frames[-1].lineno} of model.py: {frames[-1].line})" if frames else ""


def to_torch(array: Array) -> torch.Tensor:
    """An array as a tensor of the same elements; a copy, which the model may write to.

    Raises:
        BadRequest: PyTorch has no such type.
    """
    dtype = getattr(torch, DType.of(array.dtype).value, None)
    if not isinstance(dtype, torch.dtype):
        raise BadRequest(f"PyTorch has no tensors of {array.dtype}")
    copied = np.array(array, order="C")
    if dtype in _BITS:
        return torch.from_numpy(copied.view(_BITS[dtype][1])).view(dtype)
    return torch.from_numpy(copied)


def to_numpy(tensor: torch.Tensor) -> Array:
    """A tensor as an array of the same elements."""
    plain = tensor.detach().contiguous()
    if plain.dtype not in _BITS:
        return plain.numpy()
    name = str(plain.dtype).removeprefix("torch.")
    return plain.view(_BITS[plain.dtype][0]).numpy().view(DType(name).numpy)
