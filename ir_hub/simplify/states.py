"""Leaves out states of zeros, which recurrent layers start from anyway."""

from __future__ import annotations

from ir_hub.ir.graph import Model, Value
from ir_hub.ops.catalogue import PASSING

INITIAL = {"lstm": ("initial_h", "initial_c"), "gru": ("initial_h",), "rnn": ("initial_h",)}


def drop_zero_states(model: Model) -> Model:
    """Leaves out the initial states that exporters spell out where the source gave none."""
    for node in model.graph.walk():
        for name in INITIAL.get(node.op, ()):
            state = node.args.get(name)
            if isinstance(state, Value) and _is_zero(state):
                node.args[name] = None
    model.graph.prune()
    return model


def _is_zero(value: Value) -> bool:
    """Whether every element is known to be 0, whatever sizes there are."""
    pending = [value]
    while pending:
        each = pending.pop()
        node = each.producer
        if each.is_constant:
            if each.array().any():
                return False
        elif node is None:
            return False
        elif node.op in PASSING:
            pending.append(node.x)
        elif node.op == "concat":
            pending.extend(node.xs)
        elif node.op != "constant_of_shape" or node.value != 0:
            return False
    return True
