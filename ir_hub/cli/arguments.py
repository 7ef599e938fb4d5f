"""What stands on the command line, as the contract has it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ir_hub.cli.errors import UsageError
from ir_hub.ir.dims import parse_dim
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.adapter import Adapter
from ir_hub.sdk.tensors import Arrays, write_types
from irhub.ir.v1 import ir_pb2


def input_types(texts: Iterable[str]) -> dict[str, ir_pb2.TensorType]:
    """Types of inputs from "name=1x3x224x224", "name=N,3,H,W:float16" or, of a scalar, "name=".

    Raises:
        UsageError: a text isn't such a type.
    """
    return dict(write_types(dict(map(_input_type, texts))))


def check_inputs(path: Path) -> Arrays:
    """The arrays of an `.npz` file by name.

    Raises:
        UsageError: it isn't one, or has Python objects in it.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise UsageError(f"{path} is a single array: give an .npz file, by input name")
            return {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise UsageError(f"{path} is no .npz file of plain arrays: {error}") from error


def options(
    texts: Sequence[str], source: type[Adapter] | None, target: type[Adapter] | None
) -> tuple[dict[str, str], dict[str, str]]:
    """The options of the parser and of the emitter, from "name=value" each.

    Raises:
        UsageError: a text isn't one, or neither side has such an option.
    """
    parse, emit = _options_of(source, "parse"), _options_of(target, "emit")
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--option {text!r}: write name=value")
        if name not in parse | emit:
            there = ", ".join(sorted(parse | emit)) or "none"
            raise UsageError(f"--option {text!r}: there is no option {name!r}; there is: {there}")
        given[name] = value
    return (
        {name: value for name, value in given.items() if name in parse},
        {name: value for name, value in given.items() if name in emit},
    )


def _options_of(adapter: type[Adapter] | None, stage: str) -> set[str]:
    return {o.name for o in adapter.options if o.stage == stage} if adapter else set()


def _input_type(text: str) -> tuple[str, TensorType]:
    name, equals, described = text.rpartition("=")
    sizes, _, dtype = described.partition(":")
    if not equals or not name:
        raise UsageError(f"--input {text!r}: write name=shape, such as x=1x3x224x224")
    try:
        element = DType(dtype or "float32")
    except ValueError as error:
        there = ", ".join(each.value for each in DType)
        raise UsageError(f"--input {text!r}: {dtype!r} is no element type of {there}") from error
    try:
        parts = sizes.split("," if "," in sizes else "x") if sizes else []
        return name, TensorType(element, tuple(parse_dim(part.strip()) for part in parts))
    except ValueError as error:
        raise UsageError(
            f"--input {text!r}: {sizes!r} is no shape: {error}. Write 1x3x224x224, or N,3,H,W "
            "where sizes are open"
        ) from error
