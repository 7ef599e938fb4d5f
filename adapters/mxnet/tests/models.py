"""Models with telling weights, as files, and what MXNet itself computes for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon
from mxnet.gluon import nn, rnn

from adapters.mxnet.adapter import MXNetAdapter
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.subject import InProcess
from ir_hub.simplify import reference

Array = np.ndarray[Any, Any]
ADAPTER = MXNetAdapter()
BATCH = symbol("batch")


@dataclass(frozen=True)
class Saved:
    """A model's files in a store of its own, what it was run on, and what it computed."""

    subject: InProcess
    files: Sequence[NamedBlob]
    inputs: Mapping[str, Array]
    outputs: Sequence[Array]

    def types(self) -> dict[str, TensorType]:
        """The types of the inputs, the batch open."""
        return {
            name: TensorType(DType.of(a.dtype), (BATCH, *a.shape[1:]))
            for name, a in self.inputs.items()
        }

    def parsed(self, types: Mapping[str, TensorType] | None = None) -> Blob:
        """The model as IR."""
        return self.subject.parse(self.files, self.types() if types is None else types)

    def model(self, parsed: Blob) -> Model:
        """The IR in memory."""
        return load_model(self.subject.store.open(parsed), self.subject.store)


def told(subject: InProcess, contents: Mapping[str, bytes]) -> list[NamedBlob]:
    """Files put into a store."""
    return [NamedBlob(name, subject.store.put_bytes(data)) for name, data in contents.items()]


def value_for(name: str, shape: Sequence[int], random: np.random.RandomState) -> Array:
    """A weight or statistic that can't be mistaken for another."""
    if name.endswith("var"):
        return random.uniform(0.5, 2.0, shape)
    if name.endswith("gamma"):
        return random.uniform(0.5, 1.5, shape)
    fan = max(int(np.prod(shape[1:])), 4) if len(shape) > 1 else 25
    return random.normal(0.0, 1.4 / np.sqrt(fan), shape)


def save_gluon(net: Any, inputs: Mapping[str, Array], folder: Path, seed: int = 0) -> Saved:
    """A Gluon model's export, after all its parameters were drawn anew."""
    random = np.random.RandomState(seed)
    net.initialize()
    given = [mx.nd.array(a, dtype=a.dtype) for a in inputs.values()]
    net(*given)
    for name, parameter in net.collect_params().items():
        parameter.set_data(mx.nd.array(value_for(name, parameter.shape, random)))
    net.hybridize()
    found = net(*given)
    outputs = found if isinstance(found, list | tuple) else [found]
    net.export(str(folder / "model"))
    subject = InProcess(ADAPTER, folder / "store")
    names = ("model-symbol.json", "model-0000.params")
    files = told(subject, {name: (folder / name).read_bytes() for name in names})
    return Saved(subject, files, inputs, [output.asnumpy() for output in outputs])


def save_symbol(
    net: Any, inputs: Mapping[str, Array], folder: Path, given: Sequence[str] = ("softmax_label",)
) -> Saved:
    """A symbol of the Module API with its checkpoint; `given` are arguments that are no weights."""
    random = np.random.RandomState(0)
    shapes = {name: array.shape for name, array in inputs.items()}
    arguments, _, states = net.infer_shape(**shapes)
    args = {
        name: mx.nd.array(value_for(name, shape, random))
        for name, shape in zip(net.list_arguments(), arguments, strict=True)
        if name not in shapes and name not in given
    }
    aux = {
        name: mx.nd.array(value_for(name, shape, random))
        for name, shape in zip(net.list_auxiliary_states(), states, strict=True)
    }
    executor = net.simple_bind(mx.cpu(), grad_req="null", **shapes)
    executor.copy_params_from(args, aux)
    outputs = executor.forward(is_train=False, **{n: mx.nd.array(a) for n, a in inputs.items()})
    mx.model.save_checkpoint(str(folder / "model"), 7, net, args, aux)
    subject = InProcess(ADAPTER, folder / "store")
    names = ("model-symbol.json", "model-0007.params")
    files = told(subject, {name: (folder / name).read_bytes() for name in names})
    return Saved(subject, files, inputs, [output.asnumpy() for output in outputs])


def error(found: Sequence[Array], wanted: Sequence[Array]) -> float:
    """The greatest error relative to each output's scale; shapes and types must be equal."""
    assert [(a.shape, a.dtype) for a in found] == [(a.shape, a.dtype) for a in wanted]
    scales = [float(np.abs(b).max()) or 1.0 for b in wanted]
    each = zip(found, wanted, scales, strict=True)
    return max(float(np.abs(a - b).max()) / scale for a, b, scale in each)


def reference_error(saved: Saved, parsed: Blob) -> float:
    """How far the IR's meaning is from what MXNet computed."""
    found = reference.run(saved.model(parsed), list(saved.inputs.values()))
    return error(found, saved.outputs)


def round_trip_error(saved: Saved, parsed: Blob) -> tuple[str, float]:
    """The Gluon code of an IR, and how far what MXNet computes with it is from the source."""
    written = saved.subject.emit(parsed)
    found = saved.subject.run(written, dict(saved.inputs))
    code = bytes(saved.subject.store.open(written[0].blob)).decode()
    return code, error(list(found.values()), saved.outputs)


class Tagger(gluon.HybridBlock):
    """A label for each word, by two layers of an LSTM."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.words = nn.Embedding(30, 8)
            self.lstm = rnn.LSTM(7, num_layers=2, input_size=8, dropout=0.3)
            self.labels = nn.Dense(5, flatten=False, in_units=7)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        return self.labels(self.lstm(F.swapaxes(self.words(x), 0, 1)))


class BothWays(gluon.HybridBlock):
    """A class for each text, by a GRU that reads it both ways."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.words = nn.Embedding(30, 8)
            self.gru = rnn.GRU(7, layout="NTC", input_size=8, bidirectional=True)
            self.label = nn.Dense(5, in_units=14)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        return self.label(F.max(self.gru(self.words(x)), axis=1))


class Attention(gluon.HybridBlock):
    """Self-attention by reshapes and batches of products."""

    def __init__(self, size: int, heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        with self.name_scope():
            self.query, self.key, self.value, self.out = (
                nn.Dense(size, flatten=False, in_units=size) for _ in range(4)
            )

    def by_head(self, F: Any, x: Any) -> Any:  # noqa: N803
        x = F.transpose(F.reshape(x, shape=(0, 0, self.heads, -1)), axes=(0, 2, 1, 3))
        return F.reshape(x, shape=(-3, 0, 0))

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        q, k, v = (self.by_head(F, part(x)) for part in (self.query, self.key, self.value))
        y = F.batch_dot(F.softmax(F.batch_dot(q, k, transpose_b=True) * 0.5), v)
        y = F.transpose(F.reshape(y, shape=(-4, -1, self.heads, 0, 0)), axes=(0, 2, 1, 3))
        return self.out(F.reshape(y, shape=(0, 0, -3)))


class Encoder(gluon.HybridBlock):
    """A layer of a transformer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.attention, self.dropout = Attention(8, 2), nn.Dropout(0.1)
            self.norm1, self.norm2 = nn.LayerNorm(in_channels=8), nn.LayerNorm(in_channels=8)
            self.wide = nn.Dense(16, flatten=False, in_units=8)
            self.act, self.narrow = nn.GELU(), nn.Dense(8, flatten=False, in_units=16)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        x = self.norm1(x + self.dropout(self.attention(x)))
        return self.norm2(x + self.dropout(self.narrow(self.act(self.wide(x)))))


class Transformer(gluon.HybridBlock):
    """Two layers of a transformer, and places that are learned."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.words, self.layers = nn.Embedding(30, 8), nn.HybridSequential()
            with self.layers.name_scope():
                self.layers.add(Encoder(), Encoder())
            self.places = self.params.get("places", shape=(1, 6, 8))
            self.labels = nn.Dense(5, flatten=False, in_units=8)

    def hybrid_forward(self, F: Any, x: Any, places: Any) -> Any:  # noqa: N803
        return self.labels(self.layers(F.broadcast_add(self.words(x), places)))


class UNet(gluon.HybridBlock):
    """Down by a stride, up by a transposed convolution, and both joined."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.first = nn.Conv2D(4, 3, padding=1, in_channels=3, activation="relu")
            self.norm = nn.BatchNorm(in_channels=4, epsilon=1e-3)
            self.down = nn.Conv2D(8, (3, 5), strides=2, padding=(1, 2), in_channels=4)
            self.leaky, self.slopes = nn.LeakyReLU(0.1), nn.PReLU(in_channels=4)
            self.up = nn.Conv2DTranspose(4, 2, strides=2, in_channels=8)
            self.last = nn.Conv2D(2, 1, in_channels=8)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        x = self.norm(self.first(x))
        return self.last(F.concat(x, self.slopes(self.up(self.leaky(self.down(x)))), dim=1))


class Resizer(gluon.HybridBlock):
    """Norms, pools, resizing and padding that few models have."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.first = nn.Conv2D(4, 3, padding=1, in_channels=3)
            self.each = nn.InstanceNorm(scale=True, in_channels=4)
            self.groups = nn.GroupNorm(2)
            self.last = nn.Conv2D(3, (3, 5), padding=(1, 2), in_channels=4)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        x = self.groups(self.each(self.first(x)))
        window = {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1), "pool_type": "avg"}
        x = F.Pooling(x, pooling_convention="full", count_include_pad=False, **window)
        x = F.UpSampling(x, scale=2, sample_type="nearest")
        x = F.contrib.BilinearResize2D(x, height=11, width=13)
        x = self.last(F.Pad(x, mode="reflect", pad_width=(0, 0, 0, 0, 1, 0, 2, 1)))
        return F.L2Normalization(x, mode="channel")


class TextCNN(gluon.HybridBlock):
    """Convolutions of two widths over words."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.words = nn.Embedding(30, 8)
            self.narrow = nn.Conv1D(6, 3, in_channels=8)
            self.wide = nn.Conv1D(6, 5, in_channels=8)
            self.label = nn.Dense(4, in_units=12)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        x = F.transpose(self.words(x), axes=(0, 2, 1))
        most = [F.max(F.relu(part(x)), axis=2) for part in (self.narrow, self.wide)]
        return F.softmax(self.label(F.concat(*most, dim=1)))


class TwoInTwoOut(gluon.HybridBlock):
    """Two inputs, two outputs, one layer that both go through."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.shared, self.out = nn.Dense(6, in_units=5), nn.Dense(3, in_units=12)

    def hybrid_forward(self, F: Any, left: Any, right: Any) -> Any:  # noqa: N803
        x, y = F.tanh(self.shared(left)), F.sigmoid(self.shared(right))
        return self.out(F.concat(x, y, dim=1)), F.broadcast_maximum(x, y) - 0.5 * x


def perceptron() -> Any:
    """Dense layers with an activation and dropout."""
    return _sequence(nn.Dense(7, activation="tanh"), nn.Dropout(0.3), nn.Dense(3))


def lenet() -> Any:
    """Convolutions, pools, and dense layers."""
    return _sequence(
        nn.Conv2D(6, 5, activation="relu"), nn.MaxPool2D(2, 2),
        nn.Conv2D(8, (3, 2), activation="relu"), nn.MaxPool2D(2, 2), nn.Flatten(),
        nn.Dense(12, activation="relu"), nn.Dense(10),
    )  # fmt: skip


def _sequence(*blocks: Any) -> Any:
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(*blocks)
    return net
