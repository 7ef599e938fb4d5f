"""The hub's own stages, as functions for its worker processes: blobs in, blobs out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ir_hub.blobs import LocalStore
from ir_hub.hub import bundle, pipeline, proof
from ir_hub.hub.orders import Orders
from ir_hub.hub.outcome import Outcome
from ir_hub.ir.graph import Model
from ir_hub.ir.serde import dump_bytes
from ir_hub.ir.tensor import Blob
from ir_hub.ir.text import model_text
from ir_hub.layout.boundary import native_boundary
from ir_hub.ops.op import OPSET
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.errors import BadModel
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.worker import Function, Job

Request = Mapping[str, Any]
Stage = Callable[[LocalStore, Request, Job], Outcome]


def prepare(store_root: Path, store_bytes: int | None) -> Mapping[str, Function]:
    """What a worker can do, by the name of the stage. A request is JSON, an answer too; those of
    the proof are protobuf."""
    store = LocalStore(store_root, store_bytes)
    stages: dict[str, Stage] = {
        "parse": parse,
        "hold": hold,
        "check": check,
        "simplify": simplify,
        "recover": recover,
        "relay": relay,
        "lower": lower,
        "emit": emit,
        "inspect": inspect,
        "explain": explain,
    }
    functions = {name: partial(_perform, stage, store) for name, stage in stages.items()}
    return {**functions, **proof.functions(store)}


def parse(store: LocalStore, request: Request, job: Job) -> Outcome:
    """An IR file, bare or as a bundle, as the IR in the store."""
    file = Blob(**request["file"])
    if not bundle.is_bundle(store.open(file)[:64]):
        return Outcome(file)
    job.progress("unpacking", 0.0)
    content, blobs = bundle.read(store.path(file), store)
    model = load_model(content, store)
    strange = set(bundle.held_blobs(model)) - set(blobs)
    if strange:
        raise BadModel(
            f"The file lacks {len(strange)} of the blobs with its weights: it was cut off or "
            "changed. Give the file as irhub wrote it."
        )
    return _outcome(store, model)


def hold(store: LocalStore, request: Request, job: Job) -> Outcome:
    """The IR as it is, with the blobs that it refers to."""
    blob = Blob(**request["model"])
    return Outcome(blob, holds=(blob, *bundle.held_blobs(_load(store, request))))


def check(store: LocalStore, request: Request, job: Job) -> Outcome:
    """The same IR with every argument, if it is well-formed and its blobs are there."""
    model = _load(store, request)
    if not model.graph.outputs:
        raise BadModel(
            "The model has no outputs, so it computes nothing that could be converted: name its "
            "outputs where it is made, and save it again."
        )
    store.require(bundle.held_blobs(model))
    return _outcome(store, model, facts=pipeline.count(model))


def simplify(store: LocalStore, request: Request, job: Job) -> Outcome:
    """The IR with its sizes and constants computed."""
    model = pipeline.simplify(_load(store, request))
    facts = {"parameters": pipeline.count_parameters(model), **pipeline.count(model)}
    return _outcome(store, model, facts=facts)


def recover(store: LocalStore, request: Request, job: Job) -> Outcome:
    """The IR with its high-level ops."""
    model = _load(store, request)
    made = pipeline.recover(model)
    facts = {"recovered": dict(made.most_common()), **pipeline.count(model)}
    return _outcome(store, model, facts=facts)


def relay(store: LocalStore, request: Request, job: Job) -> Outcome:
    """The IR in the order of axes that the target runs, with `native` its inputs and outputs too;
    the facts say how these were changed."""
    model, is_native = _load(store, request), request["native"]
    if not is_native and pipeline.is_laid_out(model, request["axes"]):
        return _outcome(store, model, facts={"skipped": True})
    model = pipeline.relay(model, request["axes"])
    if not is_native:
        return _outcome(store, model)
    orders = Orders.of(model.graph, native_boundary(model.graph))
    return _outcome(store, model, facts=asdict(orders), notes=orders.notes())


def lower(store: LocalStore, request: Request, job: Job) -> Outcome:
    """The IR with ops that the target has."""
    model = pipeline.lower(_load(store, request), request["ops"])
    return _outcome(store, model, facts=pipeline.count(model))


def emit(store: LocalStore, request: Request, job: Job) -> Outcome:
    """The IR as one file that has its weights in it."""
    job.progress("writing the weights", 0.0)
    path = job.scratch / request["name"]
    bundle.write(_load(store, request), store, path)
    return Outcome(files=(NamedBlob(request["name"], store.adopt(path)),))


def inspect(store: LocalStore, request: Request, job: Job) -> Outcome:
    """What is in an IR, as text and as figures."""
    model = _load(store, request)
    text = store.put_bytes(model_text(model).encode())
    facts = {"ops": pipeline.count_ops(model), "parameters": pipeline.count_parameters(model)}
    return Outcome(files=(NamedBlob("model.txt", text),), facts=facts)


def explain(store: LocalStore, request: Request, job: Job) -> Outcome:
    """Where recover almost found something."""
    return Outcome(notes=tuple(pipeline.near_misses(_load(store, request))))


def _perform(stage: Stage, store: LocalStore, request: bytes, job: Job) -> bytes:
    return stage(store, json.loads(request), job).to_json().encode()


def _load(store: LocalStore, request: Request) -> Model:
    return load_model(store.open(Blob(**request["model"])), store)


def _outcome(store: LocalStore, model: Model, **said: Any) -> Outcome:
    stored: list[Blob] = []  # constants that were computed, and so lie in no file of the source

    def put(data: memoryview) -> Blob:
        stored.append(store.put_bytes(data))
        return stored[-1]

    blob = store.put_bytes(dump_bytes(model, put, OPSET))
    return Outcome(blob, holds=(blob, *bundle.held_blobs(model), *stored), **said)
