"""Small ONNX models for tests, and how to take one through the adapter."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from adapters.onnx import run as runtime
from adapters.onnx.adapter import DEFAULT_OPSET, OnnxAdapter
from adapters.onnx.emit import ModelWriter
from adapters.onnx.initializers import write_model
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.ir.types import TensorType
from ir_hub.ir.verify import verify
from ir_hub.ops.catalogue import OPS
from ir_hub.sdk.adapter import Files, SourceFile, Work
from ir_hub.sdk.source import SourceGraph, read

Array = np.ndarray[Any, Any]
FLOAT, INT64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
ADAPTER = OnnxAdapter()


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[Any] | None],
    outputs: Sequence[str] = ("y",),
    weights: Mapping[str, Array] | None = None,
    opset: int = 20,
    **fields: Any,
) -> onnx.ModelProto:
    """A model of float inputs with these shapes."""
    graph = helper.make_graph(
        list(nodes),
        "main",
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs.items()],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10, **fields)


def files_of(*contents: tuple[str, bytes]) -> Files:
    """Files in memory, the model first."""
    blobs = {name: Blob(hashlib.sha256(data).hexdigest(), len(data)) for name, data in contents}
    by_digest = {blobs[name].digest: memoryview(data) for name, data in contents}
    files = tuple(SourceFile(name, Path(name), blob) for name, blob in blobs.items())
    return Files(files, lambda blob: by_digest[blob.digest])


def on_disk(*paths: Path) -> Files:
    """Files of a folder, the model first."""
    found = files_of(*((path.name, path.read_bytes()) for path in paths))
    files = zip(found.files, paths, strict=True)
    located = tuple(SourceFile(file.name, path, file.blob) for file, path in files)
    return Files(located, found.open_blob)


def walked(files: Files, inputs: Mapping[str, TensorType] | None = None) -> SourceGraph:
    """The source graph of a model's files."""
    work = Work({}, lambda *_: None, Path())
    return ADAPTER.walk(ADAPTER.load(files), files, inputs or {}, work)


def parsed(model: onnx.ModelProto | Files, **inputs: TensorType) -> Model:
    """A model in the IR, verified."""
    if isinstance(model, onnx.ModelProto):
        model = files_of(("model.onnx", model.SerializeToString()))
    found = read(walked(model, inputs), ADAPTER.dialect())
    verify(found, OPS)
    return found


def written(
    model: Model, folder: Path, opset: int = DEFAULT_OPSET, limit: int = (1 << 31) - 1
) -> Files:
    """What the adapter writes for a model, its weights apart when it would exceed the limit."""
    writer = ModelWriter(model, opset)
    proto = writer.model()
    weights = [(name, value.data) for value, name in writer.constants.items()]
    path = folder / "model.onnx"
    return on_disk(*write_model(proto, weights, path, lambda *_: None, limit))  # type: ignore


def run(files: Files, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """What ONNX Runtime computes."""
    with tempfile.TemporaryDirectory() as scratch:
        return runtime.run(files, inputs, Path(scratch))


def same_outputs(model: onnx.ModelProto, folder: Path, **inputs: Array) -> Model:
    """Asserts that what is written computes the same; returns what was read between."""
    source = folder / "source.onnx"
    onnx.save(model, source)
    expected = run(on_disk(source), inputs)
    middle = parsed(model)
    found = run(written(middle, folder), inputs)
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-6)
        assert found[name].dtype == array.dtype
    return middle
