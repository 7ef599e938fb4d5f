"""What the hub's workers do for a comparison: choose sizes, draw inputs, run the IR, compare."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from google.protobuf import json_format

from ir_hub.blobs import LocalStore
from ir_hub.blobs.wire import blob_from_proto
from ir_hub.hub import agreement, inputs, rounding, sizes
from ir_hub.hub.outcome import Outcome
from ir_hub.hub.provenance import origins
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.errors import RunFailed
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.tensors import read_arrays, write_arrays
from ir_hub.sdk.worker import Function, Job
from ir_hub.simplify.reference import RunError
from ir_hub.simplify.reference import run as run_graph
from irhub.adapter.v1 import adapter_pb2

Step = Callable[[LocalStore, bytes], bytes]


def functions(store: LocalStore) -> Mapping[str, Function]:
    """What a worker can do for a comparison, by name."""
    steps: dict[str, Step] = {"trials": trials, "draw": draw, "run": run, "agree": agree}
    return {name: partial(_perform, step, store) for name, step in steps.items()}


def trials(store: LocalStore, request: bytes) -> bytes:
    """JSON {model, taken, fixed}: a JSON list of what the inputs' symbols may be, best first."""
    asked = json.loads(request)
    model = load_model(store.open(Blob(**asked["model"])), store)
    return json.dumps(sizes.trials(model, asked["taken"], asked["fixed"])).encode()


def draw(store: LocalStore, request: bytes) -> bytes:
    """JSON {model, run, sizes}: inputs of these sizes, as the outputs of a RunResult."""
    asked = json.loads(request)
    model = load_model(store.open(Blob(**asked["model"])), store)
    arrays = inputs.draw(model, asked["sizes"], asked["run"])
    return adapter_pb2.RunResult(outputs=write_arrays(arrays, store)).SerializeToString()


def run(store: LocalStore, request: bytes) -> bytes:
    """A RunRequest whose file is an IR: its RunResult, from the reference runtime.

    Raises:
        RunFailed: the model can't be run with these inputs.
    """
    asked = adapter_pb2.RunRequest.FromString(request)
    model = load_model(store.open(blob_from_proto(asked.files[0].blob)), store)
    given = read_arrays(asked.inputs, store)
    try:
        arrays = run_graph(model, given)
    except (RunError, ValueError) as error:
        raise RunFailed(f"the reference runtime: {error}") from error
    names = (value.name for value in model.graph.outputs)
    outputs = dict(zip(names, arrays, strict=True))
    return adapter_pb2.RunResult(outputs=write_arrays(outputs, store)).SerializeToString()


def agree(store: LocalStore, request: bytes) -> bytes:
    """JSON {model, run, inputs, given, source, target}, the last three RunResults in base 64: an
    outcome whose facts are one OutputComparison an output."""
    asked = json.loads(request)
    target = _outputs(asked["target"], store)
    model = load_model(store.open(Blob(**asked["model"])), store)
    source = agreement.outputs_of(_outputs(asked["source"], store), origins(model.graph))
    found = agreement.compare_outputs(source, target, asked["run"], asked["inputs"])
    settled = rounding.settle(model, _outputs(asked["given"], store), source, target, found)
    outputs = [_facts(entry) for entry in found]
    doubts = (f"run {asked['run']}: {doubt}" for doubt in agreement.doubts(source))
    notes = (*settled, *doubts)
    return Outcome(notes=notes, facts={"outputs": outputs}).to_json().encode()


def _outputs(text: str, store: LocalStore) -> agreement.Arrays:
    return read_arrays(adapter_pb2.RunResult.FromString(base64.b64decode(text)).outputs, store)


def _facts(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def _perform(step: Step, store: LocalStore, request: bytes, job: Job) -> bytes:
    return step(store, request)
