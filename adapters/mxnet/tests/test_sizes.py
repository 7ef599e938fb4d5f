"""Open sizes stay open where MXNet's codes can say them, and are fixed where the caller says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

from adapters.mxnet.emit import save
from adapters.mxnet.tests import models
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.build import Builder
from ir_hub.sdk.errors import BadRequest, UnsupportedNodes
from ir_hub.simplify import reference

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


class Pyramid(gluon.HybridBlock):
    """An image made smaller, then as large as before, larger, and smaller."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.down = gluon.nn.Conv2D(3, 3, strides=2, padding=1, in_channels=3)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        resize = F.contrib.BilinearResize2D
        y = x + resize(self.down(x), x, mode="like", align_corners=False)
        return resize(y, scale_height=2, scale_width=2), F.UpSampling(
            y, scale=3, sample_type="nearest"
        )


def test_images_are_resized_to_open_sizes(tmp_path: Path) -> None:
    saved, model = parsed(Pyramid(), tmp_path)
    assert [str(size) for size in model.graph.outputs[0].shape[2:]] == ["2*h", "2*w"]
    written = saved.subject.emit(saved.parsed({"data": IMAGE}))
    for x in (X, X[:, :, :9, 3:]):
        found = saved.subject.run(written, {"data": x}).values()
        wanted = saved.subject.run(saved.files, {"data": x}).values()
        assert models.error(list(found), list(wanted)) < 1e-6
        assert models.error(list(found), reference.run(model, [x])) < 1e-6


def turned() -> Model:
    """A model whose result MXNet's codes for shapes can't say while its sizes are open."""
    n, h, w = map(symbol, "nhw")
    b = Builder()
    x = b.input("data", shape=(n, 3, h, w))
    b.graph.outputs = [b.relu(b.reshape(x, (n, 3, w, h)))]
    return Model(b.graph)


def test_sizes_are_fixed(tmp_path: Path) -> None:
    advice = "Give its open sizes numbers: the option sizes=h=NUMBER,n=NUMBER,w=NUMBER"
    with pytest.raises(UnsupportedNodes) as caught:
        save(turned(), "", tmp_path, quiet)
    assert advice in caught.value.problems[0].description
    emitted = save(turned(), "h=12, w=14", tmp_path, quiet)
    assert emitted.fixed_sizes == {"h": 12, "w": 14}
    namespace: dict[str, object] = {}
    exec((tmp_path / "model.py").read_text(), namespace)
    net = namespace["load"](str(tmp_path / "model-0000.params"))  # type: ignore[operator]
    for x in (X, X[:1]):
        assert models.error([net(mx.nd.array(x)).asnumpy()], reference.run(turned(), [x])) == 0


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
