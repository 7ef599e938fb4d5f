"""Sizes that a source leaves open stay open in Keras wherever every op of the model allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from adapters.tensorflow.adapter import TensorFlowAdapter
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.adapter import Emitted, Work
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.simplify.reference import run

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()
_IMAGE = (symbol("batch"), symbol("height"), symbol("width"), 3)


def _constant(b: Builder, rng: np.random.Generator, name: str, *shape: int) -> Value:
    return b.constant(rng.standard_normal(shape).astype(np.float32), name=name)


def _convolved(b: Builder, x: Value, rng: np.random.Generator) -> Value:
    """Convolutions of stride 1 and 2, a pool, a transposed convolution, a skip and a resize."""
    ones, none = (1, 1), ((0, 0), (0, 0))
    axes, turned = "N*C,*IO->N*C", "N*C,*OI->N*C"
    kernel, bias = _constant(b, rng, "stem.kernel", 3, 3, 3, 4), _constant(b, rng, "stem.bias", 4)
    y = b.conv(x, kernel, bias, strides=ones, pads=((1, 1), (1, 1)), dilations=ones, axes=axes)
    y = b.max_pool(b.relu(y), kernel=(2, 2), strides=(2, 2), pads=none, dilations=ones,
                   axes="N*C->N*C")  # fmt: skip
    down = _constant(b, rng, "down.kernel", 3, 3, 4, 5)
    z = b.conv(y, down, strides=(2, 2), pads=((1, 1), (1, 1)), dilations=ones, axes=axes)
    up = _constant(b, rng, "up.kernel", 2, 2, 4, 5)
    z = b.conv_transpose(z, up, strides=(2, 2), pads=none, dilations=ones,
                         output_padding=(0, 0), axes=turned)  # fmt: skip
    z = b.add(z, y)
    result: Value = b.resize(z, scale_factors=(2.0, 2.0), mode="nearest", coordinates="asymmetric",
                             nearest="floor", axes="N*C->N*C")  # fmt: skip
    return result


def _saved(model: Model, folder: Path, sizes: str = "") -> Emitted:
    (folder / "scratch").mkdir(exist_ok=True)
    options = {"threads": "1", "sizes": sizes, "signature": ""}
    return ADAPTER.save(model, "keras", folder, Work(options, lambda *_: None, folder / "scratch"))


def _outputs(folder: Path, image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    loaded = keras.saving.load_model(folder / "model.keras", safe_mode=True)
    return np.asarray(loaded(image, training=False))


def test_a_fully_convolutional_network_takes_any_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    b = Builder()
    x = b.input("image", DType.FLOAT32, _IMAGE)
    b.graph.outputs = [_convolved(b, x, rng)]
    model = Model(b.graph)
    images = [rng.standard_normal((2, *size, 3)).astype(np.float32) for size in ((8, 12), (16, 4))]
    wanted = [run(model, [image])[0] for image in images]
    emitted = _saved(model, tmp_path)
    assert not emitted.fixed_sizes
    assert "keras.Input((None, None, 3)" in (tmp_path / "model.py").read_text()
    for image, expected in zip(images, wanted, strict=True):
        np.testing.assert_allclose(_outputs(tmp_path, image), expected, rtol=1e-5, atol=1e-5)


def test_what_must_be_fixed_is_named_and_fixed_on_request(tmp_path: Path) -> None:
    """A reshape to several open sizes: Keras has one of them at a time."""
    b = Builder()
    x = b.input("image", DType.FLOAT32, _IMAGE)
    batch, height, width, _ = _IMAGE
    swapped = b.reshape(x, (batch, height * 3, width))
    b.graph.outputs = [swapped]
    image = np.arange(2 * 4 * 5 * 3, dtype=np.float32).reshape(2, 4, 5, 3)
    wanted = run(b.graph, [image])[0]
    with pytest.raises(UnsupportedNodes, match=r"the run knows more than one size of .*width"):
        _saved(Model(b.graph), tmp_path)
    emitted = _saved(Model(b.graph), tmp_path, "height=4,width=5")
    assert emitted.fixed_sizes == {"height": 4, "width": 5}
    np.testing.assert_array_equal(_outputs(tmp_path, image), wanted)
    np.testing.assert_array_equal(_outputs(tmp_path, image[:1]), wanted[:1])
