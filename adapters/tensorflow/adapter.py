"""The TensorFlow adapter: what the SDK serves."""

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

_KERAS = Format("keras", (".keras",), "model.py, functional Keras 3, and the model.keras it makes.")
_SAVED = Format("saved_model", (".pb",), "model.py, its weights, and the SavedModel that it makes.")
_TFLITE = Format(
    "tflite", (".tflite", ".lite"), "Convert the SavedModel or Keras model that it was made from."
)
_SIGNATURE = "A SavedModel's signature; else its only or default one."


class TensorFlowAdapter(Adapter):
    """Reads Keras models layer by layer, writes them as functional code, runs them on the CPU."""

    framework: ClassVar[str] = "tensorflow"
    reads: ClassVar[tuple[Format, ...]] = (
        Format("keras", (".keras",), "A functional or sequential Keras 3 model, with its weights."),
        Format("hdf5", (".h5", ".hdf5"), "The same as HDF5, of Keras 2 too."),
        Format("saved_model", ("saved_model.pb",), "A SavedModel's folder, read by its graph."),
        Format("graph_def", (".pb",), "A frozen graph."),
    )
    unread: ClassVar[tuple[Format, ...]] = (_TFLITE,)
    writes: ClassVar[tuple[Format, ...]] = (_KERAS, _SAVED)
    options: ClassVar[tuple[Option, ...]] = (
        SIZES,
        Option("parse", "signature", _SIGNATURE),
        Option("run", "signature", _SIGNATURE),
        Option("run", "threads", "Threads that TensorFlow may use.", "1", ("1", "2", "4", "8")),
    )

    def framework_version(self) -> str:
        """The versions of TensorFlow and of Keras."""
        return f"tensorflow {version('tensorflow-cpu')}, keras {version('keras')}"

    def dialect(self) -> Dialect:
        """The op tables."""
        from adapters.tensorflow.saved import table
        from adapters.tensorflow.table import tensorflow

        assert table
        return tensorflow

    def warm(self) -> None:
        """Imports TensorFlow, Keras and the tables."""
        import gc

        from adapters.tensorflow import emit, run, table, walk
        from adapters.tensorflow.saved import table as graph_table
        from adapters.tensorflow.saved import walk as graph_walk

        assert all((emit, run, table, walk, graph_table, graph_walk))
        # A conversion ends with a collection, which needn't look at all of TensorFlow.
        gc.freeze()

    def load(self, files: Files) -> Any:
        """Opens a Keras model, a SavedModel or a graph; the weights stay where they are."""
        from adapters.tensorflow.files import load
        from adapters.tensorflow.saved import frozen, graph_file, is_frozen, model

        graph = graph_file(files)
        if graph is None:
            return load(files)
        return (frozen if is_frozen(files, graph) else model).load(files, graph)

    def walk(
        self, loaded: Any, files: Files, inputs: Mapping[str, TensorType], work: Work
    ) -> SourceGraph:
        """The model's layers or ops, those of nested models and of functions among them."""
        from adapters.tensorflow.saved.model import GraphModel
        from adapters.tensorflow.saved.walk import walk as walk_graph
        from adapters.tensorflow.walk import walk

        if isinstance(loaded, GraphModel):
            return walk_graph(loaded, work.options["signature"], inputs)
        return walk(loaded, inputs)

    def save(self, model: Model, format_name: str, folder: Path, work: Work) -> Emitted:
        """Writes model.py, runs it, and writes the model that it makes."""
        from adapters.tensorflow.emit import save

        return save(model, format_name, work.options["sizes"], folder, work.progress)

    def run(
        self, files: Files, inputs: Mapping[str, np.ndarray[Any, Any]], work: Work
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Runs a Keras model, a SavedModel or a graph."""
        from adapters.tensorflow.run import run

        options = work.options
        return run(files, inputs, work.scratch, int(options["threads"]), options["signature"])
