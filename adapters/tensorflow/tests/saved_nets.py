"""Networks as SavedModels, with random parameters and statistics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from adapters.tensorflow.tests.models import MODELS, randomise
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.adapter import Files, SourceFile

Save = Callable[[Path], None]
NETS: dict[str, Save] = {}
_SHARED = (
    "two_inputs", "shared_layer", "nested_model", "embedding", "conv1d", "separable", "transposed",
    "upsampling", "leaky_relu_and_prelu", "two_outputs", "stride_2_even", "reshape",
    "batch_norm_without_scale", "attention",
)  # fmt: skip


def net(save: Save) -> Save:
    """Registers what saves a network into a folder."""
    NETS[save.__name__] = save
    return save


def _exported(build: Callable[[], keras.Model]) -> Save:
    def save(folder: Path) -> None:
        keras.utils.clear_session()
        built = build()
        randomise(built)
        built.export(folder, verbose=False)

    return save


def files_in(folder: Path) -> Files:
    """A folder as the files of a model."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [
        SourceFile(str(p.relative_to(folder)), p, Blob(str(p), p.stat().st_size)) for p in paths
    ]
    return Files(tuple(files), lambda blob: memoryview(Path(blob.digest).read_bytes()))


NETS.update({name: _exported(MODELS[name]) for name in _SHARED})


@net
def mobilenet(folder: Path) -> None:
    """Depthwise blocks with additions around them; 157 layers."""
    _exported(lambda: keras.applications.MobileNetV2((32, 32, 3), 0.35, weights=None, classes=7))(
        folder
    )


@net
def dilated(folder: Path) -> None:
    """Dilation, which is saved as blocks in the batch, normalised in groups and by length."""

    def build() -> keras.Model:
        x = keras.Input((12, 15, 4), name="x")
        y = layers.Conv2D(6, (3, 2), dilation_rate=(2, 3), padding="same")(x)
        y = layers.GroupNormalization(3)(y)
        y = layers.UnitNormalization()(layers.Conv2D(4, 3, dilation_rate=2)(y))
        return keras.Model(x, layers.Conv3D(3, 2)(layers.Reshape((8, 11, 2, 2))(y)))

    _exported(build)(folder)


@net
def saved_by_keras(folder: Path) -> None:
    """A model with the objects of its layers, as tf.saved_model.save writes it."""
    built = keras.Sequential(
        [
            keras.Input((9, 8, 3), name="x"),
            layers.Conv2D(4, 3, strides=2, name="stem"),
            layers.BatchNormalization(name="norm"),
            layers.Flatten(),
            layers.Dense(5, activation="softmax", name="head"),
        ]
    )
    randomise(built)
    tf.saved_model.save(built, folder)


class _Plain(tf.Module):  # type: ignore[misc]
    """No layers: variables, and a function of TensorFlow's that calls another one."""

    def __init__(self) -> None:
        super().__init__(name="plain")
        rng = np.random.default_rng(3)
        draw = lambda *shape: rng.standard_normal(shape).astype(np.float32)  # noqa: E731
        self.stem = tf.Variable(draw(3, 5, 3, 6), name="kernel")
        self.deep = tf.Variable(draw(2, 3, 6, 4), name="kernel")
        self.bias = [tf.Variable(draw(6), name="bias"), tf.Variable(draw(4), name="bias")]
        self.statistics = [tf.Variable(abs(draw(4)) + 0.5, trainable=False) for _ in range(4)]

    @tf.function(reduce_retracing=False)  # type: ignore[untyped-decorator]
    def block(self, x: Any) -> Any:
        with tf.name_scope("block"):
            y = tf.nn.conv2d(x, self.deep, (1, 2), "SAME") + self.bias[1]
            scale, offset, mean, variance = self.statistics
            y, *_ = tf.compat.v1.nn.fused_batch_norm(
                y, scale, offset, mean, variance, is_training=False
            )
            return tf.nn.relu6(y)

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[
            tf.TensorSpec((None, 17, 13, 3), tf.float32, name="image"),
            tf.TensorSpec((None, 4), tf.float32, name="gain"),
        ]
    )
    def call(self, image: Any, gain: Any) -> Any:
        with tf.name_scope("stem"):
            x = tf.nn.bias_add(tf.nn.conv2d(image, self.stem, 2, "SAME"), self.bias[0])
        y = self.block(tf.nn.elu(x))
        pooled = tf.reduce_mean(y, (1, 2)) * gain
        return {"pooled": pooled, "large": tf.image.resize(y, (18, 14)), "gain": gain}


@net
def plain(folder: Path) -> None:
    module = _Plain()
    tf.saved_model.save(module, folder, signatures={"serving_default": module.call})
