"""Dense connections: what joins all that came before, step by step."""

from __future__ import annotations

from ir_hub.ir.graph import Model, Value


def join_stepwise(model: Model) -> Model:
    """Writes concat(a, b, c) as concat(concat(a, b), c) where concat(a, b) is there already."""
    joined: dict[tuple[object, ...], Value] = {}
    for node in model.graph.nodes:
        if node.op != "concat":
            continue
        parts: tuple[Value, ...] = node.xs
        lengths = range(len(parts) - 1, 1, -1)
        known = next((n for n in lengths if (node.axis, *parts[:n]) in joined), 0)
        if known:
            node.args["xs"] = (joined[node.axis, *parts[:known]], *parts[known:])
        joined[node.axis, *parts] = node.result
    return model
