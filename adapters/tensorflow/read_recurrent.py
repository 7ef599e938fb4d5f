"""Reads recurrent layers, and attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.tensorflow.reading import LayerCall, permuted, rank, reads, reshaped
from ir_hub.ir.graph import Value
from ir_hub.sdk.dialect import Unsupported

_OPS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
_GATES = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "rnn": (0,)}  # the IR's from Keras'
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "softsign", "softplus")
Config = dict[str, Any]


def _settings(config: Config, kind: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The activations and literals that a recurrent layer's settings mean."""
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
    activations = names[kind]
    strange = [name for name in activations if name not in _ACTIVATIONS]
    if strange:
        raise Unsupported(f"its activation {strange[0]!r}")
    literals: dict[str, Any] = {"hidden_size": config["units"], "layout": 1}
    if kind == "gru":
        literals["linear_before_reset"] = bool(config.get("reset_after", True))
    return activations, literals


def _weights(layer: LayerCall, config: Config, kind: str, prefix: str, inputs: Any) -> list[Any]:
    """Weight, recurrence and bias of one direction, in the IR's order and shapes."""
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


# fmt: off
_SETTINGS = (
    "units", "activation", "recurrent_activation", "use_bias", "return_sequences", "return_state",
    "go_backwards", "stateful", "reset_after", "dropout", "recurrent_dropout",
)
# fmt: on


def _ask(layer: LayerCall) -> Config:
    """All settings of a recurrent layer; those that it doesn't understand stay to be refused."""
    return {name: layer.get(name) for name in _SETTINGS if name in layer.config}


@reads("LSTM", "GRU", "SimpleRNN")
def _(layer: LayerCall) -> Any:
    b, x, kind = layer.b, layer.x, _OPS[layer.type]
    config = _ask(layer)
    activations, literals = _settings(config, kind)
    inputs = x.shape[-1] if x.shape and isinstance(x.shape[-1], int) else None
    arrays = _weights(layer, config, kind, "cell.", inputs)
    tensors = [_constant(layer, a, name) for a, name in zip(arrays, _NAMES, strict=True)]
    states = layer.argument("initial_state")
    states = states if isinstance(states, tuple) else ((states,) if states is not None else ())
    initial = [b.unsqueeze(state, (1,)) for state in states]
    direction = "reverse" if config.get("go_backwards") else "forward"
    found = b.call(
        kind, x, *tensors, None, *initial, direction=direction, activations=activations, **literals
    )
    y, *last = found
    wanted = last if config.get("return_state") else last[:1]
    last = [b.squeeze(state, (1,)) for state in wanted]
    if config.get("return_sequences"):
        y = b.squeeze(y, (2,))
        y = b.reverse(y, axes=(1,)) if direction == "reverse" else y
    else:
        y = last[0]
    return (y, *last) if config.get("return_state") else y


_NAMES = ("weight", "recurrent", "bias")


def _constant(layer: LayerCall, array: Any, name: str) -> Value | None:
    return None if array is None else layer.b.constant(np.ascontiguousarray(array), name=name)


@reads("Bidirectional")
def _(layer: LayerCall) -> Any:
    b, x = layer.b, layer.x
    inner = layer.get("layer")
    other = layer.get("backward_layer")
    mode = layer.get("merge_mode", "concat")
    kind = _OPS.get(inner.get("class_name"))
    if kind is None:
        raise Unsupported(f"of {inner.get('class_name')}")
    config: Config = dict(inner["config"])
    if config.get("go_backwards"):
        raise Unsupported("its forward layer goes backwards")
    _check_alike(config, other)
    if mode != "concat":
        raise Unsupported(f"its directions are merged by {mode}")
    activations, literals = _settings(config, kind)
    inputs = x.shape[-1] if x.shape and isinstance(x.shape[-1], int) else None
    ways = [
        _weights(layer, config, kind, f"{way}_layer.cell.", inputs)
        for way in ("forward", "backward")
    ]
    pairs = zip(*ways, strict=True)
    tensors = [
        None if one is None else b.constant(np.concatenate([one, two]), name=name)
        for name, (one, two) in zip(_NAMES, pairs, strict=True)
    ]
    found = b.call(
        kind, x, *tensors, direction="bidirectional", activations=activations, **literals
    )
    y, *last = found
    units = config["units"]
    if config.get("return_sequences"):
        result = b.reshape(y, (0, 0, 2 * units))
    else:
        result = b.reshape(last[0], (0, 2 * units))
    if not config.get("return_state"):
        return result
    ways = [b.constant(np.int64(way)) for way in (0, 1)]
    states = [b.gather(state, way, axis=1) for way in ways for state in last]
    return (result, *states)


def _check_alike(config: Config, other: Any) -> None:
    """Refuses a backward layer whose settings are others than the forward one's."""
    if not isinstance(other, dict):
        return
    ours = {k: v for k, v in config.items() if k in _COMPARED}
    theirs = {k: v for k, v in other["config"].items() if k in _COMPARED}
    if ours != theirs or not other["config"].get("go_backwards", True):
        raise Unsupported("its directions have settings of their own")


_COMPARED = ("units", "activation", "recurrent_activation", "use_bias", "return_sequences",
             "return_state", "reset_after")  # fmt: skip


@reads("MultiHeadAttention")
def _(layer: LayerCall) -> Value:
    b = layer.b
    query, value, key = _operands(layer)
    heads, width = layer.get("num_heads"), layer.get("key_dim")
    value_width = layer.get("value_dim") or width
    for name in (
        "dropout",
        "attention_axes",
        "query_shape",
        "key_shape",
        "value_shape",
        "output_shape",
    ):
        layer.get(name)
    if layer.config.get("attention_axes") not in (None, [1], 1) or rank(query) != 3:
        raise Unsupported("it attends along other axes than the second one")
    if layer.argument("attention_mask") is not None:
        raise Unsupported("it has a mask")
    causal = bool(layer.argument("use_causal_mask"))
    biased = layer.get("use_bias", True)
    q = _projected(layer, query, "query_dense", heads, width, biased)
    k = _projected(layer, key, "key_dense", heads, width, biased)
    v = _projected(layer, value, "value_dense", heads, value_width, biased)
    y = b.attention(q, k, v, scale=float(width) ** -0.5, causal=causal)
    y = b.reshape(b.transpose(y, perm=(0, 2, 1, 3)), (0, 0, heads * value_width))
    kernel = layer.weight("output_dense.0", (heads, value_width, None))
    out = int(kernel.shape[-1])  # type: ignore[index, arg-type]
    weight = permuted(reshaped(kernel, (heads * value_width, out)), (1, 0))
    return b.linear(y, weight, layer.weight("output_dense.1", (out,)) if biased else None)  # type: ignore[no-any-return]


def _operands(layer: LayerCall) -> tuple[Value, Value, Value]:
    """Query, value and key; without a key it is the value."""
    given = [layer.value(argument) for argument in layer.args]
    names = ("query", "value", "key")
    found = dict(zip(names, given, strict=False))
    for name in names:
        argument = layer.argument(name)
        if argument is not None:
            found[name] = argument
    if "query" not in found or "value" not in found:
        raise Unsupported("it is called without a query and a value")
    key = found.get("key")
    return found["query"], found["value"], found["value"] if key is None else key


def _projected(
    layer: LayerCall, x: Value, part: str, heads: int, width: int, biased: bool
) -> Value:
    """One of the three projections, by head: (batch, heads, length, width)."""
    b = layer.b
    kernel = layer.weight(f"{part}.0", (None, heads, width))
    inputs = int(kernel.shape[0])  # type: ignore[index, arg-type]
    weight = permuted(reshaped(kernel, (inputs, heads * width)), (1, 0))
    bias = reshaped(layer.weight(f"{part}.1", (heads, width)), (heads * width,)) if biased else None
    y = b.reshape(b.linear(x, weight, bias), (0, 0, heads, width))
    return b.transpose(y, perm=(0, 2, 1, 3))  # type: ignore[no-any-return]
