"""Small Keras models, with random parameters and statistics that show in what they compute.

`python -m adapters.tensorflow.tests.models FOLDER` writes them all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

Array = np.ndarray[Any, Any]
MODELS: dict[str, Callable[[], keras.Model]] = {}


def model(build: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
    """Registers a model."""
    MODELS[build.__name__] = build
    return build


def made(name: str) -> keras.Model:
    """A model with random weights; variances are positive."""
    keras.utils.clear_session()
    built = MODELS[name]()
    randomise(built)
    return built


def randomise(built: keras.Model) -> None:
    """Gives every weight random values, of a size that keeps activations alive."""
    rng = np.random.default_rng(7)
    for variable in built.weights:
        shape = tuple(variable.shape)
        fan = max(int(np.prod(shape[:-1])), 1) if len(shape) > 1 else 4
        values = rng.standard_normal(shape) / np.sqrt(fan) * 1.2
        if "variance" in variable.path:
            values = rng.uniform(0.4, 1.8, shape)
        elif "gamma" in variable.path:
            values = rng.uniform(0.5, 1.5, shape)
        variable.assign(values.astype("float32"))


def inputs_of(built: keras.Model, batch: int = 3) -> dict[str, Array]:
    """Random inputs by name."""
    rng = np.random.default_rng(11)
    found = {}
    for tensor in built.inputs:
        shape = (batch, *tensor.shape[1:])
        whole = "int" in str(tensor.dtype)
        drawn = rng.integers(0, 17, shape) if whole else rng.standard_normal(shape)
        found[tensor.name] = drawn.astype(tensor.dtype)
    return found


def outputs_of(built: keras.Model, inputs: dict[str, Array]) -> list[Array]:
    """What Keras computes."""
    given = [inputs[tensor.name] for tensor in built.inputs]
    results = built(given if len(given) > 1 else given[0], training=False)
    return [np.asarray(value) for value in keras.tree.flatten(results)]


def saved(built: keras.Model, folder: Path) -> Path:
    """The model as a file."""
    path = folder / "source.keras"
    built.save(path)
    return path


@model
def two_inputs() -> keras.Model:
    a, b = keras.Input((7,), name="a"), keras.Input((5,), name="b")
    x = layers.Add()([layers.Dense(6)(a), layers.Dense(6, activation="tanh")(b)])
    return keras.Model([a, b], layers.Dense(3)(x))


@model
def shared_layer() -> keras.Model:
    a, b = keras.Input((7,), name="a"), keras.Input((7,), name="b")
    dense = layers.Dense(5, activation="relu", name="shared")
    x = layers.Concatenate()([dense(a), dense(b), layers.Subtract()([dense(a), dense(b)])])
    return keras.Model([a, b], layers.Dense(3)(x))


@model
def nested_model() -> keras.Model:
    inner_in = keras.Input((9, 11, 4))
    y = layers.Conv2D(6, (3, 2), padding="same", name="conv")(inner_in)
    inner = keras.Model(inner_in, layers.BatchNormalization(name="bn")(y), name="stem")
    head = keras.Sequential([layers.Flatten(), layers.Dense(5, activation="softmax")], name="head")
    image = keras.Input((9, 11, 4), name="image")
    return keras.Model(image, head(layers.ReLU()(inner(image))))


@model
def lstm() -> keras.Model:
    x = keras.Input((6, 5), name="x")
    y = layers.LSTM(4, return_sequences=True)(x)
    return keras.Model(x, layers.Dense(3)(layers.LSTM(7, go_backwards=True)(y)))


@model
def gru() -> keras.Model:
    x = keras.Input((6, 5), name="x")
    y = layers.Bidirectional(layers.GRU(4, return_sequences=True))(x)
    y = layers.GRU(6, reset_after=False, return_sequences=True)(y)
    return keras.Model(x, layers.Dense(3)(layers.Bidirectional(layers.GRU(3))(y)))


@model
def embedding() -> keras.Model:
    x = keras.Input((8,), dtype="int32", name="ids")
    y = layers.GlobalAveragePooling1D()(layers.Embedding(17, 6)(x))
    return keras.Model(x, layers.Dense(3, activation="sigmoid")(y))


@model
def conv1d() -> keras.Model:
    x = keras.Input((13, 3), name="x")
    y = layers.Conv1D(6, 4, strides=2, padding="same", activation="relu")(x)
    y = layers.Conv1D(5, 3, dilation_rate=2, padding="causal")(y)
    return keras.Model(x, layers.GlobalMaxPooling1D()(layers.MaxPooling1D(2)(y)))


@model
def separable() -> keras.Model:
    x = keras.Input((9, 10, 3), name="x")
    y = layers.SeparableConv2D(7, (3, 2), depth_multiplier=2, padding="same")(x)
    return keras.Model(x, layers.AveragePooling2D(3, 2, padding="same")(y))


@model
def transposed() -> keras.Model:
    x = keras.Input((5, 6, 3), name="x")
    y = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x)
    return keras.Model(x, layers.Conv2DTranspose(2, (2, 5), strides=(3, 2))(y))


@model
def upsampling() -> keras.Model:
    x = keras.Input((4, 5, 3), name="x")
    y = layers.Conv2D(4, 3)(layers.UpSampling2D((2, 3))(x))
    y = layers.UpSampling2D(2, interpolation="bilinear")(y)
    return keras.Model(x, layers.Cropping2D(((1, 2), (0, 1)))(y))


@model
def leaky_relu_and_prelu() -> keras.Model:
    x = keras.Input((6, 7, 3), name="x")
    y = layers.LeakyReLU(negative_slope=0.17)(layers.Conv2D(4, 3)(x))
    y = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(5, 2)(y))
    return keras.Model(x, layers.PReLU()(layers.Dense(4)(layers.Flatten()(y))))


@model
def softplus() -> keras.Model:
    x = keras.Input((9,), name="x")
    y = layers.Dense(8, activation="softplus")(x)
    y = layers.Dense(8, activation="elu")(layers.Activation("softsign")(y))
    return keras.Model(x, layers.Dense(4, activation="gelu")(layers.Dense(5, activation="selu")(y)))


@model
def two_outputs() -> keras.Model:
    x = keras.Input((9,), name="x")
    y = layers.Dense(8, activation="relu", name="trunk")(x)
    return keras.Model(x, [layers.Dense(3, name="first")(y), layers.Dense(2, name="second")(y)])


@model
def stride_2_odd() -> keras.Model:
    x = keras.Input((15, 13, 3), name="x")
    y = layers.Conv2D(5, 3, strides=2, padding="same")(x)
    return keras.Model(x, layers.MaxPooling2D(3, 2, padding="same")(y))


@model
def stride_2_even() -> keras.Model:
    x = keras.Input((16, 14, 3), name="x")
    y = layers.Conv2D(5, 3, strides=2, padding="same", use_bias=False)(x)
    return keras.Model(x, layers.MaxPooling2D(3, 2, padding="same")(y))


@model
def depthwise_relu6() -> keras.Model:
    x = keras.Input((12, 11, 4), name="x")
    y = layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)(x)
    y = layers.ReLU(max_value=6)(layers.BatchNormalization(momentum=0.9, epsilon=1e-4)(y))
    return keras.Model(x, layers.GlobalAveragePooling2D(keepdims=True)(y))


@model
def reshape() -> keras.Model:
    x = keras.Input((4, 6), name="x")
    y = layers.Permute((2, 1))(layers.Reshape((3, 8))(x))
    return keras.Model(x, layers.Dense(5)(layers.Reshape((-1, 12))(y)))


@model
def concat() -> keras.Model:
    x = keras.Input((7, 6, 3), name="x")
    y = layers.Concatenate()([layers.Conv2D(4, 1)(x), layers.Conv2D(2, 3, padding="same")(x), x])
    z = layers.Multiply()([y, layers.Conv2D(9, 1, activation="sigmoid")(y)])
    return keras.Model(x, layers.Maximum()([y, z]))


@model
def batch_norm_without_scale() -> keras.Model:
    x = keras.Input((6, 5, 4), name="x")
    y = layers.BatchNormalization(scale=False)(x)
    return keras.Model(x, layers.BatchNormalization(center=False, axis=1)(y))


@model
def dropout() -> keras.Model:
    x = keras.Input((9,), name="x")
    return keras.Model(x, layers.Dense(3)(layers.Dropout(0.3)(layers.Dense(8, "relu")(x))))


@model
def mlp() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((11,), name="x"),
            layers.Dense(16, activation="relu"),
            layers.Dense(8, activation="tanh", use_bias=False),
            layers.Dense(4, activation="softmax"),
        ]
    )


@model
def conv_flatten_dense() -> keras.Model:
    x = keras.Input((11, 9, 3), name="x")
    y = layers.Conv2D(6, (3, 4), activation="relu")(layers.ZeroPadding2D(((1, 0), (2, 1)))(x))
    y = layers.MaxPooling2D()(y)
    return keras.Model(x, layers.Dense(5)(layers.Flatten()(y)))


@model
def attention() -> keras.Model:
    x = keras.Input((7, 12), name="x")
    y = layers.MultiHeadAttention(3, 4, name="attention")(x, x)
    y = layers.LayerNormalization(name="norm")(layers.Add()([x, y]))
    z = layers.MultiHeadAttention(2, 5, value_dim=3)(y, x, use_causal_mask=True)
    return keras.Model(x, y + layers.Dense(12, activation="gelu")(z))


def write_all(folder: Path) -> None:
    """Writes every model as NAME.keras."""
    for name in MODELS:
        made(name).save(folder / f"{name}.keras")


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
