"""Models written to a folder by the adapter, and run from there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adapters.pytorch.emit import save
from adapters.pytorch.run import run
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.adapter import Emitted, Files, SourceFile

Array = np.ndarray[Any, Any]


def write(model: Model, folder: Path) -> Emitted:
    """Writes a model."""
    return save(model, folder, lambda *_: None)


def run_saved(folder: Path, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Runs what was written."""
    names = ("model.py", "model.safetensors")
    files = tuple(SourceFile(name, folder / name, Blob("", 0)) for name in names)
    return run(Files(files, lambda _: memoryview(b"")), inputs, 1)
