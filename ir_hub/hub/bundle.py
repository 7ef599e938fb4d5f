"""The `.ir` file: a model with its weights in one file, a zip of stored members.

`model.binpb` is an irhub.ir.v1.Model and comes first; `blobs/<digest>` are the blobs it refers to,
which hold its weights and nothing else. Equal models make equal files.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from ir_hub.blobs import DigestMismatch, LocalStore
from ir_hub.ir.graph import Model
from ir_hub.ir.pack import ALIGNMENT
from ir_hub.ir.serde import dump_bytes
from ir_hub.ir.tensor import Blob, BlobTensor, byte_size, decode, encode
from ir_hub.ir.types import DType
from ir_hub.ops.op import OPSET
from ir_hub.sdk.errors import BadModel

MODEL = "model.binpb"
SUFFIX = ".ir"
MAX_MEMBERS = 10_000
MAX_MODEL_BYTES = 1 << 30

_MAGIC = b"PK\x03\x04"
_BLOB = re.compile(r"blobs/([0-9a-f]{64})")
_NAME_AT = 30  # where the first member's name begins in a zip file
_STEP_BYTES = 1 << 20


def is_bundle(head: bytes | memoryview) -> bool:
    """Whether a file that begins like this is an `.ir` file."""
    start = bytes(head[: _NAME_AT + len(MODEL)])
    return start.startswith(_MAGIC) and start[_NAME_AT:] == MODEL.encode()


def held_blobs(model: Model) -> list[Blob]:
    """The blobs that a model's constants lie in, once each."""
    tensors = (value.data for value in model.graph.constants())
    return list(dict.fromkeys(t.blob for t in tensors if isinstance(t, BlobTensor)))


def write(model: Model, store: LocalStore, target: Path) -> None:
    """Writes a model whose constants lie in blobs of the store; the model is changed to say where
    its weights are in the file."""
    weights = _gather(model, store)
    content = dump_bytes(model, store.put_bytes, OPSET)
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as file:
        file.writestr(_member(MODEL), content)
        for blob in weights:
            member = _member(f"blobs/{blob.digest}")
            with (
                open(store.path(blob), "rb") as source,
                file.open(member, "w", force_zip64=True) as sink,
            ):
                shutil.copyfileobj(source, sink, _STEP_BYTES)


def read(path: Path, store: LocalStore) -> tuple[bytes, list[Blob]]:
    """The serialised model in a file, and the blobs beside it, which are put into the store.

    Raises:
        BadModel: it isn't an `.ir` file, or a broken or malicious one.
    """
    try:
        with zipfile.ZipFile(path) as file:
            members = _checked(file.infolist(), path.stat().st_size)
            blobs = [_take(file, member, store) for member in members[1:]]
            return file.read(members[0]), blobs
    except (zipfile.BadZipFile, EOFError, NotImplementedError, DigestMismatch) as error:
        raise BadModel(
            f"The file is no {SUFFIX} file, or it was cut off or changed: {error}."
        ) from error


def _gather(model: Model, store: LocalStore) -> list[Blob]:
    """Copies the constants' bytes together: what a source's file has besides stays behind."""
    values = [v for v in model.graph.constants() if isinstance(v.data, BlobTensor)]
    places: dict[tuple[Blob, int, int], int] = {}
    starts: list[int] = []
    with store.incoming() as incoming:
        for value in values:
            tensor = value.data
            assert isinstance(tensor, BlobTensor)
            content = _content(tensor)
            key = (tensor.blob, tensor.offset, content.nbytes)
            if key not in places:
                incoming.write(bytes(-incoming.size % ALIGNMENT))
                places[key] = incoming.size
                incoming.write(content)
            starts.append(places[key])
        if not values:
            return []
        blob = store.commit(incoming)
    for value, start in zip(values, starts, strict=True):
        assert isinstance(value.data, BlobTensor)
        value.data = replace(value.data, blob=blob, offset=start)
    return [blob]


def _content(tensor: BlobTensor) -> memoryview:
    buffer = tensor.open_blob(tensor.blob)
    if tensor.dtype is DType.STRING:
        return memoryview(encode(decode(buffer, tensor.dtype, tensor.stored_shape, tensor.offset)))
    return buffer[tensor.offset : tensor.offset + byte_size(tensor.dtype, tensor.stored_shape)]


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)  # of 1980: the same model makes the same file
    member.external_attr = 0o644 << 16
    return member


def _checked(members: Sequence[zipfile.ZipInfo], size: int) -> Sequence[zipfile.ZipInfo]:
    """The members, the model first, if they are what `write` may have written."""
    names = [member.filename for member in members]
    rules: list[tuple[Callable[[], bool], str]] = [
        (lambda: len(members) <= MAX_MEMBERS, f"it has more than {MAX_MEMBERS} members"),
        (lambda: len(set(names)) == len(names), "two members have one name"),
        (lambda: names[:1] == [MODEL], f"its first member isn't {MODEL}"),
        (lambda: all(map(_BLOB.fullmatch, names[1:])), "a member has a name that none may have"),
        (lambda: all(map(_is_plain, members)), "a member is compressed or encrypted"),
        (lambda: sum(m.file_size for m in members) <= size, "its members are larger than it"),
        (lambda: members[0].file_size <= MAX_MODEL_BYTES, f"its {MODEL} is over 1 GiB"),
    ]
    for holds, otherwise in rules:
        if not holds():
            raise BadModel(
                f"The file is no {SUFFIX} file: {otherwise}. Give a file that irhub wrote."
            )
    return members


def _is_plain(member: zipfile.ZipInfo) -> bool:
    stored = member.compress_type == zipfile.ZIP_STORED
    return stored and member.compress_size == member.file_size and not member.flag_bits & 1


def _take(file: zipfile.ZipFile, member: zipfile.ZipInfo, store: LocalStore) -> Blob:
    blob = Blob(member.filename.removeprefix("blobs/"), member.file_size)
    with file.open(member) as source, store.incoming(blob.size) as incoming:
        _copy(source, incoming.write)
        return store.commit(incoming, blob)


def _copy(source: IO[bytes], write: Callable[[bytes], None]) -> None:
    while chunk := source.read(_STEP_BYTES):
        write(chunk)
