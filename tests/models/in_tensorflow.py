"""Networks that Keras has natively, as .keras files: keras.applications, and a few by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import applications, layers

from tests.models.networks import NETWORKS, Input
from tests.models.outputs import check_outputs

APPLICATIONS: dict[str, Callable[..., keras.Model]] = {
    "mobilenet_v2": applications.MobileNetV2,
    "densenet121": applications.DenseNet121,
    "inception_v3": applications.InceptionV3,
}


def mlp(x: Any) -> keras.Model:
    """Dense layers with activations, one without a bias."""
    y = layers.Dense(16, activation="relu")(x)
    y = layers.Dropout(0.3)(layers.Dense(8, activation="tanh", use_bias=False)(y))
    return keras.Model(x, layers.Dense(4, activation="softmax")(y))


def two_in_two_out(image: Any, facts: Any) -> keras.Model:
    """An image and numbers in, classes and an image out."""
    y = layers.Conv2D(6, (3, 5), padding="same", name="stem")(image)
    y = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(y))
    pooled = layers.GlobalAveragePooling2D(name="pool")(y)
    joined = layers.Concatenate(name="join")([pooled, layers.Dense(5, "tanh", name="dense")(facts)])
    classes = layers.Dense(4, name="classes")(joined)
    gates = layers.Reshape((1, 1, 6))(layers.Dense(6, "sigmoid", name="gates")(joined))
    mask = layers.Conv2D(2, 3, name="mask")(layers.Multiply(name="gate")([y, gates]))
    return keras.Model([image, facts], [classes, mask])


def text_cnn(words: Any) -> keras.Model:
    """Convolutions of three widths over words."""
    y = layers.Embedding(40, 8)(words)
    read = [layers.Conv1D(6, width, activation="relu")(y) for width in (2, 3, 4)]
    most = layers.Concatenate()([layers.GlobalMaxPooling1D()(each) for each in read])
    return keras.Model(words, layers.Dense(3)(layers.Dropout(0.4)(most)))


BY_HAND: dict[str, Callable[..., keras.Model]] = {
    "mlp": mlp,
    "two_in_two_out": two_in_two_out,
    "text_cnn": text_cnn,
}


def write(name: str, folder: Path) -> None:
    """Write `name`.keras: telling weights, any batch."""
    inputs = NETWORKS[name].natives["tensorflow"]
    if name in BY_HAND:
        model = BY_HAND[name](*map(_keras_input, inputs))
    else:
        (image,) = inputs
        # No softmax: one of a thousand random logits would be all that counts.
        settings = {"weights": None, "classifier_activation": None}
        model = APPLICATIONS[name](input_shape=_channels_last(image.shape), **settings)
    randomise(model, NETWORKS[name].gain)
    check_telling(model, inputs)
    model.save(folder / f"{name}.keras")


def randomise(model: keras.Model, gain: float) -> None:
    """Give every weight and statistic a random value of a sane size."""
    random = np.random.default_rng(0)
    for variable in model.weights:
        kind, shape = variable.path.rpartition("/")[2], tuple(variable.shape)
        values = random.standard_normal(shape)
        if kind == "moving_variance":
            values = random.uniform(0.5, 1.5, shape)
        elif kind == "gamma":
            values = 1 + 0.2 * values
        elif kind == "kernel":
            depthwise = "depthwise" in variable.path
            values *= math.sqrt(gain / math.prod(shape[:2] if depthwise else shape[:-1]))
        else:
            values *= 0.2
        variable.assign(values.astype(np.float32))


def check_telling(model: keras.Model, inputs: tuple[Input, ...]) -> None:
    """Raise `AssertionError` unless the outputs are finite, and not the same for other inputs."""
    random = np.random.default_rng(1)
    one, other = (keras.tree.flatten(model([_drawn(i, random) for i in inputs])) for _ in range(2))
    check_outputs(one, other)


def _keras_input(given: Input) -> Any:
    return keras.Input(_channels_last(given.shape), dtype="int32" if given.words else "float32")


def _drawn(given: Input, random: np.random.Generator) -> Any:
    shape = (2, *_channels_last(given.shape))
    if given.words:
        return random.integers(0, given.words, shape).astype(np.int32)
    return random.standard_normal(shape).astype(np.float32)


def _channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[1:], shape[0]) if len(shape) == 3 else shape
