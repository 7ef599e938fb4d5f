"""Recurrent layers as Gluon's own, where those compute the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import only
from ir_hub.codegen.derived import derived
from ir_hub.codegen.spelling import Layer
from ir_hub.ir.graph import Node, Value

Array = np.ndarray[Any, Any]
# Where MXNet's gates are in ours: i f g o in i o f g, r z n in z r n.
_GATES = {"lstm": (0, 2, 3, 1), "gru": (1, 0, 2), "rnn": (0,)}
_USUAL = {"lstm": ("sigmoid", "tanh", "tanh"), "gru": ("sigmoid", "tanh"), "rnn": ("tanh",)}
_CLASSES = {"lstm": "rnn.LSTM", "gru": "rnn.GRU", "rnn": "rnn.RNN"}


@mxnet.write("lstm", "gru", "rnn")
def _(node: Node) -> Layer:
    relu = _check(node)
    ways, _, inputs = node.weight.shape
    kwargs = {
        "hidden_size": node.hidden_size,
        "layout": "NTC" if node.layout else "TNC",
        "bidirectional": ways == 2,
        "input_size": inputs,
    }
    if node.op == "rnn":
        kwargs["activation"] = "relu" if relu else "tanh"
    defaults = {"layout": "TNC", "bidirectional": False, "activation": "relu"}
    states = [node.initial_h, *([node.initial_c] if node.op == "lstm" else [])]
    given = [state for state in states if state is not None]
    only(len(given) in (0, len(states)), "only one of its two states is given")
    params = dict(_params(node, ways))
    call = _call(node, ways, len(given))
    call = "" if call == "{layer}({0})" else call  # as any layer is called
    return Layer(_CLASSES[node.op], [node.x, *given], kwargs, defaults, params, 1, call)


def _check(node: Node) -> bool:
    """Refuses what Gluon's layers don't do; whether the activation is relu."""
    weights = (node.weight, node.recurrent, node.bias)
    only(all(v is None or v.is_constant for v in weights), "its weights aren't constants")
    names, usual = tuple(node.activations), _USUAL[node.op]
    relu = node.op == "rnn" and set(names) == {"relu"}
    repeats = names == usual * (len(names) // len(usual))
    only(repeats or relu, f"its activations are {', '.join(names)}")
    only(node.clip is None, "it clips")
    only(not node.args.get("input_forget"), "its input and forget gates are coupled")
    only(node.args.get("peephole") is None, "it has peepholes")
    only(node.args.get("linear_before_reset", True), "it resets before the matrix product")
    only(node.sequence_lens is None, "its sequences have lengths")
    forwards = node.direction != "reverse" or len(node.results) == 1
    only(forwards, "it runs backwards only, and its last states are needed")
    return relu


def _call(node: Node, ways: int, states: int) -> str:
    """The call, with results in our form: an axis for the directions."""
    given = ", ".join(f"{{{place}}}" for place in range(1, states + 1))
    by_batch = bool(node.layout)
    if states:
        call = f"_with_states(F, {{layer}}, {{0}}, [{given}], {ways}, {by_batch})"
        only(node.direction != "reverse", "it runs backwards from first states on")
        only(len(node.result.shape or ()) == 4, "it has first states, and one result of three axes")
        return call if len(node.results) > 1 else f"{call}[0]"
    if len(node.results) > 1:
        count = len(node.results) - 1
        return f"_from_zeros(F, {{layer}}, {{0}}, {ways}, {by_batch}, {node.hidden_size}, {count})"
    called = "{layer}({0})"
    if node.direction == "reverse":
        axis = 1 if by_batch else 0
        called = f"F.reverse({{layer}}(F.reverse({{0}}, axis={axis})), axis={axis})"
    if len(node.result.shape or ()) == 3:  # the axis of the directions is done away with
        return called
    if ways == 1:
        return f"F.expand_dims({called}, axis={2 if by_batch else 1})"
    return f"_by_way(F, {called}, {ways}, {by_batch})"


def _params(node: Node, ways: int) -> Iterator[tuple[str, Value]]:
    """The layer's parameters: each direction's rows, in MXNet's order of gates."""
    size, rows = node.hidden_size, len(_GATES[node.op]) * node.hidden_size
    for way in range(ways):
        letter = "lr"[way]
        for key, value in (("i2h", node.weight), ("h2h", node.recurrent)):
            shape = (rows, value.shape[2])
            yield f"{letter}0_{key}_weight", derived(value, shape, _ordered(node.op, way, size))
        for part, key in enumerate(("i2h", "h2h")):
            cut = slice(part * rows, (part + 1) * rows)
            if node.bias is None:
                yield f"{letter}0_{key}_bias", derived(node.weight, (rows,), _zeros(rows))
            else:
                yield (
                    f"{letter}0_{key}_bias",
                    derived(node.bias, (rows,), _ordered(node.op, way, size, cut)),
                )


def _ordered(op: str, way: int, size: int, cut: slice | None = None) -> Callable[[Array], Array]:
    def change(array: Array) -> Array:
        rows = array[way] if cut is None else array[way][cut]
        return np.concatenate([rows[gate * size : (gate + 1) * size] for gate in _GATES[op]])

    return change


def _zeros(count: int) -> Callable[[Array], Array]:
    return lambda array: np.zeros(count, array.dtype)
