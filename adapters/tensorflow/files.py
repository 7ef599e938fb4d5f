"""Opens Keras models: the layers as data, the weights where they lie. No code in them is run."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py

from adapters.tensorflow import hdf5
from adapters.tensorflow.mapped import Mapped
from ir_hub.ir.tensor import Tensor
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel

ENDINGS, _WEIGHTS_ALONE = (".keras", ".h5", ".hdf5"), ".weights.h5"
CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
_LARGEST_TEXT = 256 << 20  # bytes of config.json
_LARGEST_RATIO = 200  # of what a member holds to what it takes
_MOST_MEMBERS = 10_000
_HDF5, _PICKLE = b"\x89HDF", b"\x80"  # how such files begin
_LOCAL_HEADER = 30  # bytes before a member's name


@dataclass(frozen=True)
class KerasModel:
    """A model's config as data; its weights by the paths of their groups, in order; the version of
    Keras that wrote it."""

    config: dict[str, Any]
    weights: dict[str, list[Tensor]]
    keras_version: str


def load(files: Files) -> KerasModel:
    """The model in the .keras or HDF5 file among the files.

    Raises:
        BadModel: there is none, or several, or it isn't whole.
    """
    file = model_file(files) or files.main
    view = files.open_blob(file.blob)
    if is_hdf5(files, file):
        return KerasModel(*hdf5.load(file, files, view))
    if bytes(view[:1]) == _PICKLE:
        raise BadModel(
            f"{file.name} is a pickle, which runs as a program when it is opened, and so isn't: "
            "save the model itself with model.save('model.keras')"
        )
    try:
        archive = zipfile.ZipFile(Mapped(view))
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


def model_file(files: Files) -> SourceFile | None:
    """The one file with a Keras model's ending, if there is one.

    Raises:
        BadModel: there are several.
    """
    found = [file for file in files.files
             if file.name.endswith(ENDINGS) and not file.name.endswith(_WEIGHTS_ALONE)]  # fmt: skip
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:5])
        raise BadModel(f"there are {len(found)} models, of which one has to be given: {names}")
    return found[0] if found else None


def is_hdf5(files: Files, file: SourceFile) -> bool:
    """Whether a file is HDF5, whatever it is called."""
    return bytes(files.open_blob(file.blob)[: len(_HDF5)]) == _HDF5


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
            stream = Mapped(view[start : start + info.file_size])
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
    """The variables of each group, which are numbered."""
    for path, datasets in hdf5.datasets(opened, file):
        numbered = {int(n): data for n, data in datasets.items() if n.isdigit()}
        owner = path.removesuffix("vars").strip("/")
        if numbered:
            tensors = (hdf5.tensor(numbered[n], file, files, start) for n in sorted(numbered))
            yield owner, list(tensors)
