"""The PyTorch adapter: what the SDK serves."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ir_hub.ir.graph import Model
from ir_hub.sdk.adapter import Adapter, Emitted, Files, Format, Option, Work
from ir_hub.sdk.dialect import Dialect

_CODE = Format("code", (".py",), "model.py, nested nn.Modules, and their model.safetensors.")


class PyTorchAdapter(Adapter):
    """Writes models as PyTorch code with weights, and runs that very code on the CPU."""

    framework: ClassVar[str] = "pytorch"
    writes: ClassVar[tuple[Format, ...]] = (_CODE,)
    options: ClassVar[tuple[Option, ...]] = (
        Option("run", "threads", "Threads that PyTorch may use.", "1", ("1", "2", "4", "8")),
    )

    def framework_version(self) -> str:
        """PyTorch's version."""
        return f"torch {version('torch')}"

    def dialect(self) -> Dialect:
        """The op tables."""
        from adapters.pytorch.table import pytorch

        return pytorch

    def warm(self) -> None:
        """Imports PyTorch and the tables."""
        from adapters.pytorch import run, table

        assert all((run, table))

    def save(self, model: Model, format_name: str, folder: Path, work: Work) -> Emitted:
        """Writes model.py and model.safetensors."""
        from adapters.pytorch.emit import save

        return save(model, folder, work.progress)

    def run(
        self, files: Files, inputs: Mapping[str, np.ndarray[Any, Any]], work: Work
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Runs the code of a model that `save` wrote."""
        from adapters.pytorch.run import run

        return run(files, inputs, int(work.options["threads"]))
