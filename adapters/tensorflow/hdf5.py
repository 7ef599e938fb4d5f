"""Opens HDF5 files: the variables in them where they lie, and whole models of Keras 2 and 3."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from adapters.tensorflow.legacy import described, renamed
from adapters.tensorflow.legacy_weights import placed_weights
from adapters.tensorflow.mapped import Mapped
from ir_hub.ir.tensor import ArrayTensor, BlobTensor, Tensor
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel

# What h5py raises for what isn't whole, and what a config that Keras can't have written leads to.
_UNREADABLE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError)


def load(
    file: SourceFile, files: Files, view: memoryview
) -> tuple[dict[str, Any], dict[str, list[Tensor]], str]:
    """A whole model: its config as Keras 3 has it in .keras files, its weights by the paths of
    their groups there, and the version of Keras that wrote it.

    Raises:
        BadModel: it holds weights alone, or isn't whole.
    """
    try:
        with h5py.File(Mapped(view), "r") as opened:
            text, version = (_text(opened.attrs.get(n)) for n in ("model_config", "keras_version"))
            if not text or "model_weights" not in opened:
                raise BadModel(
                    f"{file.name} holds no whole model, but weights or other data: save the model "
                    "itself with model.save('model.keras')"
                )
            config = described(json.loads(text), version)
            named = _by_layer(opened["model_weights"], file, files)
        return renamed(config), dict(placed_weights(config, named)), version
    except _UNREADABLE as error:
        raise BadModel(f"{file.name} can't be read, or is cut off: {error}") from error


def save_as_keras(config: dict[str, Any], weights: Mapping[str, list[Tensor]], path: Path) -> None:
    """Writes a model that `load` gave as the .keras file that Keras 3 would have made of it."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as made:
        for group, tensors in weights.items():
            for number, each in enumerate(tensors):
                made[f"{group}/vars/{number}"] = each.numpy()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", stream.getvalue())


def _text(attribute: Any) -> str:
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute or "")


def _by_layer(
    group: h5py.Group, file: SourceFile, files: Files
) -> dict[str, list[tuple[str, Tensor]]]:
    """Each layer's variables by name, in their order."""
    known = {f"{path}/{name}".strip("/"): data for path, found in datasets(group, file)
             for name, data in found.items()}  # fmt: skip
    layers: dict[str, list[tuple[str, Tensor]]] = {}
    for layer in map(_text, group.attrs.get("layer_names", ())):
        names = map(_text, group[layer].attrs.get("weight_names", ()))
        layers[layer] = [(n, tensor(known[f"{layer}/{n}"], file, files, 0)) for n in names]
    return layers


def datasets(opened: h5py.Group, file: SourceFile) -> Iterator[tuple[str, dict[str, h5py.Dataset]]]:
    """The datasets of each group, by its path and their names.

    Raises:
        BadModel: there is a link, which may leave the file.
    """
    pending = [("", opened)]
    while pending:
        path, group = pending.pop()
        found = {}
        for name in group:
            inner = f"{path}/{name}".strip("/")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise BadModel(f"{file.name}: {inner} in its weights is a link")
            member = group[name]
            if isinstance(member, h5py.Group):
                pending.append((inner, member))
            else:
                found[name] = member
        yield path, found


def tensor(dataset: h5py.Dataset, file: SourceFile, files: Files, start: int | None) -> Tensor:
    """A variable, pointed to where its bytes lie plainly in the file.

    `start` is where the HDF5 file begins in the other one, None where it is compressed there.

    Raises:
        BadModel: it isn't in the file, or of a type that isn't known.
    """
    path = str(dataset.name)
    if dataset.external or dataset.is_virtual:
        raise BadModel(f"{file.name}: the weight {path} lies outside of the file")
    try:
        # HDF5 has no such type, so Keras writes two bytes and says what they are.
        small = dataset.dtype.kind == "V" and _text(dataset.attrs.get("dtype")) == "bfloat16"
        dtype = DType.BFLOAT16 if small else DType.of(dataset.dtype)
    except TypeError as error:
        raise BadModel(f"{file.name}: the weight {path}: {error}") from error
    offset = dataset.id.get_offset()
    plain = dataset.chunks is None and dataset.dtype.isnative and dataset.dtype.kind in "fiu"
    if start is None or offset is None or not plain:
        array = np.asarray(dataset[()])
        return ArrayTensor(array.view(dtype.numpy) if small else array.astype(dtype.numpy))
    if offset + dataset.nbytes > file.blob.size - start:
        raise BadModel(f"{file.name}: the weight {path} goes beyond the end: it is cut off")
    shape = tuple(map(int, dataset.shape))
    return BlobTensor(file.blob, start + offset, dtype, shape, files.open_blob)
