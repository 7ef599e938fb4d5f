"""Reads recurrent layers, one way and both ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from adapters.tensorflow.config import snake
from adapters.tensorflow.reading import LayerCall, reads
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported

_OPS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
_GATES = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "rnn": (0,)}  # the IR's from Keras'
# The IR's activations, with the coefficients of those that have some.
_ACTIVATIONS: dict[str, tuple[str, tuple[float, ...]]] = {
    **{name: (name, ()) for name in ("sigmoid", "tanh", "relu", "softsign", "softplus")},
    "linear": ("affine", (1.0, 0.0)),
    "hard_sigmoid": ("hard_sigmoid", (1 / 6, 0.5)),
    "leaky_relu": ("leaky_relu", (0.2,)),
    "elu": ("elu", (1.0,)),
}
Config = dict[str, Any]


def _settings(cell: _Cell) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The activations and literals that a recurrent layer's settings mean."""
    config, kind = cell.config, cell.op
    if config.get("stateful"):
        raise Unsupported("it keeps its states from one batch to the next")
    activation, gate = (
        config.get("activation", "tanh"),
        config.get("recurrent_activation", "sigmoid"),
    )
    names = {
        "lstm": (gate, activation, activation),
        "gru": (gate, activation),
        "rnn": (activation,),
    }
    strange = [name for name in names[kind] if name not in _ACTIVATIONS]
    if strange:
        raise Unsupported(f"its activation {strange[0]!r}")
    known = [_ACTIVATIONS[name] for name in names[kind]]
    coefficients = [numbers for _, numbers in known]
    literals: dict[str, Any] = {
        "hidden_size": config["units"],
        "layout": 1,
        "activation_alpha": tuple(numbers[0] for numbers in coefficients if numbers),
        "activation_beta": tuple(numbers[1] for numbers in coefficients if len(numbers) > 1),
    }
    if kind == "gru":
        literals["linear_before_reset"] = bool(config.get("reset_after", True))
    return tuple(name for name, _ in known), literals


def _weights(layer: LayerCall, cell: _Cell, x: Value) -> list[Any]:
    """Weight, recurrence and bias of one direction, in the IR's order and shapes."""
    config, kind, prefix = cell.config, cell.op, cell.prefix
    inputs = x.shape[-1] if x.shape and isinstance(x.shape[-1], int) else None
    units, gates = config["units"], _GATES[kind]
    width = units * len(gates)

    def ordered(columns: np.ndarray) -> np.ndarray:
        pieces = [columns[..., g * units : (g + 1) * units] for g in gates]
        return np.concatenate(pieces, axis=-1)

    kernel = layer.weight(f"{prefix}0", (inputs, width)).array()
    recurrent = layer.weight(f"{prefix}1", (units, width)).array()
    found = [ordered(kernel).T[None], ordered(recurrent).T[None]]
    if not config.get("use_bias", True):
        return [*found, None]
    both = kind == "gru" and config.get("reset_after", True)
    bias = layer.weight(f"{prefix}2", (2, width) if both else (width,)).array()
    if not both:
        bias = np.stack([bias, np.zeros_like(bias)])
    return [*found, ordered(bias).reshape(1, -1)]


_NAMES = ("weight", "recurrent", "bias")
# fmt: off
_SETTINGS = (
    "units", "activation", "recurrent_activation", "use_bias", "return_sequences", "return_state",
    "go_backwards", "stateful", "reset_after", "dropout", "recurrent_dropout",
)
_COMPARED = ("units", "activation", "recurrent_activation", "use_bias", "reset_after")
# fmt: on


@reads("LSTM", "GRU", "SimpleRNN", "RNN")
def _(layer: LayerCall) -> Any:
    b, config = layer.b, layer.config
    for name in (*_SETTINGS, "cell"):
        layer.get(name)
    cells = _cells(layer.type, config, "cell.")
    keeps_state = bool(config.get("return_state"))
    states = layer.argument("initial_state")
    states = states if isinstance(states, tuple) else ((states,) if states is not None else ())
    if len(cells) > 1 and (states or keeps_state):
        raise Unsupported("its cells are several, and their states are read or given")
    y = layer.x
    for cell in cells:
        y, last = _one_way(layer, y, cell, states, bool(config.get("go_backwards")))
    if not config.get("return_sequences"):
        y = last[0]
    elif config.get("go_backwards"):
        y = b.reverse(y, axes=(1,))
    return (y, *last) if keeps_state else y


@dataclass(frozen=True)
class _Cell:
    """A recurrence: which op it is, its settings, and where its weights are within the layer."""

    op: str
    config: Config
    prefix: str


def _cells(name: str, config: Config, prefix: str) -> list[_Cell]:
    """What the recurrent layer of that class, with these settings, does at each step.

    Raises:
        Unsupported: it isn't one of Keras' own.
    """
    if name in _OPS:
        return [_Cell(_OPS[name], config, prefix)]
    cell = config.get("cell") if name == "RNN" else None
    kind = cell.get("class_name") if isinstance(cell, dict) else name
    if kind == "StackedRNNCells":
        found = []
        counts: Counter[str] = Counter()
        for inner in cell["config"]["cells"]:
            inner_kind = inner.get("class_name")
            number = f"_{counts[inner_kind]}" if counts[inner_kind] else ""
            counts[inner_kind] += 1
            place = f"{prefix}cells.{snake(inner_kind)}{number}."
            found += _cells("RNN", {"cell": inner}, place)
        return found
    own = str(kind).removesuffix("Cell")
    if own not in _OPS or own == kind:
        raise Unsupported(f"of {kind}")
    return [_Cell(_OPS[own], {**config, **cell["config"]}, prefix)]


def _one_way(
    layer: LayerCall, x: Value, cell: _Cell, states: tuple[Value, ...], backwards: bool
) -> tuple[Value, list[Value]]:
    """What a cell gives at each step, in the order of the steps, and its last states."""
    b = layer.b
    activations, literals = _settings(cell)
    arrays = _weights(layer, cell, x)
    tensors = [_constant(layer, a, name) for a, name in zip(arrays, _NAMES, strict=True)]
    initial = [b.unsqueeze(state, (1,)) for state in states]
    y, *last = b.call(
        cell.op, x, *tensors, None, *initial, direction="reverse" if backwards else "forward",
        activations=activations, **literals,
    )  # fmt: skip
    return b.squeeze(y, (2,)), [b.squeeze(state, (1,)) for state in last]


def _constant(layer: LayerCall, array: Any, name: str) -> Value | None:
    return None if array is None else layer.b.constant(np.ascontiguousarray(array), name=name)


@reads("Bidirectional")
def _(layer: LayerCall) -> Any:
    b, x = layer.b, layer.x
    inner, other = layer.get("layer"), layer.get("backward_layer")
    config: Config = inner["config"]
    theirs: Config = other["config"] if isinstance(other, dict) else config
    (ours,) = _cells(inner["class_name"], config, "forward_layer.cell.")
    name = other["class_name"] if isinstance(other, dict) else inner["class_name"]
    (others,) = _cells(name, theirs, "backward_layer.cell.")
    if config.get("go_backwards") or not (theirs is config or theirs.get("go_backwards")):
        raise Unsupported("its forward layer goes backwards, or its backward one forwards")
    if all(ours.config.get(k) == others.config.get(k) for k in _COMPARED) and ours.op == others.op:
        sides, states = _both_ways(layer, x, ours, others, bool(config.get("return_sequences")))
    else:
        ways = [_one_way(layer, x, cell, (), cell is others) for cell in (ours, others)]
        sides = [y if config.get("return_sequences") else last[0] for y, last in ways]
        states = [state for _, last in ways for state in last]
    y = _merged(b, sides, layer.get("merge_mode", "concat"))
    found = y if isinstance(y, tuple) else (y,)
    return (*found, *states) if config.get("return_state") else y


def _both_ways(
    layer: LayerCall, x: Value, ours: _Cell, others: _Cell, sequences: bool
) -> tuple[list[Value], list[Value]]:
    """What two cells that differ in their weights alone give forwards and backwards, and their
    last states."""
    b = layer.b
    activations, literals = _settings(ours)
    pairs = zip(_weights(layer, ours, x), _weights(layer, others, x), strict=True)
    tensors = [
        None if one is None else b.constant(np.concatenate([one, two]), name=name)
        for name, (one, two) in zip(_NAMES, pairs, strict=True)
    ]
    y, *last = b.call(
        ours.op, x, *tensors, direction="bidirectional", activations=activations, **literals
    )
    axis = 2 if sequences else 1
    sides = [b.squeeze(side, (axis,)) for side in
             b.split(y if sequences else last[0], None, axis=axis, count=2)]  # fmt: skip
    parts = [b.split(state, None, axis=1, count=2) for state in last]
    return sides, [b.squeeze(part[way], (1,)) for way in (0, 1) for part in parts]


def _merged(b: Builder, sides: list[Value], mode: Any) -> Any:
    match mode:
        case "concat":
            return b.concat(tuple(sides), axis=-1)
        case "sum":
            return b.add(*sides)
        case "mul":
            return b.mul(*sides)
        case "ave":
            return b.mul(b.add(*sides), 0.5)
        case None:
            return tuple(sides)
    raise Unsupported(f"its directions are merged by {mode}")
