"""The networks in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

Make = Callable[[], keras.Model]


def conv() -> keras.Model:
    """A convolution with batch norm, pooled, and a dense layer."""
    x = inputs = keras.Input((8, 6, 3))
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.7, epsilon=1e-3)(x)
    x = layers.MaxPooling2D(2)(layers.ReLU()(x))
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(5)(x))


def separable() -> keras.Model:
    """A depthwise and a pointwise convolution, a batch norm behind each."""
    x = inputs = keras.Input((7, 5, 4))
    x = layers.DepthwiseConv2D(3, 2, "same", depth_multiplier=2, use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.95, epsilon=1e-2)(x)
    x = layers.Conv2D(6, 1, use_bias=False)(layers.ReLU(6)(x))
    x = layers.BatchNormalization(momentum=0.6, epsilon=1e-4)(x)
    x = layers.GlobalAveragePooling2D()(layers.LeakyReLU(0.2)(x))
    return keras.Model(inputs, layers.Dense(3)(x))


def recurrent(layer: type[Any]) -> keras.Model:
    """A recurrent layer, and a dense one on what it says last."""
    inputs = keras.Input((7, 5))
    return keras.Model(inputs, layers.Dense(3)(layer(4)(inputs)))


def attention() -> keras.Model:
    """A transformer's block; the gradient of a key's bias is 0, so that there is none."""
    x = inputs = keras.Input((5, 8))
    given = layers.LayerNormalization(epsilon=1e-5)(x)
    seen = layers.MultiHeadAttention(2, 4, use_bias=False)(given, given)
    x = layers.Add()([x, layers.Dropout(0.1)(layers.Dense(8)(seen))])
    wide = layers.Dense(16, activation="gelu")(layers.LayerNormalization(epsilon=1e-3)(x))
    return keras.Model(inputs, layers.Add()([x, layers.Dense(8)(wide)]))


def embedding() -> keras.Model:
    """The mean of words' vectors, and a dense layer."""
    inputs = keras.Input((7,), dtype="int32")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(11, 6)(inputs))
    return keras.Model(inputs, layers.Dense(3, activation="tanh")(x))


NETS: dict[str, Make] = {
    "conv": conv,
    "separable": separable,
    "lstm": lambda: recurrent(layers.LSTM),
    "gru": lambda: recurrent(layers.GRU),
    "attention": attention,
    "embedding": embedding,
}


def given(net: keras.Model, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """A random input of a network, three of a batch."""
    (taken,) = net.inputs
    shape = (3, *taken.shape[1:])
    if taken.dtype == "int32":
        return rng.integers(0, 11, shape, np.int32)
    return rng.standard_normal(shape).astype(np.float32)
