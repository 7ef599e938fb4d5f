"""Small models, and the code that is written for them, so that reviews see its changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

import ir_hub.ops.catalogue  # noqa: F401 (the builder calls the ops that it registers)
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model, Source, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder

FOLDER = Path(__file__).parent
N = symbol("N")


def weight(b: Builder, *shape: int, name: str = "constant") -> Value:
    """A random constant, the same each time."""
    array = np.random.default_rng(sum(shape)).uniform(-0.5, 0.5, shape)
    return b.constant(array.astype(np.float32), name=name)


def conv(b: Builder, x: Value, channels: int, kernel: int = 3, stride: int = 1) -> Value:
    """A convolution that keeps the size, or divides it by the stride."""
    shape = x.shape or ()
    assert isinstance(shape[1], int)
    pads = ((kernel // 2, kernel // 2),) * 2
    weights = weight(b, channels, shape[1], kernel, kernel)
    found: Value = b.conv(x, weights, strides=(stride,) * 2, pads=pads, dilations=(1, 1))
    return found


def norm(b: Builder, x: Value) -> Value:
    """A batch norm of channels."""
    count = (x.shape or ())[1]
    assert isinstance(count, int)
    scale = b.constant(np.random.default_rng(count).uniform(0.5, 1.5, (4, count)).astype("f"))
    parts = (b.constant(row) for row in scale.array())
    found: Value = b.batch_norm(x, *parts)
    return found


def residual() -> Model:
    """Two residual blocks of one class, a pool and a classifier."""
    b = Builder()
    x = b.input("image", shape=(N, 3, 32, 32))
    with b.within("stem"):
        x = b.relu(norm(b, conv(b, x, 8, stride=2)))
    for index in range(2):
        with b.within(f"layers.{index}.conv1"):
            y = conv(b, x, 8)
        with b.within(f"layers.{index}.bn1"):
            y = b.relu(norm(b, y))
        with b.within(f"layers.{index}.conv2"):
            y = conv(b, y, 8)
        with b.within(f"layers.{index}"):
            x = b.relu(b.add(x, y))
    with b.within("head"):
        x = b.linear(b.flatten(b.global_avg_pool(x)), weight(b, 10, 8), weight(b, 10))
    b.graph.outputs = [b.softmax(x)]
    classes = {"": "TinyResNet", "layers": "ModuleList", "layers.0": "Block", "layers.1": "Block"}
    return Model(b.graph, classes, Source("onnx", "golden", "23"))


def transformer() -> Model:
    """An encoder layer over token embeddings with a dynamic length."""
    b, length = Builder(), symbol("L")
    tokens = b.input("tokens", DType.INT64, (N, length))
    mask = b.input("mask", DType.BOOL, (N, 1, 1, length))
    with b.within("embed"):
        x = b.embedding(tokens, weight(b, 50, 16))
    with b.within("layer.qkv"):
        y = b.linear(x, weight(b, 48, 16), weight(b, 48))
    with b.within("layer"):
        heads = b.split(y, axis=-1, count=3)
        q, k, v = (b.transpose(b.reshape(t, (N, length, 2, 8)), perm=(0, 2, 1, 3)) for t in heads)
        y = b.reshape(b.transpose(b.attention(q, k, v, mask), perm=(0, 2, 1, 3)), (N, length, 16))
        x = b.layer_norm(b.add(x, y), weight(b, 16), weight(b, 16))
    with b.within("layer.mlp.0"):
        y = b.gelu(b.linear(x, weight(b, 32, 16), weight(b, 32)))
    with b.within("layer.mlp.1"):
        y = b.linear(y, weight(b, 16, 32), weight(b, 16))
    b.graph.outputs = [b.add(x, y)]
    return Model(b.graph, {"": "Encoder", "layer": "EncoderLayer", "layer.mlp": "Sequential"})


def recurrent() -> Model:
    """A bidirectional LSTM, whose gates are put in PyTorch's order, and a GRU as a loop."""
    b = Builder()
    x = b.input("x", shape=(7, N, 5))
    y, state, _ = b.lstm(x, weight(b, 2, 16, 5), weight(b, 2, 16, 4), weight(b, 2, 32),
                         hidden_size=4, direction="bidirectional")  # fmt: skip
    flat = b.reshape(b.transpose(y, perm=(0, 2, 1, 3)), (7, N, 8))
    z, _ = b.gru(flat, weight(b, 1, 9, 8), weight(b, 1, 9, 3), hidden_size=3)
    b.graph.outputs = [b.squeeze(z, (1,)), state]
    return Model(b.graph)


def dynamic() -> Model:
    """Sizes that only the run knows, and ops that PyTorch lacks."""
    b = Builder()
    x, size = b.input("x", shape=(N, 3, 9, 9)), b.input("size", DType.INT64, (2,))
    y = b.resize(x, size, mode="cubic", coordinates="asymmetric")
    y = b.pad(y, (0, 0, 1, 2, 0, 0, 3, 0), mode="reflect")
    values, places = b.top_k(b.reduce_max(y, (2, 3), keepdims=False), (2,))
    z = b.avg_pool(
        x, kernel=(3, 3), strides=(2, 2), pads=((0, 1),) * 2, dilations=(1, 1), ceil_mode=True
    )
    b.graph.outputs = [values, places, z]
    return Model(b.graph)


def several() -> Model:
    """Several inputs and outputs, an input and a constant among these, a layer used twice."""
    b = Builder()
    left, right = b.input("left", shape=(N, 4)), b.input("right", shape=(N, 4))
    shared, bias = weight(b, 6, 4, name="shared.weight"), weight(b, 6, name="shared.bias")
    with b.within("shared"):
        p, q = b.linear(left, shared, bias), b.linear(right, shared, bias)
    b.graph.outputs = [b.mul(p, q), left, b.constant(np.arange(3), name="classes"), b.sub(p, 1.5)]
    return Model(b.graph)


def quantised() -> Model:
    """A quantised product between float tensors."""
    b = Builder()
    x = b.input("x", shape=(N, 4))
    scale, point = b.constant(np.float32(0.05)), b.constant(np.uint8(12))
    y = b.quantize_linear(x, scale, point, output_dtype=DType.UINT8)
    weights = b.constant(np.random.default_rng(0).integers(-128, 128, (4, 3)).astype(np.int8))
    y = b.matmul_integer(y, weights, point)
    factor = b.constant(np.array([0.01, 0.02, 0.03], np.float32))
    b.graph.outputs = [b.mul(b.cast(y, to=DType.FLOAT32), factor)]
    return Model(b.graph)


MODELS: dict[str, Callable[[], Model]] = {
    function.__name__: function
    for function in (residual, transformer, recurrent, dynamic, several, quantised)
}
