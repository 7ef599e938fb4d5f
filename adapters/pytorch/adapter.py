"""The PyTorch adapter: what the SDK serves."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ir_hub.ir.graph import Model
from ir_hub.ir.types import TensorType
from ir_hub.sdk.adapter import Adapter, Emitted, Files, Format, Option, Work
from ir_hub.sdk.dialect import Dialect
from ir_hub.sdk.errors import BadModel
from ir_hub.sdk.source import SourceGraph

_CODE = Format("code", (".py",), "model.py, nested nn.Modules, and their model.safetensors.")

_EXPORTED = Format("pt2", (".pt2",), "An exported program, as torch.export.save writes it.")
_PICKLE = Format(
    "pickle",
    (".pt", ".pth", ".pth.tar", ".ckpt", ".bin", ".pkl"),
    "PyTorch's pickles and TorchScript hold code, or weights without a graph: load the model where "
    "its code is, and write it by torch.export.save(torch.export.export(model, inputs), 'x.pt2').",
)
_BOTH = Format("pt2", (".pt2",), "model.pt2, an exported program, and the code that it came from.")


class PyTorchAdapter(Adapter):
    """Reads exported programs without running anything in them, writes models as PyTorch code
    with weights, and runs either on the CPU."""

    framework: ClassVar[str] = "pytorch"
    reads: ClassVar[tuple[Format, ...]] = (_EXPORTED,)
    unread: ClassVar[tuple[Format, ...]] = (_PICKLE,)
    writes: ClassVar[tuple[Format, ...]] = (_CODE, _BOTH)
    code: ClassVar[tuple[str, ...]] = _CODE.suffixes
    options: ClassVar[tuple[Option, ...]] = (
        Option("run", "threads", "Threads that PyTorch may use.", "1", ("1", "2", "4", "8")),
    )

    def framework_version(self) -> str:
        """PyTorch's version."""
        return f"torch {version('torch')}"

    def dialect(self) -> Dialect:
        """The op tables."""
        from adapters.pytorch import reads
        from adapters.pytorch.table import pytorch

        assert reads
        return pytorch

    def warm(self) -> None:
        """Imports PyTorch and the tables."""
        from adapters.pytorch import reads, replay, run, table

        assert all((reads, replay, run, table))

    def load(self, files: Files) -> Any:
        """Opens a .pt2 file; its weights stay where they are."""
        from adapters.pytorch.program import load

        return load(files)

    def walk(
        self, loaded: Any, files: Files, inputs: Mapping[str, TensorType], work: Work
    ) -> SourceGraph:
        """The exported program's graph."""
        from adapters.pytorch.walk import walk

        return walk(loaded, inputs)

    def save(self, model: Model, format_name: str, folder: Path, work: Work) -> Emitted:
        """Writes model.py and model.safetensors, and model.pt2 if that is asked for."""
        if format_name == _BOTH.name:
            from adapters.pytorch.export import save_exported

            return save_exported(model, folder, work.progress)
        from adapters.pytorch.emit import save

        return save(model, folder, work.progress)

    def run(
        self, files: Files, inputs: Mapping[str, np.ndarray[Any, Any]], work: Work
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Runs the code of a model that `save` wrote, or an exported program."""
        from adapters.pytorch.replay import replay
        from adapters.pytorch.run import run

        runners = {_EXPORTED.suffixes: replay, self.code: run}
        for suffixes, runner in runners.items():
            if files.main.name.endswith(suffixes):
                return runner(files, inputs, int(work.options["threads"]))
        raise BadModel(f"{files.main.name} is neither code (.py) nor an exported program (.pt2)")
