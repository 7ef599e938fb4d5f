"""Small networks as frameworks of both faiths would give them."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Model, Value
from ir_hub.ops.build import Builder

CONVS = {"first": "NC*,OI*->NC*", "last": "N*C,*IO->N*C"}
WINDOWS = {"first": "NC*->NC*", "last": "N*C->N*C"}
TARGETS = {
    order: {"conv": CONVS[order], "max_pool": WINDOWS[order], "global_avg_pool": WINDOWS[order]}
    for order in ("first", "last")
}


class Network(Builder):
    """Builds layers whose channels are first or last."""

    def __init__(self, order: str, batch: Dim = 2, size: int = 9) -> None:
        super().__init__()
        self._order = order
        self._random = np.random.default_rng(1)
        sizes = (batch, 3, size, size) if order == "first" else (batch, size, size, 3)
        self.image = self.input("image", shape=sizes)

    @property
    def channels(self) -> int:
        return 1 if self._order == "first" else 3

    def weights(self, *shape: int) -> Value:
        array = self._random.uniform(-0.5, 0.5, shape)
        return self.constant(array.astype(np.float32), name="weight")

    def conv3(self, x: Value, outputs: int) -> Value:
        inputs, axes = x.shape[self.channels], CONVS[self._order]
        shape = (outputs, inputs, 3, 3) if self._order == "first" else (3, 3, inputs, outputs)
        one, weight, bias = (1, 1), self.weights(*shape), self.weights(outputs)
        return self.conv(x, weight, bias, strides=one, pads=(one, one), dilations=one, axes=axes)

    def norm(self, x: Value) -> Value:
        size = x.shape[self.channels]
        vectors = [self.weights(size) for _ in range(3)]
        variance = self.constant(self._random.uniform(1, 2, size).astype(np.float32))
        return self.batch_norm(x, *vectors, variance, axis=self.channels)

    def pool2(self, x: Value) -> Value:
        two, none, axes = (2, 2), ((0, 0), (0, 0)), WINDOWS[self._order]
        return self.max_pool(x, kernel=two, strides=two, pads=none, dilations=(1, 1), axes=axes)

    def dense(self, x: Value, outputs: int) -> Value:
        return self.linear(x, self.weights(outputs, x.shape[1]), self.weights(outputs))

    def model(self, *outputs: Value) -> Model:
        self.graph.outputs = list(outputs)
        return Model(self.graph)


def features(net: Network) -> Value:
    """Convolutions, norms, a residual, a scale for each channel, a pool."""
    x = net.relu(net.norm(net.conv3(net.image, 8)))
    y = net.norm(net.conv3(x, 8))
    x = net.relu(net.add(y, x))
    vector = (8, 1, 1) if net.channels == 1 else (8,)
    return net.pool2(net.mul(x, net.weights(*vector)))


def with_mean(order: str, batch: Dim = 2) -> Model:
    """A network that ends in a mean over the image, as Keras spells it, and a classifier."""
    net = Network(order, batch)
    spatial = tuple(axis for axis in (1, 2, 3) if axis != net.channels)
    x = net.softmax(net.reduce_mean(features(net), spatial, keepdims=False))
    return net.model(net.dense(x, 5))


def with_pool(order: str, batch: Dim = 2) -> Model:
    """A network that ends in a global pool, flattened: what ResNets do."""
    net = Network(order, batch)
    x = net.global_avg_pool(features(net), axes=WINDOWS[order])
    return net.model(net.dense(net.flatten(x), 5))


def with_flatten(order: str, batch: Dim = 2) -> Model:
    """A network whose classifier sees every place of the image: what VGG does."""
    net = Network(order, batch)
    x = net.relu(net.flatten(features(net)))
    return net.model(net.dense(net.dropout(x), 5))
