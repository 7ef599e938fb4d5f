"""Reads PyTorch's recurrent layers: one of ours for each of their layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import aten
from ir_hub.ir.graph import Value, constant
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import only, rank_of, shape_of

# Where each of our gates is among PyTorch's: input, forget, cell, output; reset, update, new.
_GATES = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}


def _layers(
    op: str,
    b: Builder,
    x: Value,
    states: Sequence[Value],
    params: Sequence[Value],
    has_biases: bool,
    num_layers: int,
    train: bool,
    dropout: float,
    bidirectional: bool,
    batch_first: bool,
    literals: dict[str, Any],
) -> Any:
    directions = 2 if bidirectional else 1
    each = 4 if has_biases else 2
    only(len(params) == each * directions * num_layers, f"{op} with projections")
    only(not (train and dropout), f"{op} with dropout is random: export it after .eval()")
    if rank_of(x) == 2:  # one sequence alone
        axis = 0 if batch_first else 1
        found = _layers(op, b, b.unsqueeze(x, (axis,)), [b.unsqueeze(s, (1,)) for s in states],
                        params, has_biases, num_layers, train, dropout, bidirectional,
                        batch_first, literals)  # fmt: skip
        return (b.squeeze(found[0], (axis,)), *(b.squeeze(s, (1,)) for s in found[1:]))
    lasts: list[list[Value]] = [[] for _ in states]
    for layer in range(num_layers):
        first = layer * directions
        own = params[first * each : (first + directions) * each]
        weights = _weights(op, own, each)
        initial = [_initial(b, state, first, directions, batch_first) for state in states]
        x, *ends = _layer(op, b, x, weights, initial, directions, batch_first, literals)
        for last, end in zip(lasts, ends, strict=True):
            last.append(end)
        if dropout and layer < num_layers - 1:
            x = b.dropout(x, rate=dropout)
    return (x, *(s[0] if len(s) == 1 else b.concat(tuple(s), axis=0) for s in lasts))


def _layer(
    op: str,
    b: Builder,
    x: Value,
    weights: Sequence[Value | None],
    initial: Sequence[Value | None],
    directions: int,
    batch_first: bool,
    literals: dict[str, Any],
) -> list[Value]:
    """One layer: all outputs with the directions side by side, and its last states."""
    recurrent = weights[1]
    assert recurrent is not None
    hidden = shape_of(recurrent)[-1]
    direction = "bidirectional" if directions == 2 else "forward"
    y, *ends = b.call(op, x, *weights, None, *initial, hidden_size=hidden, direction=direction,
                      layout=int(batch_first), **literals)  # fmt: skip
    # What follows isn't the layer's: its module then is the layer alone.
    with b.within(b.scope.rpartition(".")[0], b.origins):
        if directions == 1:
            y = b.squeeze(y, (2,) if batch_first else (1,))
        else:
            y = y if batch_first else b.transpose(y, perm=(0, 2, 1, 3))
            y = b.reshape(y, (*shape_of(x)[:2], directions * int(hidden)))
        return [y, *(b.transpose(end, perm=(1, 0, 2)) if batch_first else end for end in ends)]


def _initial(b: Builder, state: Value, first: int, count: int, batch_first: bool) -> Value | None:
    """A layer's part of the first state; None for zeros, with which layers begin anyhow."""
    if _is_zero(state):
        return None
    if shape_of(state)[0] != count:
        state = b.slice(state, (first,), (first + count,), (0,), (1,))
    return b.transpose(state, perm=(1, 0, 2)) if batch_first else state


def _is_zero(state: Value) -> bool:
    node = state.producer
    while node is not None and node.op in ("unsqueeze", "identity"):
        node = node.x.producer
    return node is not None and node.op == "constant_of_shape" and node.value == 0


def _weights(op: str, params: Sequence[Value], each: int) -> list[Value | None]:
    """The weights of all directions as one tensor, their gates in our order."""
    only(all(value.is_constant for value in params), f"{op} whose weights are computed")
    rows = [params[start : start + each] for start in range(0, len(params), each)]
    prefix = params[0].name.rpartition(".")[0]
    names = [f"{prefix}.{key}" if prefix else key for key in ("weight", "recurrent", "bias")]
    weight, recurrent = (
        constant(np.stack([_ordered(op, row[kind]) for row in rows]), names[kind])
        for kind in (0, 1)
    )
    if each == 2:
        return [weight, recurrent, None]
    biases = [np.concatenate([_ordered(op, row[2]), _ordered(op, row[3])]) for row in rows]
    return [weight, recurrent, constant(np.stack(biases), names[2])]


def _ordered(op: str, value: Value) -> Any:
    gates = np.split(value.array(), len(_GATES[op]))
    return np.concatenate([gates[index] for index in _GATES[op]])


@aten("lstm.input")
def lstm(
    b: Builder,
    x: Value,
    hx: Sequence[Value],
    params: Sequence[Value],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> Any:
    return _layers("lstm", b, x, hx, params, has_biases, num_layers, train, dropout,
                   bidirectional, batch_first, {})  # fmt: skip


def _one_state(op: str, literals: dict[str, Any]) -> Callable[..., Any]:
    def rule(
        b: Builder,
        x: Value,
        hx: Value,
        params: Sequence[Value],
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> Any:
        return _layers(op, b, x, [hx], params, has_biases, num_layers, train, dropout,
                       bidirectional, batch_first, literals)  # fmt: skip

    return rule


aten("gru.input")(_one_state("gru", {"linear_before_reset": True}))
aten("rnn_tanh.input")(_one_state("rnn", {"activations": ("tanh",)}))
aten("rnn_relu.input")(_one_state("rnn", {"activations": ("relu",)}))
