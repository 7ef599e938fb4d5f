"""The MXNet adapter: what the SDK serves."""

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
from ir_hub.sdk.fixed_sizes import SIZES
from ir_hub.sdk.source import SourceGraph

_SYMBOL = Format(
    "symbol",
    ("-symbol.json", ".json", ".params"),
    "A symbol and its .params, both given; of Gluon's export or of the Module API.",
)
_CODE = Format(
    "code",
    (".py",),
    "model.py, nested Gluon HybridBlocks, with model-symbol.json and model-0000.params.",
)


class MXNetAdapter(Adapter):
    """Reads symbols with their params without MXNet; writes Gluon code and what it exports; runs
    symbols on the CPU."""

    framework: ClassVar[str] = "mxnet"
    reads: ClassVar[tuple[Format, ...]] = (_SYMBOL,)
    writes: ClassVar[tuple[Format, ...]] = (_CODE,)
    options: ClassVar[tuple[Option, ...]] = (SIZES,)

    def framework_version(self) -> str:
        """MXNet's version."""
        return f"mxnet {version('mxnet')}"

    def dialect(self) -> Dialect:
        """The op tables."""
        from adapters.mxnet.table import mxnet

        return mxnet

    def warm(self) -> None:
        """Imports MXNet and the tables."""
        from adapters.mxnet import emit, run, table

        assert all((emit, run, table))

    def load(self, files: Files) -> Any:
        """Opens a symbol and its params; weights stay where they are."""
        from adapters.mxnet.files import load

        return load(files)

    def walk(
        self, loaded: Any, files: Files, inputs: Mapping[str, TensorType], work: Work
    ) -> SourceGraph:
        """The model's graph."""
        from adapters.mxnet.walk import walk

        return walk(loaded, inputs)

    def save(self, model: Model, format_name: str, folder: Path, work: Work) -> Emitted:
        """Writes model.py, runs it, and saves what it exports."""
        from adapters.mxnet.emit import save

        return save(model, work.options["sizes"], folder, work.progress)

    def run(
        self, files: Files, inputs: Mapping[str, np.ndarray[Any, Any]], work: Work
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Runs a symbol with MXNet."""
        from adapters.mxnet.run import run

        return run(files, inputs)
