"""What stands on the command line, as the contract has it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

import numpy as np

from ir_hub.cli.errors import UsageError
from ir_hub.ir.dims import parse_dim
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.tensors import Arrays, write_types
from irhub.ir.v1 import ir_pb2

Options = Set[tuple[str, str]]


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


def options(texts: Iterable[str]) -> dict[str, str]:
    """Options by name, from "name=value" each; UsageError when a text isn't one."""
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--option {text!r}: write name=value")
        given[name] = value
    return given


def options_for(given: Mapping[str, str], stage: str, there: Options) -> dict[str, str]:
    """Those of the given options that a stage has; `there` are the stages and names of one side."""
    return {name: value for name, value in given.items() if (stage, name) in there}


def check_options(given: Mapping[str, str], parse: Options, emit: Options) -> None:
    """Nothing, if every option is the parser's or the emitter's; else UsageError."""
    names = {name for stage, name in parse if stage == "parse"}
    names |= {name for stage, name in emit if stage == "emit"}
    for name in given:
        if name not in names:
            said = ", ".join(sorted(names)) or "none"
            raise UsageError(f"--option {name}: there is no such option; there is: {said}")


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
