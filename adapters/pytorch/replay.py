"""Runs an exported program, op by op with PyTorch's own ops, from its JSON: loading it the usual
way would evaluate expressions in the file."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from adapters.pytorch.exported import UNREADABLE, names_of, outputs_of, plain
from adapters.pytorch.payloads import DTYPES
from adapters.pytorch.program import Program, load
from adapters.pytorch.run import to_numpy, to_torch
from adapters.pytorch.table import pytorch
from adapters.pytorch.walk import CHECKS, functional
from ir_hub.sdk.adapter import Files
from ir_hub.sdk.errors import BadRequest, RunFailed

Array = np.ndarray[Any, Any]

_ON_NUMBERS: Mapping[str, Callable[..., Any]] = {
    "torch.sym_max": torch.sym_max,
    "torch.sym_min": torch.sym_min,
    "torch.sym_float": torch.sym_float,
    "torch.sym_int": torch.sym_int,
    "torch.sym_not": torch.sym_not,
    **{
        f"_operator.{name}": getattr(operator, name)
        for name in (
            "add", "sub", "mul", "truediv", "floordiv", "mod", "neg", "eq", "ne", "lt", "le", "gt",
            "ge", "and_", "or_",
        )
    },
}  # fmt: skip
_FORMATS = {
    1: torch.contiguous_format,
    2: torch.channels_last,
    3: torch.channels_last_3d,
    4: torch.preserve_format,
}


def replay(files: Files, inputs: Mapping[str, Array], threads: int) -> dict[str, Array]:
    """The outputs by name, of the exported program in the first file.

    Raises:
        BadModel: the file isn't one that can be read.
        BadRequest: the inputs aren't the program's.
        RunFailed: an op isn't one that can be read, or failed.
    """
    torch.set_num_threads(threads)
    replayed = _Replay(load(files), inputs)
    with torch.no_grad():
        for node in replayed.program.graph["nodes"]:
            try:
                replayed.node(node)
            except (RuntimeError, TypeError, ValueError, IndexError, KeyError) as error:
                said = f"{type(error).__name__}: {error}"
                raise RunFailed(f"PyTorch can't run {node.get('name')}: {said}") from error
        return replayed.outputs()


class _Replay:
    def __init__(self, program: Program, inputs: Mapping[str, Array]) -> None:
        self.program = program
        self.values: dict[str, Any] = {}
        wanted = set()
        for spec in program.signature["input_specs"]:
            ((kind, what),) = spec.items()
            if kind == "user_input" and "as_tensor" in what["arg"]:
                wanted.add(what["arg"]["as_tensor"]["name"])
            elif kind in ("parameter", "buffer", "tensor_constant"):
                array = program.tensor(what[f"{kind}_name"]).numpy()
                self.values[what["arg"]["name"]] = to_torch(array)
        if wanted != inputs.keys():
            raise BadRequest(f"the model's inputs are {sorted(wanted)}, not {sorted(inputs)}")
        self.values.update((name, to_torch(array)) for name, array in inputs.items())

    def node(self, node: Mapping[str, Any]) -> None:
        target = node["target"].removeprefix("torch.ops.")
        if target.rpartition(".")[0] in CHECKS or target in CHECKS:
            return
        positional, named = [], {}
        for item in node["inputs"]:
            value = self.argument(item["arg"])
            if item.get("kind") == 2:
                named[item["name"]] = value
            else:
                positional.append(value)
        if target == UNREADABLE:
            raise RunFailed(f"{node['name']} can't be run: {named['reason']}")
        found = _op(target)(*positional, **named)
        results = list(found) if isinstance(found, tuple | list) else [found]
        self.values.update(zip(names_of(node["outputs"]), results, strict=False))

    def argument(self, item: Mapping[str, Any]) -> Any:
        ((kind, value),) = item.items()
        if kind in ("as_tensor", "as_sym_int", "as_sym_float", "as_sym_bool"):
            return self.number(value)
        if kind in ("as_tensors", "as_sym_ints", "as_sym_floats", "as_sym_bools"):
            return [self.number(each) for each in value]
        if kind == "as_optional_tensors":
            return [self.values[o["as_tensor"]["name"]] if "as_tensor" in o else None
                    for o in value]  # fmt: skip
        if kind == "as_scalar_type":
            return getattr(torch, DTYPES[value].value)
        if kind == "as_memory_format":
            return _FORMATS[value]
        if kind == "as_device":
            return torch.device("cpu")
        if kind == "as_layout":
            return torch.strided
        if kind not in ("as_none", "as_int", "as_ints", "as_float", "as_floats", "as_bool",
                        "as_bools", "as_string"):  # fmt: skip
            raise ValueError(f"an argument of the kind {kind}")
        if kind.endswith("s") and kind != "as_none":
            return [plain(kind, each) for each in value]
        return None if kind == "as_none" else plain(kind, value)

    def number(self, item: Mapping[str, Any]) -> Any:
        name = item.get("name") or item.get("as_name")
        return self.values[name] if name else next(iter(item.values()))

    def outputs(self) -> dict[str, Array]:
        signature = self.program.signature
        return {called: to_numpy(self.values[name]) for name, called in outputs_of(signature)}


def _op(target: str) -> Callable[..., Any]:
    """The op of that name; only those that the table reads too, none that reads a file, say."""
    if target in _ON_NUMBERS:
        return _ON_NUMBERS[target]
    if functional(target)[0] not in pytorch.reads or not target.startswith("aten."):
        raise RunFailed(f"{target} is not an op that is read")
    _, op, overload = target.split(".")
    found: Callable[..., Any] = getattr(getattr(torch.ops.aten, op), overload)
    return found
