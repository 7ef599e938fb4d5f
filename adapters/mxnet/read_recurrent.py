"""Recurrent layers: MXNet's fused RNN, of several layers, as one of ours for each layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from adapters.mxnet.dialect import Reading, reads
from ir_hub.ir.graph import Value, constant
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported

Array = np.ndarray[Any, Any]
# Where our gates are in MXNet's: i o f g in i f g o, z r n in r z n.
OURS = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}
_MODES = {"lstm": "lstm", "gru": "gru", "rnn_tanh": "rnn", "rnn_relu": "rnn"}


@dataclass(frozen=True)
class _Shape:
    """How a fused layer's weights lie one behind the other."""

    op: str
    layers: int
    ways: int
    hidden: int
    inputs: int

    def pieces(self) -> Iterator[tuple[int, ...]]:
        """The shapes of all weights, then all biases: of each layer, of each way, of the input
        and of the state before."""
        rows = len(OURS[self.op]) * self.hidden
        for layer in range(self.layers):
            columns = self.inputs if layer == 0 else self.hidden * self.ways
            for _ in range(self.ways):
                yield from ((rows, columns), (rows, self.hidden))
        yield from [(rows,)] * (2 * self.layers * self.ways)


@reads("RNN")
def _(node: Reading, b: Builder) -> Any:
    mode, hidden = node.text("mode"), node.integer("state_size")
    node.only(mode in _MODES, f"mode={mode!r}")
    for name in ("projection_size", "lstm_state_clip_min", "lstm_state_clip_max"):
        node.only(node.number(name) is None, f"it has {name}")
    node.flag("lstm_state_clip_nan")
    rate, with_states = node.number("p", 0.0), node.flag("state_outputs")
    ways = 2 if node.flag("bidirectional") else 1
    inputs = node.shape()[2]
    node.only(isinstance(inputs, int), "the size of its input isn't known")
    shape = _Shape(_MODES[mode], node.integer("num_layers"), ways, hidden, int(inputs))  # type: ignore[arg-type]
    arrays = _weights(node.operand(1), shape)
    literals = _literals(mode, hidden, ways)
    lengths = None
    states = [node.call.input(place) for place in range(2, 4 if mode == "lstm" else 3)]
    if node.flag("use_sequence_length"):
        lengths = node.operand(4 if mode == "lstm" else 3)
    x, lasts = node.x, []
    for layer in range(shape.layers):
        if layer and rate:
            x = b.dropout(x, rate=rate)
        initial = [_part(state, layer, shape, b) for state in states]
        weights = _layer(arrays, layer, shape, node.operand(1).name)
        y, *last = b.call(shape.op, x, *weights, lengths, *initial, **literals)
        lasts.append(last)
        x = _joined(y, ways, b)
    if not with_states:
        return x
    return (x, *(_stacked([last[i] for last in lasts], b) for i in range(len(lasts[0]))))


def _literals(mode: str, hidden: int, ways: int) -> dict[str, Any]:
    literals: dict[str, Any] = {
        "hidden_size": hidden,
        "direction": "bidirectional" if ways == 2 else "forward",
    }
    if mode == "gru":
        literals["linear_before_reset"] = True
    if mode == "rnn_relu":
        literals["activations"] = ("relu",) * ways
    elif mode == "rnn_tanh":
        literals["activations"] = ("tanh",) * ways
    elif ways == 2:
        literals["activations"] = (
            ("sigmoid", "tanh", "tanh") if mode == "lstm" else ("sigmoid", "tanh")
        ) * 2
    return literals


def _weights(value: Value, shape: _Shape) -> list[Array]:
    """The weights and biases, from one vector or from the weights that one was joined of."""
    flat = np.concatenate([array.reshape(-1) for array in _sources(value)])
    shapes = list(shape.pieces())
    ends = np.cumsum([int(np.prod(size)) for size in shapes])
    if ends[-1] != flat.size:
        raise Unsupported(f"its weights are {flat.size} numbers, {ends[-1]} are needed")
    pieces = np.split(flat, ends[:-1])
    return [piece.reshape(size) for piece, size in zip(pieces, shapes, strict=True)]


def _sources(value: Value) -> list[Array]:
    """The constants that a vector is joined of."""
    if value.is_constant:
        return [value.array()]
    maker = value.producer
    if maker is not None and maker.op == "concat":
        return [array for part in maker.xs for array in _sources(part)]
    if maker is not None and maker.op in ("reshape", "identity", "flatten"):
        return _sources(maker.x)
    raise Unsupported("its weights are computed")


def _layer(arrays: list[Array], layer: int, shape: _Shape, name: str) -> list[Value]:
    """weight, recurrent and bias of one layer, in our order of gates."""
    first = 2 * layer * shape.ways
    biases = first + 2 * shape.layers * shape.ways
    each = range(shape.ways)
    weight = np.stack([_ours(arrays[first + 2 * way], shape) for way in each])
    recurrent = np.stack([_ours(arrays[first + 2 * way + 1], shape) for way in each])
    bias = np.stack([
        np.concatenate([_ours(arrays[biases + 2 * way + part], shape) for part in (0, 1)])
        for way in each
    ])  # fmt: skip
    stem = name.rpartition("_")[0] or name
    named = (("weight", weight), ("recurrent", recurrent), ("bias", bias))
    return [constant(array, f"{stem}_l{layer}_{part}") for part, array in named]


def _ours(array: Array, shape: _Shape) -> Array:
    gates = np.split(array, len(OURS[shape.op]))
    return np.concatenate([gates[gate] for gate in OURS[shape.op]])


def _part(state: Value | None, layer: int, shape: _Shape, b: Builder) -> Any:
    """The first state of one layer."""
    if state is None or shape.layers == 1:
        return state
    start = layer * shape.ways
    return b.slice(state, (start,), (start + shape.ways,), (0,))


def _joined(y: Value, ways: int, b: Builder) -> Any:
    """Our (time, ways, batch, hidden) as MXNet's (time, batch, ways * hidden)."""
    if ways == 1:
        return b.squeeze(y, (1,))
    time, _, batch, hidden = y.shape or (0, 0, 0, 0)
    return b.reshape(b.transpose(y, perm=(0, 2, 1, 3)), (time, batch, ways * hidden))


def _stacked(states: list[Value], b: Builder) -> Any:
    return states[0] if len(states) == 1 else b.concat(states, axis=0)
