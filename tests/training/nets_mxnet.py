"""The networks in Gluon, with what each takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock, nn, rnn

Make = Callable[[], HybridBlock]


def conv() -> HybridBlock:
    """A convolution with batch norm, pooled, and a dense layer."""
    net = nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Conv2D(4, 3, padding=1, use_bias=False, in_channels=3))
        net.add(nn.BatchNorm(momentum=0.7, epsilon=1e-3, in_channels=4))
        net.add(nn.Activation("relu"), nn.MaxPool2D(2), nn.Flatten(), nn.Dropout(0.3))
        net.add(nn.Dense(5, in_units=48))
    return net


def separable() -> HybridBlock:
    """A depthwise and a pointwise convolution, a batch norm behind each."""
    net = nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Conv2D(8, 3, 2, padding=1, groups=4, use_bias=False, in_channels=4))
        net.add(nn.BatchNorm(momentum=0.95, epsilon=1e-2, in_channels=8))
        net.add(nn.HybridLambda(lambda F, x: F.clip(x, 0, 6)))  # noqa: N803
        net.add(nn.Conv2D(6, 1, use_bias=False, in_channels=8))
        net.add(nn.BatchNorm(momentum=0.6, epsilon=1e-4, in_channels=6))
        net.add(nn.LeakyReLU(0.2), nn.GlobalAvgPool2D(), nn.Dense(3, in_units=6))
    return net


class Recurrent(HybridBlock):
    """A recurrent layer, and a dense one on what it says last; time comes first."""

    def __init__(self, layer: type[Any]) -> None:
        super().__init__(prefix="net_")
        with self.name_scope():
            self.layer, self.dense = layer(4, input_size=5), nn.Dense(3, in_units=4)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        last = F.slice_axis(self.layer(x), axis=0, begin=-1, end=None)
        return self.dense(F.reshape(last, (-3, 0)))


class Attention(HybridBlock):
    """A transformer's block; the gradient of a key's bias is 0, so that there is none."""

    def __init__(self) -> None:
        super().__init__(prefix="net_")
        with self.name_scope():
            self.norm = nn.LayerNorm(in_channels=8)
            self.last_norm = nn.LayerNorm(in_channels=8, epsilon=1e-3)
            self.query, self.key, self.value = (_dense(8, 8, use_bias=False) for _ in range(3))
            self.out, self.wide, self.narrow = _dense(8, 8), _dense(16, 8), _dense(8, 16)
            self.dropout, self.gelu = nn.Dropout(0.1), nn.GELU()

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        given = self.norm(x)
        query, key, value = (
            F.reshape(F.transpose(F.reshape(layer(given), (0, 0, 2, 4)), (0, 2, 1, 3)), (-3, 0, 0))
            for layer in (self.query, self.key, self.value)
        )
        scores = F.softmax(F.batch_dot(query / 2, key, transpose_b=True))
        seen = F.transpose(F.reshape(F.batch_dot(scores, value), (-4, -1, 2, 0, 0)), (0, 2, 1, 3))
        x = x + self.dropout(self.out(F.reshape(seen, (0, 0, -3))))
        return x + self.narrow(self.gelu(self.wide(self.last_norm(x))))


def _dense(units: int, taken: int, **options: Any) -> Any:
    return nn.Dense(units, flatten=False, in_units=taken, **options)


class Embedding(HybridBlock):
    """The mean of words' vectors, and a dense layer."""

    def __init__(self) -> None:
        super().__init__(prefix="net_")
        with self.name_scope():
            self.embedding = nn.Embedding(11, 6)
            self.dense = nn.Dense(3, in_units=6, activation="tanh")

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        return self.dense(F.mean(self.embedding(x), axis=1))


NETS: dict[str, tuple[Make, tuple[int, ...]]] = {
    "conv": (conv, (3, 3, 8, 6)),
    "separable": (separable, (3, 4, 7, 5)),
    "lstm": (lambda: Recurrent(rnn.LSTM), (7, 3, 5)),
    "gru": (lambda: Recurrent(rnn.GRU), (7, 3, 5)),
    "attention": (Attention, (3, 5, 8)),
    "embedding": (Embedding, (3, 7)),
}


def given(name: str, rng: np.random.Generator) -> Any:
    """A random input of a network."""
    shape = NETS[name][1]
    if name == "embedding":
        return mx.nd.array(rng.integers(0, 11, shape), dtype="int32")
    return mx.nd.array(rng.standard_normal(shape).astype(np.float32))
