"""The ONNX adapter: what the SDK serves."""

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
from ir_hub.sdk.source import SourceGraph

DEFAULT_OPSET = 23
_FILE = Format("onnx", (".onnx",), "An ONNX model; its external data, if any, as further files.")


class OnnxAdapter(Adapter):
    """Reads ONNX files from opset 7 on, writes new ones, and runs ONNX Runtime on the CPU."""

    framework: ClassVar[str] = "onnx"
    reads: ClassVar[tuple[Format, ...]] = (_FILE,)
    writes: ClassVar[tuple[Format, ...]] = (_FILE,)
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            "emit",
            "opset",
            "The version of the ONNX op set to write; older ones are for older runtimes.",
            str(DEFAULT_OPSET),
            ("21", "22", "23", "24", "25", "26", "27", "28"),
        ),
        Option("run", "threads", "Threads that ONNX Runtime may use.", "1", ("1", "2", "4", "8")),
        Option(
            "run",
            "optimize",
            "How far ONNX Runtime may rewrite the model first. 'none' runs it as it is written.",
            "none",
            ("none", "basic", "all"),
        ),
    )

    def framework_version(self) -> str:
        """The versions of ONNX and of its runtime."""
        return f"onnx {version('onnx')}, onnxruntime {version('onnxruntime')}"

    def dialect(self) -> Dialect:
        """The op tables."""
        from adapters.onnx.ops import table

        return table

    def warm(self) -> None:
        """Imports ONNX, its runtime and the tables."""
        from adapters.onnx import emit, ops, run, walk

        assert all((emit, ops, run, walk))

    def load(self, files: Files) -> Any:
        """Opens an .onnx file; its big weights stay where they are."""
        from adapters.onnx.files import load

        return load(files, self.dialect().reads)

    def walk(
        self, loaded: Any, files: Files, inputs: Mapping[str, TensorType], work: Work
    ) -> SourceGraph:
        """The model's graph."""
        from adapters.onnx.walk import walk

        return walk(loaded, files, inputs)

    def save(self, model: Model, format_name: str, folder: Path, work: Work) -> Emitted:
        """Writes model.onnx, and model.onnx.data when the weights take more than 2 GiB."""
        from adapters.onnx.emit import save

        return save(model, int(work.options["opset"]), folder, work.progress)

    def run(
        self, files: Files, inputs: Mapping[str, np.ndarray[Any, Any]], work: Work
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Runs an .onnx file with ONNX Runtime."""
        from adapters.onnx.run import run

        threads, optimize = int(work.options["threads"]), work.options["optimize"]
        return run(files, inputs, work.scratch, threads, optimize)
