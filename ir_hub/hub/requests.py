"""Checks requests before anything is done, and says everything that is wrong with one at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ir_hub.blobs import BlobServiceError
from ir_hub.blobs.wire import blob_from_proto
from ir_hub.hub.plan import IR
from ir_hub.sdk.errors import BadRequest, Problem
from ir_hub.sdk.stages import check_name
from ir_hub.sdk.tensors import read_types
from irhub.adapter.v1 import adapter_pb2
from irhub.blob.v1 import blob_pb2
from irhub.hub.v1 import hub_pb2
from irhub.ir.v1 import ir_pb2

MAX_FILES = 10_000
MAX_PAGE = 1000
DEFAULT_PAGE = 50

_NAME = re.compile(r"conversions/[0-9a-f]{16}")
_FRAMEWORK = re.compile(r"[a-z][a-z0-9_]{0,63}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:/-]{0,128}")

Problems = Iterator[Problem]


def check_create(request: hub_pb2.CreateConversionRequest) -> None:
    """Nothing, if a conversion can be tried; BadRequest with every wrong field."""
    _refuse([*_spec(request.spec), *_request_id(request.request_id)])


def check_inspect(request: hub_pb2.InspectModelRequest) -> None:
    """Nothing, if a model can be looked at; BadRequest with every wrong field."""
    source = _framework("source", request.source) if request.source else ()
    _refuse([*_files("files", request.files), *source, *_types("inputs", request.inputs)])


def check_model(blob: blob_pb2.Blob) -> None:
    """Nothing, if a blob can name a model; BadRequest otherwise."""
    _refuse(list(_blob("model", blob)))


def check_conversion_name(name: str) -> str:
    """The name, if it can be a conversion's; BadRequest otherwise."""
    if not _NAME.fullmatch(name):
        _refuse([Problem("name", f"{name[:80]!r} isn't of the form conversions/{{id}}")])
    return name


def page_size(wanted: int) -> int:
    """How many conversions a page gets; BadRequest for less than none."""
    if wanted < 0:
        _refuse([Problem("page_size", f"{wanted} is negative; 0 means {DEFAULT_PAGE}")])
    return min(wanted or DEFAULT_PAGE, MAX_PAGE)


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        said = "; ".join(f"{p.subject}: {p.description}" for p in problems[:10])
        more = f"; and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise BadRequest(f"The request is wrong: {said}{more}.", problems)


def _spec(spec: hub_pb2.ConversionSpec) -> Problems:
    yield from _files("spec.files", spec.files)
    if spec.source:
        yield from _framework("spec.source", spec.source)
    if spec.target:
        yield from _framework("spec.target", spec.target)
    else:
        yield Problem("spec.target", "say the target's framework, such as pytorch or ir")
    yield from _types("spec.inputs", spec.inputs)
    yield from _check_inputs(spec)
    if spec.target == IR and (spec.format or spec.emit_options):
        yield Problem("spec.format", "the IR has one format and no options")
    if spec.target == IR and spec.io_layout == spec.IO_LAYOUT_NATIVE:
        yield Problem("spec.io_layout", "the IR has no order of axes of its own: it takes any")
    if spec.io_layout not in spec.IoLayout.values():
        yield Problem("spec.io_layout", f"{spec.io_layout} isn't one of keep and native")
    if spec.source == IR and spec.parse_options:
        yield Problem("spec.parse_options", "the IR is read without options")


def _files(field: str, files: Sequence[adapter_pb2.File]) -> Problems:
    if not files:
        yield Problem(field, "give the model's files, the model itself first")
    if len(files) > MAX_FILES:
        yield Problem(field, f"{len(files)} are too many: at most {MAX_FILES}")
        return
    seen: set[str] = set()
    for place, file in enumerate(files):
        try:
            check_name(file.name)
        except BadRequest as error:
            yield Problem(f"{field}[{place}].name", str(error))
        if file.name in seen:
            yield Problem(f"{field}[{place}].name", f"another file is named {file.name!r} too")
        seen.add(file.name)
        yield from _blob(f"{field}[{place}].blob", file.blob)


def _blob(field: str, blob: blob_pb2.Blob) -> Problems:
    try:
        blob_from_proto(blob)
    except BlobServiceError as error:
        yield Problem(field, str(error))


def _framework(field: str, name: str) -> Problems:
    if not _FRAMEWORK.fullmatch(name):
        yield Problem(field, f"{name[:80]!r} can't name a framework: use a to z, 0 to 9 and _")


def _types(field: str, types: Mapping[str, ir_pb2.TensorType]) -> Problems:
    for name, type_ in types.items():
        try:
            read_types({name: type_})
        except BadRequest as error:
            yield Problem(f"{field}[{name}]", str(error))


def _check_inputs(spec: hub_pb2.ConversionSpec) -> Problems:
    names = [value.name for value in spec.check_inputs]
    if len(set(names)) < len(names):
        yield Problem("spec.check_inputs", "two inputs have one name")
    if names and spec.skip_check:
        yield Problem("spec.check_inputs", "there are inputs to check with, but also skip_check")
    for place, value in enumerate(spec.check_inputs):
        yield from _check_input(f"spec.check_inputs[{place}]", value)


def _check_input(field: str, value: ir_pb2.Value) -> Problems:
    if not value.name:
        yield Problem(f"{field}.name", "say which input it is")
    if not value.HasField("type") or value.type.unknown_rank:
        yield Problem(f"{field}.type", "say its type, with its shape")
    if not value.HasField("data"):
        yield Problem(f"{field}.data", "say where its bytes are")
    else:
        yield from _blob(f"{field}.data.blob", value.data.blob)


def _request_id(request_id: str) -> Problems:
    if not _REQUEST_ID.fullmatch(request_id):
        yield Problem("request_id", "use up to 128 letters, digits and _ . : / -")
