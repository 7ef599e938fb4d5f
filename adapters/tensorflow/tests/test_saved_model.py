"""SavedModels that are written compute what their source does, with their outputs in order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.files import load
from adapters.tensorflow.tests.models import inputs_of, made, outputs_of, saved
from adapters.tensorflow.walk import walk
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.adapter import Files, SourceFile, Work
from ir_hub.sdk.errors import BadModel
from ir_hub.sdk.source import read

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()


def _files(folder: Path, names: list[str]) -> Files:
    sizes = {name: (folder / name).stat().st_size for name in names}
    files = tuple(SourceFile(name, folder / name, Blob(name, size)) for name, size in sizes.items())
    return Files(files, lambda blob: memoryview((folder / blob.digest).read_bytes()))


def _work(folder: Path) -> Work:
    folder.mkdir()
    options = {"threads": "1", "sizes": "", "signature": ""}
    return Work(options, lambda message, fraction: None, folder)


@pytest.mark.parametrize("name", ["two_inputs", "two_outputs", "nested_model", "gru"])
def test_saved_model(name: str, tmp_path: Path) -> None:
    source = made(name)
    inputs = inputs_of(source)
    wanted = outputs_of(source, inputs)
    files = _files(tmp_path, [saved(source, tmp_path).name])
    model = read(walk(load(files), {}), ADAPTER.dialect())
    folder = tmp_path / "written"
    folder.mkdir()
    emitted = ADAPTER.save(model, "saved_model", folder, _work(tmp_path / "save"))
    assert emitted.files[0] == "model.py"
    found = ADAPTER.run(_files(folder, emitted.files), inputs, _work(tmp_path / "run"))
    for ours, theirs in zip(wanted, found.values(), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-6)


def test_neither_kind_of_model(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(BadModel, match=r"no Keras model and no SavedModel among notes\.txt"):
        ADAPTER.run(_files(tmp_path, ["notes.txt"]), {}, _work(tmp_path / "run"))
