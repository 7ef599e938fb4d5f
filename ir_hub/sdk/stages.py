"""What a worker does for Parse, Emit and Run, whatever the framework."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from google.protobuf.message import DecodeError

from ir_hub.blobs.store import LocalStore
from ir_hub.blobs.wire import blob_from_proto, blob_to_proto
from ir_hub.ir import serde
from ir_hub.ir.dims import substitute
from ir_hub.ir.errors import BadIR
from ir_hub.ir.graph import Model, Node
from ir_hub.ir.tensor import Blob, BlobTensor
from ir_hub.ir.types import Shape
from ir_hub.ir.verify import complete, verify
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import OPSET
from ir_hub.sdk import source
from ir_hub.sdk.adapter import Adapter, Emitted, Files, SourceFile, Work
from ir_hub.sdk.dialect import Dialect, Unsupported
from ir_hub.sdk.errors import (
    BadModel,
    BadRequest,
    Internal,
    OpsetSkew,
    Problem,
    UnsupportedNodes,
)
from ir_hub.sdk.tensors import read_arrays, read_types, write_arrays
from ir_hub.sdk.trust import refuse_strange, trust_code
from ir_hub.sdk.worker import Function, Job
from ir_hub.simplify.lower import lower
from irhub.adapter.v1 import adapter_pb2
from irhub.ir.v1 import ir_pb2

# The worker's own death ends a lease; this is only for a machine that is switched off.
_LEASE_SECONDS = 24 * 3600.0
_PATH_BYTES = 1024
_NAME_BYTES = 255


def functions(
    adapter: Adapter, root: Path, limit_bytes: int | None, *, allow_code: bool
) -> dict[str, Function]:
    """What a worker offers, by name, once the adapter is warm; requests and results serialised.

    Blobs are in the store at `root`, which may hold `limit_bytes`. With `allow_code` any code is
    run, not only what `emit` wrote.
    """
    adapter.warm()
    store = LocalStore(root, limit_bytes)
    return {
        "describe": lambda _, __: describe(adapter).SerializeToString(),
        "parse": lambda data, job: parse(
            adapter, adapter_pb2.ParseRequest.FromString(data), store, job
        ).SerializeToString(),
        "emit": lambda data, job: emit(
            adapter, adapter_pb2.EmitRequest.FromString(data), store, job
        ).SerializeToString(),
        "run": lambda data, job: run(
            adapter, adapter_pb2.RunRequest.FromString(data), store, job, allow_code=allow_code
        ).SerializeToString(),
    }


def describe(adapter: Adapter) -> adapter_pb2.DescribeResponse:
    """What an adapter is and can do."""
    dialect = adapter.dialect()
    formats = {
        "reads": [_format(f.name, f.suffixes, f.description) for f in adapter.reads],
        "unread": [_format(f.name, f.suffixes, f.description) for f in adapter.unread],
        "writes": [_format(f.name, f.suffixes, f.description) for f in adapter.writes],
    }
    return adapter_pb2.DescribeResponse(
        framework=adapter.framework,
        framework_version=adapter.framework_version(),
        adapter_version=adapter.version,
        opset=OPSET,
        ops=dialect.written(),
        axes=dialect.axes,
        options=[
            adapter_pb2.Option(stage=o.stage, name=o.name, description=o.description)
            for o in adapter.options
        ],
        **formats,
    )


def parse(
    adapter: Adapter, request: adapter_pb2.ParseRequest, store: LocalStore, job: Job
) -> adapter_pb2.ParseResult:
    """Reads a model of the framework into the IR."""
    work = _work(adapter, "parse", request.options, job)
    types = read_types(request.inputs)
    with store.lease("parse", _blobs(request.files), _LEASE_SECONDS):
        files = _files(request.files, store)
        loaded = adapter.load(files)
        graph = adapter.walk(loaded, files, types, work)
        model = source.read(graph, adapter.dialect())
        try:
            verify(model, OPS)
            blob = store.put_bytes(serde.dump_bytes(model, store.put_bytes, OPSET))
        except BadIR as error:
            raise BadModel(f"the model makes no sense: {error}") from error
    return adapter_pb2.ParseResult(model=blob_to_proto(blob), notes=graph.notes)


def emit(
    adapter: Adapter, request: adapter_pb2.EmitRequest, store: LocalStore, job: Job
) -> adapter_pb2.EmitResult:
    """Writes the IR as a model of the framework; lists every node that can't be written."""
    work = _work(adapter, "emit", request.options, job)
    format_name = _format_name(adapter, request.format)
    blob = blob_from_proto(request.model)
    with store.lease("emit", [blob], _LEASE_SECONDS) as lease:
        model = load_model(store.open(blob), store)
        lease.add(_weights(model))
        dialect = adapter.dialect()
        model = lower(model, dialect.written())
        refuse_unwritten(model, dialect)
        inputs = [(value.name, value.shape or ()) for value in model.graph.inputs]
        folder = job.scratch / "out"
        folder.mkdir()
        try:
            emitted = adapter.save(model, format_name, folder, work)
        except Unsupported as error:  # of the model as a whole, not of a node
            problem = Problem(format_name, str(error))
            raise UnsupportedNodes(dialect.name, [problem]) from error
    files = _adopted(emitted, folder, store)
    trust_code(adapter, files, store)
    return adapter_pb2.EmitResult(
        files=files,
        notes=[*emitted.notes, *_fixed_notes(adapter, emitted.fixed_sizes, inputs)],
        weight_names=emitted.weight_names,
        fixed_sizes=emitted.fixed_sizes,
    )


def run(
    adapter: Adapter,
    request: adapter_pb2.RunRequest,
    store: LocalStore,
    job: Job,
    *,
    allow_code: bool = False,
) -> adapter_pb2.RunResult:
    """Runs a model by its framework; code in it only if it was emitted here, or is allowed."""
    work = _work(adapter, "run", request.options, job)
    data = [value.data.blob for value in request.inputs if value.HasField("data")]
    held = [*_blobs(request.files), *map(blob_from_proto, data)]
    with store.lease("run", held, _LEASE_SECONDS):
        if not allow_code:
            refuse_strange(adapter, request.files, store)
        inputs = read_arrays(request.inputs, store)
        outputs = adapter.run(_files(request.files, store), inputs, work)
        return adapter_pb2.RunResult(outputs=write_arrays(outputs, store))


def load_model(data: bytes | memoryview, store: LocalStore) -> Model:
    """A model from its bytes: of our op set, with all arguments, well-formed.

    Raises:
        OpsetSkew: it is written in another version of the op set.
        BadIR: it is malformed.
    """
    try:
        proto = ir_pb2.Model.FromString(bytes(data))
    except DecodeError as error:
        raise BadIR(f"{len(data)} bytes are no irhub.ir.v1.Model: {error}") from error
    if proto.opset != OPSET:
        raise OpsetSkew(
            f"the IR is written in version {proto.opset} of the op set, this service has version "
            f"{OPSET}: parse the model again, or use services of one version",
            metadata={"given": str(proto.opset), "known": str(OPSET)},
        )
    model = serde.load(proto, store.open, OPSET)
    verify(model, OPS)
    complete(model.graph, OPS)
    return model


def refuse_unwritten(model: Model, dialect: Dialect) -> None:
    """Nothing if the dialect has a rule for every node.

    Raises:
        UnsupportedNodes: with each node that it has none for.
    """
    written = frozenset(dialect.written())
    found = [(node, _why_unwritten(node, dialect, written)) for node in model.graph.walk()]
    problems = [Problem(_called(node), reason) for node, reason in found if reason]
    if problems:
        raise UnsupportedNodes(dialect.name, problems)


def _why_unwritten(node: Node, dialect: Dialect, written: Collection[str]) -> str:
    """Why a dialect has no rule for a node; empty when it has one."""
    if node.op not in written:
        return f"{dialect.name} has no op for {node.op}"
    try:
        dialect.check_axes(node)
    except Unsupported as error:
        return str(error)
    return ""


def check_name(name: str) -> str:
    """A file's name, if it is a relative path that stays where it is put.

    Raises:
        BadRequest: it isn't.
    """
    # Bytes that no text has are surrogates here, which aren't printable.
    if not name.isprintable() or "\\" in name or _is_strange_path(name):
        raise BadRequest(
            f"{name[:100]!r} can't name a file: use a relative path without '..', backslashes or "
            f"control characters, of at most {_PATH_BYTES} bytes"
        )
    return name


def _is_strange_path(name: str) -> bool:
    parts = name.split("/")
    unfit = any(not p or p in (".", "..") or len(p.encode()) > _NAME_BYTES for p in parts)
    return unfit or len(name.encode()) > _PATH_BYTES


def _work(adapter: Adapter, stage: str, given: Mapping[str, str], job: Job) -> Work:
    """The stage's options, defaults filled in, with the job's folder and progress."""
    known = {option.name: option for option in adapter.options if option.stage == stage}
    problems = []
    for name, value in given.items():
        option = known.get(name)
        if option is None:
            names = ", ".join(sorted(known)) or "none"
            problems.append(Problem(f"options.{name}", f"not an option; {stage} has: {names}"))
        elif option.values and value not in option.values:
            values = ", ".join(option.values)
            problems.append(Problem(f"options.{name}", f"{value!r} isn't one of: {values}"))
    if problems:
        said = "; ".join(f"{p.subject}: {p.description}" for p in problems)
        raise BadRequest(f"{adapter.framework} can't {stage} with these options: {said}", problems)
    options = {name: given.get(name, option.default) for name, option in known.items()}
    scratch = job.scratch / "adapter"
    scratch.mkdir()
    return Work(options, job.progress, scratch)


def _blobs(files: Iterable[adapter_pb2.File]) -> list[Blob]:
    return [blob_from_proto(file.blob) for file in files]


def _files(protos: Sequence[adapter_pb2.File], store: LocalStore) -> Files:
    if not protos:
        raise BadRequest("no file was given: the model itself has to be the first one")
    names = [check_name(proto.name) for proto in protos]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadRequest(f"several files have the name {twice[0]!r}")
    blobs = _blobs(protos)
    files = (SourceFile(n, store.path(b), b) for n, b in zip(names, blobs, strict=True))
    return Files(tuple(files), store.open)


def _format_name(adapter: Adapter, wanted: str) -> str:
    names = [format_.name for format_ in adapter.writes]
    if not names:
        raise BadRequest(f"the {adapter.framework} adapter writes nothing")
    if wanted and wanted not in names:
        known = ", ".join(names)
        problem = Problem("format", f"{wanted!r} isn't one of: {known}")
        raise BadRequest(
            f"{adapter.framework} doesn't write {wanted!r}; it writes: {known}", [problem]
        )
    return wanted or names[0]


def _weights(model: Model) -> list[Blob]:
    tensors = (value.data for value in model.graph.constants())
    return list({tensor.blob for tensor in tensors if isinstance(tensor, BlobTensor)})


def _called(node: Node) -> str:
    return f"{node.name} ({', '.join(node.origins)})" if node.origins else node.name


def _adopted(emitted: Emitted, folder: Path, store: LocalStore) -> list[adapter_pb2.File]:
    """The written files as blobs; those that the adapter doesn't name are left behind."""
    files = []
    for name in emitted.files:
        try:
            blob = store.adopt(folder / check_name(name))
        except (BadRequest, OSError, ValueError) as error:
            raise Internal(f"the adapter says it wrote {name!r}, but {error}") from error
        files.append(adapter_pb2.File(name=name, blob=blob_to_proto(blob)))
    return files


def _fixed_notes(
    adapter: Adapter, sizes: Mapping[str, int], inputs: Iterable[tuple[str, Shape]]
) -> list[str]:
    """What a person should know of fixed sizes: that "height and width are fixed to 224 x 224 in
    the mxnet model: it takes x[N, 3, 224, 224]"."""
    if not sizes:
        return []
    *others, last = sizes
    said = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    numbers = " x ".join(map(str, sizes.values()))
    taken = ", ".join(
        f"{name}[{', '.join(str(substitute(size, sizes)) for size in shape)}]"
        for name, shape in inputs
    )
    return [f"{said} fixed to {numbers} in the {adapter.framework} model: it takes {taken}"]


def _format(name: str, suffixes: Sequence[str], description: str) -> adapter_pb2.Format:
    return adapter_pb2.Format(name=name, suffixes=suffixes, description=description)
