"""Recurrent layers as Gluon's own, where those compute the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.recurrent_graph import is_gluons, is_swap
from ir_hub.codegen.derived import derived
from ir_hub.codegen.draft import Draft
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.sdk.operands import only

Array = np.ndarray[Any, Any]
# Where MXNet's gates are in ours: i f g o in i o f g, r z n in z r n.
_GATES = {"lstm": (0, 2, 3, 1), "gru": (1, 0, 2), "rnn": (0,)}
_USUAL = {"lstm": ("sigmoid", "tanh", "tanh"), "gru": ("sigmoid", "tanh"), "rnn": ("tanh",)}
_CLASSES = {"lstm": "rnn.LSTM", "gru": "rnn.GRU", "rnn": "rnn.RNN"}


@mxnet.write("lstm", "gru", "rnn")
def _(node: Node) -> Layer | Expr:
    relu = _check(node)
    if not node.args.get("linear_before_reset", True):
        return _early_reset(node)
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
    turned = [_by_way_first(state) if node.layout else state for state in given]
    texts = []
    for place, (state, source) in enumerate(zip(given, turned, strict=True), 1):
        swap = node.layout and source is state
        texts.append(f"F.swapaxes({{{place}}}, 0, 1)" if swap else f"{{{place}}}")
    call = _call(node, ways, texts)
    call = "" if call == "{layer}({0})" else call  # as any layer is called
    return Layer(_CLASSES[node.op], [node.x, *turned], kwargs, defaults, params, 1, call)


def _by_way_first(state: Value) -> Value:
    """What a state, whose first axis is the batch, was made of, if that has the directions first;
    else itself."""
    maker = state.producer
    return maker.x if maker is not None and is_swap(maker) else state  # type: ignore[no-any-return]


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
    only(node.sequence_lens is None, "its sequences have lengths")
    return relu


def _call(node: Node, ways: int, states: Sequence[str]) -> str:
    """The call."""
    layout, axis = ("NTC", 1) if node.layout else ("TNC", 0)
    backwards = node.direction == "reverse"
    x = f"F.reverse({{0}}, axis={axis})" if backwards else "{0}"
    called = f"{{layer}}({x})"
    if states:
        called = f"_from_states(F, {{layer}}, {x}, {', '.join(states)})"
    elif len(node.results) > 1:
        called = f'_from_zeros(F, {{layer}}, {x}, layout="{layout}")'
    if backwards and (states or len(node.results) > 1):
        called = f"_backwards(F, *{called}, axis={axis})"
    elif backwards:
        called = f"F.reverse({called}, axis={axis})"
    if states and len(node.results) == 1:
        called += "[0]"
    return _in_our_form(node, ways, called)


def _in_our_form(node: Node, ways: int, called: str) -> str:
    """What a layer gives, with an axis for the directions unless recurrent_graph did away with
    it."""
    layout = "NTC" if node.layout else "TNC"
    if is_gluons(node):
        return called
    if len(node.results) > 1:
        return f'_by_way(F, *{called}, ways={ways}, layout="{layout}")'
    if ways == 1:
        return f"F.expand_dims({called}, axis={2 if node.layout else 1})"
    return f'_by_way(F, {called}, ways={ways}, layout="{layout}")'


def _early_reset(node: Node) -> Expr:
    """A GRU that resets its state before the matrix product: MXNet has no layer for it."""
    draft, size = Draft(), node.hidden_size
    ways, rows, inputs = node.weight.shape
    weights = []
    for way in range(ways):
        weights += [
            derived(node.weight, (rows, inputs), lambda array, way=way: array[way]),
            derived(node.recurrent, (rows, size), lambda array, way=way: array[way]),
            _summed_bias(node, way, rows),
        ]
    given = [draft.tensor(value) for value in (node.x, *weights)]
    layout = "NTC" if node.layout else "TNC"
    given += [f"hidden={draft.literal(size, 'hidden')}", f'layout="{layout}"']
    if node.initial_h is not None:
        state = draft.tensor(node.initial_h)
        given.append(f"first={f'F.swapaxes({state}, 0, 1)' if node.layout else state}")
    if node.direction == "reverse":
        given.append("backwards=True")
    called = f"_gru(F, {', '.join(given)})"
    called = f"{called}[0]" if len(node.results) == 1 else called
    return draft.done(_in_our_form(node, ways, called))


def _summed_bias(node: Node, way: int, rows: int) -> Value:
    """The biases of the input and of the state, which are only ever added."""
    if node.bias is None:
        return derived(node.weight, (rows,), _zeros(rows))
    return derived(node.bias, (rows,), lambda array: array[way, :rows] + array[way, rows:])


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
