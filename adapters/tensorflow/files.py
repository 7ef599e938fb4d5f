"""Opens .keras files: the layers as data, the weights where they lie. No code in it is run."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from ir_hub.ir.tensor import ArrayTensor, BlobTensor, Tensor
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
_LARGEST_TEXT = 256 << 20  # bytes of config.json
_LARGEST_RATIO = 200  # of what a member holds to what it takes
_MOST_MEMBERS = 10_000
# How files begin that are mistaken for a .keras file, and what to do with them.
_OTHERS = (
    (
        b"\x89HDF",
        "is a HDF5 file, as older versions of Keras write them: load it in Keras 3 with "
        "keras.saving.load_model, and save that with model.save('model.keras')",
    ),
    (
        b"\x80",
        "is a pickle, which runs as a program when it is opened, and so isn't: save the model "
        "itself with model.save('model.keras')",
    ),
)
_LOCAL_HEADER = 30  # bytes before a member's name


@dataclass(frozen=True)
class KerasModel:
    """A model's config as data; its weights by the paths of their groups, in order; the version of
    Keras that wrote it."""

    config: dict[str, Any]
    weights: dict[str, list[Tensor]]
    keras_version: str


def load(files: Files) -> KerasModel:
    """The model in the .keras file among the files.

    Raises:
        BadModel: there is none, or it isn't whole.
    """
    file = next((f for f in files.files if f.name.endswith(".keras")), files.main)
    view = files.open_blob(file.blob)
    for beginning, what in _OTHERS:
        if bytes(view[: len(beginning)]) == beginning:
            raise BadModel(f"{file.name} {what}")
    try:
        archive = zipfile.ZipFile(_Reader(view))
    except (zipfile.BadZipFile, EOFError) as error:
        raise BadModel(f"{file.name} is not a .keras file, or is cut off: {error}") from error
    with archive:
        members = _members(archive, file)
        try:
            config = json.loads(archive.read(CONFIG))
            said = json.loads(archive.read(METADATA)) if METADATA in members else {}
        except (ValueError, zipfile.BadZipFile, RecursionError, EOFError, zlib.error) as error:
            raise BadModel(f"{file.name}: its {CONFIG} can't be read: {error}") from error
        if not isinstance(config, dict) or "class_name" not in config:
            raise BadModel(f"{file.name}: its {CONFIG} describes no model")
        version = str(said.get("keras_version", "")) if isinstance(said, dict) else ""
        if version.startswith(("1.", "2.")):
            raise BadModel(
                f"{file.name} was written by Keras {version}, and Keras 3 is read here: load it "
                "with tf_keras, build the same model in Keras 3, give it the weights, and save that"
            )
        weights = _weights(archive, members[WEIGHTS], file, files, view)
    return KerasModel(config, weights, version)


def _members(archive: zipfile.ZipFile, file: SourceFile) -> dict[str, zipfile.ZipInfo]:
    """The members by name; BadModel when those of a model are missing or aren't what they say."""
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise BadModel(f"{file.name} has {len(infos)} members: it is no Keras model")
    members = {info.filename: info for info in infos}
    missing = [name for name in (CONFIG, WEIGHTS) if name not in members]
    if missing:
        has = ", ".join(sorted(members)[:5]) or "nothing"
        raise BadModel(
            f"{file.name} has no {' and no '.join(missing)} in it, but {has}: a .keras file of "
            "Keras 3 has both; save the model with model.save('model.keras')"
        )
    for name in (CONFIG, METADATA):
        info = members.get(name)
        if info is not None and info.file_size > _LARGEST_TEXT:
            raise BadModel(f"{file.name}: its {name} says that it has {info.file_size} bytes")
    for info in (members[CONFIG], members[WEIGHTS]):
        if info.file_size > _LARGEST_RATIO * max(info.compress_size, 1 << 10):
            raise BadModel(
                f"{file.name}: its {info.filename} is packed too tightly to be a model's"
            )
    return members


def _weights(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    file: SourceFile,
    files: Files,
    view: memoryview,
) -> dict[str, list[Tensor]]:
    start = _start(info, view) if info.compress_type == zipfile.ZIP_STORED else None
    try:
        if start is None:
            stream: Any = io.BytesIO(archive.read(info))
        else:
            stream = _Reader(view[start : start + info.file_size])
        with h5py.File(stream, "r") as opened:
            found = dict(_variables(opened, file, files, start))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise BadModel(f"{file.name}: its {WEIGHTS} can't be read: {error}") from error
    return found


def _start(info: zipfile.ZipInfo, view: memoryview) -> int:
    """Where a stored member's bytes begin in the file."""
    at = info.header_offset
    name, extra = (int.from_bytes(view[at + k : at + k + 2], "little") for k in (26, 28))
    return at + _LOCAL_HEADER + name + extra


def _variables(
    opened: h5py.File, file: SourceFile, files: Files, start: int | None
) -> Iterator[tuple[str, list[Tensor]]]:
    """The variables of each group, which are numbered. Links that leave the file are refused."""
    pending = [("", opened)]
    while pending:
        path, group = pending.pop()
        datasets: dict[int, Tensor] = {}
        for name in group:
            link = group.get(name, getlink=True)
            inner = f"{path}/{name}".strip("/")
            if not isinstance(link, h5py.HardLink):
                raise BadModel(f"{file.name}: {inner} in its {WEIGHTS} is a link")
            found = group[name]
            if isinstance(found, h5py.Group):
                pending.append((inner, found))
            elif name.isdigit():
                datasets[int(name)] = _tensor(found, inner, file, files, start)
        if datasets:
            owner = path.removesuffix("vars").strip("/")
            yield owner, [datasets[number] for number in sorted(datasets)]


def _tensor(
    dataset: h5py.Dataset, path: str, file: SourceFile, files: Files, start: int | None
) -> Tensor:
    """A variable, pointed to where its bytes lie plainly in the file."""
    if dataset.external or dataset.is_virtual:
        raise BadModel(f"{file.name}: {path} in its {WEIGHTS} lies outside of the file")
    try:
        dtype = DType.of(dataset.dtype)
    except TypeError as error:
        raise BadModel(f"{file.name}: {path} in its {WEIGHTS}: {error}") from error
    offset = dataset.id.get_offset()
    plain = dataset.chunks is None and dataset.dtype.isnative and dataset.dtype.kind in "fiu"
    if start is None or offset is None or not plain:
        return ArrayTensor(np.asarray(dataset[()]).astype(dtype.numpy, copy=False))
    if offset + dataset.nbytes > file.blob.size - start:
        raise BadModel(f"{file.name}: {path} in its {WEIGHTS} goes beyond the end: it is cut off")
    shape = tuple(map(int, dataset.shape))
    return BlobTensor(file.blob, start + offset, dtype, shape, files.open_blob)


class _Reader(io.RawIOBase):
    """Mapped bytes as a file."""

    def __init__(self, view: memoryview) -> None:
        self._view, self._at = view, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._view)}[whence]
        if base + offset < 0:
            raise OSError("a place before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._view[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
