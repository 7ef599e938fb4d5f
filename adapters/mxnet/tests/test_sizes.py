"""Open sizes stay open where MXNet's codes can say them, and are fixed where the caller says so."""

from __future__ import annotations

from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

from adapters.mxnet.emit import save
from adapters.mxnet.tests import models
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.errors import BadRequest, UnsupportedNodes

IMAGE = TensorType(DType.FLOAT32, (symbol("n"), 3, symbol("h"), symbol("w")))
X = np.random.RandomState(5).normal(size=(2, 3, 12, 14)).astype(np.float32)


def quiet(_: str, __: float) -> None:
    """Takes progress and does nothing with it."""


def parsed(net: object, folder: Path) -> tuple[models.Saved, Model]:
    saved = models.save_gluon(net, {"data": X}, folder)
    return saved, saved.model(saved.parsed({"data": IMAGE}))


def test_images_of_any_size(tmp_path: Path) -> None:
    saved, _ = parsed(models.UNet(), tmp_path)
    written = saved.subject.emit(saved.parsed({"data": IMAGE}))
    for shape in ((2, 3, 12, 14), (1, 3, 8, 20)):
        x = X[: shape[0], :, : shape[2], :].repeat(2, axis=3)[..., : shape[3]]
        (found,) = saved.subject.run(written, {"data": x}).values()
        (wanted,) = saved.subject.run(saved.files, {"data": x}).values()
        assert models.error([found], [wanted]) < 1e-6


def test_sizes_are_fixed(tmp_path: Path) -> None:
    saved, model = parsed(models.Resizer(), tmp_path)
    with pytest.raises(UnsupportedNodes, match="sizes that are known"):
        save(model, "", tmp_path, quiet)
    _, model = parsed(models.Resizer(), tmp_path)
    emitted = save(model, "h=12, w=14", tmp_path, quiet)
    assert emitted.notes == ["the open size h is fixed to 12", "the open size w is fixed to 14"]
    namespace: dict[str, object] = {}
    exec((tmp_path / "model.py").read_text(), namespace)
    net = namespace["load"](str(tmp_path / "model-0000.params"))  # type: ignore[operator]
    assert models.error([net(mx.nd.array(X)).asnumpy()], saved.outputs) < 1e-5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("h", "'h' isn't a size: write name=number"),
        ("h=0", "isn't a size"),
        ("h=1e3", "isn't a size"),
        ("depth=3", "have no open size 'depth'; they have: h, n, w"),
    ],
)
def test_bad_sizes(text: str, message: str, tmp_path: Path) -> None:
    _, model = parsed(models.UNet(), tmp_path)
    with pytest.raises(BadRequest, match=message):
        save(model, text, tmp_path, quiet)
