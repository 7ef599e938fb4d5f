"""Opens .onnx files: the outline as protobuf, the weights where they lie."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import numpy as np
import onnx
import onnx.inliner
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from adapters.onnx.elements import dtype_of
from adapters.onnx.schemas import check_names
from adapters.onnx.wire import Malformed, outline
from ir_hub.ir.tensor import ArrayTensor, BlobTensor, Tensor, byte_size, decode
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel

LARGEST = (1 << 31) - 1  # bytes of a protobuf message
OLDEST_OPSET = 1
_MAIN = ("", "ai.onnx")


def load(files: Files, readable: Container[str] = ()) -> onnx.ModelProto:
    """The model without its big weights, its own functions inlined, and those of the standard's
    ops that it defines by others too, unless they are `readable` themselves.

    Raises:
        BadModel: the file isn't a whole ONNX model, or one that is too old.
    """
    name = files.main.name
    view = files.open_blob(files.main.blob).cast("B")
    if len(view) > LARGEST:
        raise BadModel(
            f"{name} has {len(view)} bytes; an ONNX file can't be larger than 2 GiB: "
            "store its weights as external data, and give both files"
        )
    model = _parsed(view, name)
    _check(model, name)
    check_names(model.graph)
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    return _spelled_out(model, readable)


def _spelled_out(model: onnx.ModelProto, readable: Container[str]) -> onnx.ModelProto:
    """The model with the standard's own definitions in place of ops that no rule reads."""
    versions = opsets(model)
    unread = {
        (node.domain, node.op_type)
        for node in model.graph.node
        if type_name(node) not in readable and _is_defined(node, versions)
    }
    if not unread:
        return model
    try:
        inlined: onnx.ModelProto = onnx.inliner.inline_selected_functions(
            model, sorted(unread), inline_schema_functions=True
        )
    except RuntimeError:  # it can't tell some type: the ops are listed as unsupported then
        return model
    return inlined


def _is_defined(node: onnx.NodeProto, versions: Mapping[str, int]) -> bool:
    domain = "" if node.domain in _MAIN else node.domain
    try:
        schema: Any = onnx.defs.get_schema(node.op_type, versions.get(domain, 0), domain)
    except onnx.defs.SchemaError:
        return False
    return bool(schema.has_function or schema.has_context_dependent_function)


def type_name(node: onnx.NodeProto) -> str:
    """A node's type as the op tables have it: with its domain, unless that is the main one."""
    return node.op_type if node.domain in _MAIN else f"{node.domain}::{node.op_type}"


def _parsed(view: memoryview, name: str) -> onnx.ModelProto:
    if bytes(view[:8]) == b"version ":
        raise BadModel(f"{name} is a Git LFS pointer, not the model: fetch it with `git lfs pull`")
    try:
        return onnx.ModelProto.FromString(outline(view))
    except Malformed as error:
        if error.end and _starts_like_a_model(view):
            raise BadModel(f"{name} is cut off: {error}") from error
        raise BadModel(f"{name} is not an ONNX model: {error}") from error
    except DecodeError as error:
        raise BadModel(f"{name} is not an ONNX model: its fields make no sense") from error


def _starts_like_a_model(view: memoryview) -> bool:
    """Whether it begins with `ir_version`, which every exporter writes first."""
    return view[0] == 0x08 and (len(view) == 1 or view[1] < 0x40)


def _check(model: onnx.ModelProto, name: str) -> None:
    if not model.ir_version or not model.HasField("graph"):
        missing = "graph" if model.ir_version else "IR version"
        raise BadModel(f"{name} is not a whole ONNX model: it has no {missing}")
    versions = opsets(model)
    if "" not in versions and any(node.domain in _MAIN for node in model.graph.node):
        raise BadModel(f"{name} says no version of the ONNX op set: the file is cut off or broken")
    written = versions.get("", OLDEST_OPSET)
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST_OPSET <= written <= newest:
        raise BadModel(
            f"{name} is written in opset {written}; those from {OLDEST_OPSET} to {newest} are known"
        )


def opsets(model: onnx.ModelProto) -> dict[str, int]:
    """The version of each domain's op set; the main domain is ""."""
    return {
        "" if entry.domain in _MAIN else entry.domain: entry.version for entry in model.opset_import
    }


def tensor_of(proto: onnx.TensorProto, files: Files, where: str) -> Tensor:
    """A tensor of the model, by where its bytes lie if they lie in a file as they are.

    Raises:
        BadModel: it contradicts itself, or its bytes aren't there.
    """
    where = f"the tensor {proto.name!r}" if proto.name else where
    dtype, shape = dtype_of(proto.data_type, where), tuple(proto.dims)
    if any(size < 0 for size in shape):
        raise BadModel(f"{where} has the shape {shape}")
    if proto.HasField("segment"):
        raise BadModel(f"{where} is stored in segments, which ONNX never came to define")
    if proto.data_location == onnx.TensorProto.EXTERNAL:
        return _elsewhere(proto, dtype, shape, files, where)
    if proto.HasField("raw_data"):
        _check_length(len(proto.raw_data), dtype, shape, where)
        return ArrayTensor(decode(proto.raw_data, dtype, shape))
    return ArrayTensor(_typed(proto, dtype, shape, where))


def _elsewhere(
    proto: onnx.TensorProto, dtype: DType, shape: tuple[int, ...], files: Files, where: str
) -> Tensor:
    said = {entry.key: entry.value for entry in proto.external_data}
    file = _file(said.get("location", ""), files)
    offset = _number(said, "offset", 0, where)
    length = _number(said, "length", file.blob.size - offset, where)
    if dtype is DType.STRING:
        raise BadModel(f"{where} holds texts as raw bytes, which ONNX doesn't define")
    if offset + length > file.blob.size:
        raise BadModel(
            f"{where} lies at bytes {offset} to {offset + length} of {file.name}, "
            f"which has {file.blob.size}: the file is cut off or another one"
        )
    if "length" in said:
        _check_length(length, dtype, shape, where)
    elif length < byte_size(dtype, shape):
        raise BadModel(f"{where} needs {byte_size(dtype, shape)} bytes, {file.name} ends before")
    return BlobTensor(file.blob, offset, dtype, shape, files.open_blob)


def _file(location: str, files: Files) -> SourceFile:
    """An empty location is the model file itself: see wire.py."""
    return files.named(location) if location else files.main


def _number(said: dict[str, str], key: str, default: int, where: str) -> int:
    text = said.get(key, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadModel(f"{where} says {key} {text!r} of its external data")
    return int(text) if text else default


def _check_length(length: int, dtype: DType, shape: tuple[int, ...], where: str) -> None:
    if dtype is DType.STRING:
        raise BadModel(f"{where} holds texts as raw bytes, which ONNX doesn't define")
    if length != byte_size(dtype, shape):
        raise BadModel(
            f"{where} of {dtype.value}{list(shape)} takes {byte_size(dtype, shape)} bytes, "
            f"but {length} are given"
        )


def _typed(proto: onnx.TensorProto, dtype: DType, shape: tuple[int, ...], where: str) -> np.ndarray:
    """The elements of a tensor that has a field for each, in memory."""
    try:
        array = numpy_helper.to_array(proto)
    except (ValueError, TypeError) as error:
        raise BadModel(f"{where} doesn't hold {dtype.value}{list(shape)}: {error}") from error
    if dtype is not DType.STRING:
        return array.astype(dtype.numpy, copy=False).reshape(shape)
    texts = [t.decode("utf-8", "surrogateescape") if isinstance(t, bytes) else str(t)
             for t in array.reshape(-1)]  # fmt: skip
    out = np.empty(len(texts), object)
    out[:] = texts
    return out.reshape(shape)
