"""One case of ONNX's backend tests: read, verified, run twice, compared."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from adapters.onnx.adapter import DEFAULT_OPSET
from adapters.onnx.emit import ModelWriter
from adapters.onnx.files import load
from adapters.onnx.ops import table
from adapters.onnx.run import open_session, run_session
from adapters.onnx.walk import walk
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.ir.verify import verify
from ir_hub.ops.catalogue import OPS
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import AdapterError, BadModel, UnsupportedNodes
from ir_hub.sdk.source import read
from ir_hub.simplify.lower import lower
from ir_hub.simplify.reference import run
from tests.backend.agreement import as_ours, compared, summary

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
Array = np.ndarray[Any, Any]
DataSet = tuple[list[Any], list[Any]]


@dataclass
class Outcome:
    """What came of a case; `refused` says why it wasn't read, the others "passed" or why not."""

    kind: str
    name: str
    refused: str = ""
    reference: str = ""
    runtime: str = ""


def load_cases(only: str = "") -> list[tuple[str, Any]]:
    """The cases of the suite that need no download, with their kind."""
    cases = [(kind, case) for kind in KINDS for case in load_model_tests(kind=kind)]
    return [(kind, case) for kind, case in cases if only in case.name]


def judge(kind: str, case: Any, opset: int = DEFAULT_OPSET) -> Outcome:
    """Takes a case through the adapter."""
    outcome = Outcome(kind, case.name)
    content = content_of(case)
    try:
        model = read_model(content)
        verify(model, OPS)
    except UnsupportedNodes as error:
        outcome.refused = sorted({problem.description for problem in error.problems})[0]
        return outcome
    except Exception as error:
        outcome.reference = outcome.runtime = f"not read: {summary(error)}"
        return outcome
    data_sets = list(data_sets_of(case, onnx.load_from_string(content)))
    outcome.reference = _first_failure(_by_reference(model, inputs, expected, case)
                                       for inputs, expected in data_sets)  # fmt: skip
    outcome.runtime = _by_runtime(model, content, data_sets, case, opset)
    return outcome


def files_of(content: bytes, name: str = "model.onnx") -> Files:
    """A model in memory as files."""
    blob = Blob(hashlib.sha256(content).hexdigest(), len(content))
    return Files((SourceFile(name, Path(name), blob),), lambda _: memoryview(content))


def read_model(content: bytes) -> Model:
    """A model as the adapter reads it."""
    files = files_of(content)
    return read(walk(load(files, table.reads), files, {}), table)


def content_of(case: Any) -> bytes:
    """A case's model as the bytes of a file."""
    if case.model is not None:
        return case.model.SerializeToString()  # type: ignore[no-any-return]
    return Path(case.model_dir, "model.onnx").read_bytes()


def data_sets_of(case: Any, model: onnx.ModelProto) -> list[DataSet]:
    """The inputs and expected outputs of each of a case's runs."""
    if case.data_sets is not None:
        return [([_array(v) for v in a], [_array(v) for v in b]) for a, b in case.data_sets]
    folders = sorted(Path(case.model_dir).glob("test_data_set_*"))
    return [(_stored(folder, "input"), _stored(folder, "output")) for folder in folders]


def _stored(folder: Path, kind: str) -> list[Array]:
    count = len(list(folder.glob(f"{kind}_*.pb")))
    protos = [onnx.load_tensor(folder / f"{kind}_{i}.pb") for i in range(count)]
    return [_array(proto) for proto in protos]


def _array(value: Any) -> Any:
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def _first_failure(results: Any) -> str:
    return next((text for text in results if text != "passed"), "passed")


def _by_reference(model: Model, inputs: Sequence[Any], expected: Sequence[Any], case: Any) -> str:
    try:
        found = run(model, [as_ours(array) for array in inputs])
    except Exception as error:
        return f"not run: {summary(error)}"
    return compared(found, expected, case)


def _by_runtime(
    model: Model, content: bytes, data_sets: Sequence[DataSet], case: Any, opset: int
) -> str:
    try:
        written = written_model(lower(model, table.written(opset)), opset)
    except UnsupportedNodes as error:
        return f"not written: {sorted({p.description for p in error.problems})[0]}"
    except Exception as error:
        return f"not written: {summary(error)}"
    text = _first_failure(_run_once(written, a, b, case) for a, b in data_sets)
    if text.startswith("wrong") and _runtime_itself(content, written, data_sets, case):
        return "ONNX Runtime gives this for the source model too"
    if text != "passed" and not _runs(content, data_sets):
        return "ONNX Runtime can't run the source model either"
    return text


def written_model(model: Model, opset: int = DEFAULT_OPSET) -> bytes:
    """What the adapter would write, its initializers inside."""
    writer = ModelWriter(model, opset)
    proto = writer.model()
    for value, name in writer.constants.items():
        proto.graph.initializer.append(numpy_helper.from_array(value.array(), name))
    return proto.SerializeToString()  # type: ignore[no-any-return]


def _run_once(written: bytes, inputs: Sequence[Any], expected: Sequence[Any], case: Any) -> str:
    try:
        found = _run_model(written, inputs)
    except BadModel as error:
        return f"not opened: {summary(error)}"
    except AdapterError as error:
        return f"not run: {summary(error)}"
    return compared(found, expected, case)


def _run_model(content: bytes, inputs: Sequence[Any]) -> list[Array]:
    session = open_session(content, 1, "none")
    names = [item.name for item in session.get_inputs()]
    feeds = {name: as_ours(array) for name, array in zip(names, inputs, strict=True)}
    return list(run_session(session, feeds).values())


def _runtime_itself(
    content: bytes, written: bytes, data_sets: Sequence[DataSet], case: Any
) -> bool:
    """Whether ONNX Runtime gives for the source model what it gives for the written one."""
    try:
        return all(
            compared(_run_model(written, inputs), _run_model(content, inputs), case) == "passed"
            for inputs, _ in data_sets
        )
    except AdapterError:
        return False


def _runs(content: bytes, data_sets: Sequence[DataSet]) -> bool:
    """Whether ONNX Runtime runs a model."""
    try:
        for inputs, _ in data_sets:
            _run_model(content, inputs)
    except AdapterError:
        return False
    return True
