"""Recurrent layers, whose input and results views.py has made Keras'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adapters.tensorflow.dialect import tensorflow
from ir_hub.codegen.derived import derived
from ir_hub.codegen.spelling import Code, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only

_DEFAULTS = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "reset_after": True,
    "go_backwards": False,
    "return_sequences": False,
    "return_state": False,
}
_CTORS = {"lstm": "layers.LSTM", "gru": "layers.GRU", "rnn": "layers.SimpleRNN"}
_NAMES = {"lstm": "lstm", "gru": "gru", "rnn": "simple_rnn"}
_CELLS = {"lstm": "lstm_cell", "gru": "gru_cell", "rnn": "simple_rnn_cell"}
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "softsign", "softplus")
_GATES = {"lstm": (0, 2, 3, 1), "gru": (0, 1, 2), "rnn": (0,)}  # Keras' from the IR's


@tensorflow.write("lstm", "gru", "rnn")
def _(node: Node) -> Layer:
    _check(node)
    both = node.direction == "bidirectional"
    kwargs = _kwargs(node)
    given = (node.args.get("initial_h"), node.args.get("initial_c"))
    initial = [value for value in given if isinstance(value, Value)]
    only(not initial or node.direction == "forward", "it has initial states, and runs backwards")
    call = "{layer}({0})"
    if initial:
        states = ", ".join(f"ops.squeeze({{{i + 1}}}, axis=1)" for i in range(len(initial)))
        call = f"{{layer}}({{0}}, initial_state=[{states}])"
    if node.direction == "reverse" and node.sequences:
        only(len(node.results) == 1, "it runs backwards, and its states are read too")
        call = f"ops.flip({call}, axis=1)"
    ctor, cell = _CTORS[node.op], _CELLS[node.op]
    if not both:
        params = _params(node, 0, f"{cell}.")
        return Layer(ctor, [node.x, *initial], kwargs, _DEFAULTS, params, 1, call)
    written = [f"{k}={v!r}" for k, v in kwargs.items() if k != "units" and v != _DEFAULTS.get(k)]
    name = _NAMES[node.op]
    written.append(f'name="{name}"')
    inner = Code(f"{ctor}({', '.join([str(node.hidden_size), *written])})")
    params = _params(node, 0, f"forward_{name}.{cell}.")
    params |= _params(node, 1, f"backward_{name}.{cell}.")
    return Layer("layers.Bidirectional", [node.x], {"layer": inner}, {}, params, 1, call)


def _check(node: Node) -> None:
    only(node.x.dtype is DType.FLOAT32, f"recurrence in {node.x.dtype}")
    only(node.sequence_lens is None, "its sequences have lengths of their own")
    only(node.clip is None and not node.args.get("input_forget"), "it clips, or couples its gates")
    only(node.args.get("peephole") is None, "it has peepholes")
    only(not node.activation_alpha and not node.activation_beta, "its activations have parameters")
    weights = [node.weight, node.recurrent, *([node.bias] if node.bias is not None else [])]
    only(all(value.is_constant for value in weights), "its weights aren't constants")
    only(all(name in _ACTIVATIONS for name in node.activations), "its activations aren't Keras'")
    only(node.op != "lstm" or len(set(node.activations[1:3])) == 1, "its two activations differ")
    count = {"lstm": 3, "gru": 2, "rnn": 1}[node.op]
    first, second = node.activations[:count], node.activations[count:]
    only(second in ((), first), "its directions have activations of their own")


def _kwargs(node: Node) -> dict[str, Any]:
    plain = node.op == "rnn"
    kwargs: dict[str, Any] = {
        "units": node.hidden_size,
        "activation": node.activations[0 if plain else 1],
        **({} if plain else {"recurrent_activation": node.activations[0]}),
        "use_bias": node.bias is not None,
        **({"reset_after": bool(node.linear_before_reset)} if node.op == "gru" else {}),
        "go_backwards": node.direction == "reverse",
        "return_sequences": node.sequences,
        "return_state": len(node.results) > 1,
    }
    return kwargs


def _params(node: Node, way: int, prefix: str) -> dict[str, Value]:
    """The weights of one direction, as Keras has them: gates side by side, in its own order."""
    hidden, gates = node.hidden_size, _GATES[node.op]
    inputs = node.weight.shape[-1]
    width = len(gates) * hidden

    def ordered(rows: np.ndarray) -> np.ndarray:
        return np.concatenate([rows[g * hidden : (g + 1) * hidden] for g in gates])

    def kernel(array: np.ndarray) -> np.ndarray:
        return ordered(array[way]).T

    params = {
        f"{prefix}kernel": derived(node.weight, (inputs, width), kernel),
        f"{prefix}recurrent_kernel": derived(node.recurrent, (hidden, width), kernel),
    }
    if node.bias is not None:
        shape, change = _bias(node, way, ordered, width)
        params[f"{prefix}bias"] = derived(node.bias, shape, change)
    return params


def _bias(
    node: Node, way: int, ordered: Callable[[np.ndarray], np.ndarray], width: int
) -> tuple[tuple[int, ...], Callable[[np.ndarray], np.ndarray]]:
    """The shape of Keras' bias, and how it is made from that of the input and the recurrence."""
    if node.op == "gru" and node.linear_before_reset:
        return (2, width), lambda a: np.stack([ordered(a[way, :width]), ordered(a[way, width:])])
    return (width,), lambda a: ordered(a[way, :width] + a[way, width:])
