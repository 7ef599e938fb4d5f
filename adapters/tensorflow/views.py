"""Recurrent layers as Keras has them: the batch first, directions side by side.

The IR's have an axis of directions, and most often the time first. What only rearranges their
results is followed, and what remains is done in one step where something else reads it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.ir.types import TensorType
from ir_hub.ops.build import Builder

Form = tuple[tuple[int, ...], ...]  # for each axis the axes of the origin that it is made of
_OPS = ("lstm", "gru", "rnn")


@dataclass(frozen=True)
class View:
    """A tensor as another one whose axes are put in another order, joined, or added."""

    origin: Value  # as Keras' layer gives it
    sizes: tuple[Dim, ...]  # of the origin's axes, directions and features taken apart
    form: Form


def batch_first(graph: Graph) -> None:
    """Gives every recurrent layer its input with the batch first, and takes its results as Keras
    gives them: the sequence (batch, length, directions * hidden), states (batch, hidden), those
    that nobody reads left out. `sequences` is then whether a layer gives the sequence at all."""
    views: dict[Value, View] = {}
    read = {*graph.users(), *graph.outputs}
    nodes, graph.nodes = graph.nodes, []
    builder = Builder(graph)
    for node in nodes:
        view = _followed(node, views)
        if view is not None:
            views[node.result] = view
            continue
        with builder.within(node.scope.rpartition(".")[0], node.origins):
            _settle(node, views, builder)
            if node.op in _OPS and node.x.shape and node.x.dtype:
                _turn(node, views, builder, read)
            else:
                graph.nodes.append(node)
    graph.outputs = [
        _made(value, views[value], builder) if value in views else value for value in graph.outputs
    ]


def _turn(node: Node, views: dict[Value, View], builder: Builder, read: set[Value]) -> None:
    """Replaces what a layer reads and gives by what Keras' layer does."""
    _turn_inputs(node, builder)
    batch, length = node.x.shape[:2]
    ways = 2 if node.direction == "bidirectional" else 1
    hidden, dtype = node.hidden_size, node.x.dtype
    old = node.results
    forms: list[Form] = [((0,), (1,), (2,), (3,)), *[((0,), (1,), (2,))] * (len(old) - 1)]
    if not node.layout:
        forms = [((1,), (2,), (0,), (3,)), *[((1,), (0,), (2,))] * (len(old) - 1)]
    y = Value(old[0].name, TensorType(dtype, (batch, length, ways * hidden)))
    last = TensorType(dtype, (batch, ways * hidden))
    node.args |= {"layout": 1, "sequences": old[0] in read or bool(read.intersection(old[2:]))}
    node.results = [y if node.sequences else Value(old[1].name, last)]
    builder.graph.nodes.append(node)
    states = node.results
    if node.sequences:
        views[old[0]] = View(y, (batch, length, ways, hidden), forms[0])
        states = _states(node, old[1:], builder) if read.intersection(old[1:]) else []
    for before, state, form in zip(old[1:], states, forms[1:], strict=False):
        views[before] = View(state, (batch, ways, hidden), form)
    for result in node.results:
        result.producer = node


def _turn_inputs(node: Node, builder: Builder) -> None:
    if node.layout:
        return
    node.args["x"] = builder.transpose(node.x, perm=(1, 0, 2))
    for name in ("initial_h", "initial_c"):
        state = node.args.get(name)
        if isinstance(state, Value):
            node.args[name] = builder.transpose(state, perm=(1, 0, 2))


def _states(node: Node, old: list[Value], builder: Builder) -> list[Value]:
    """The last states as further results: of one direction, then of the other; joined."""
    ways = ("forward", "backward") if node.direction == "bidirectional" else ("",)
    size = TensorType(node.x.dtype, (node.x.shape[0], node.hidden_size))
    found = [[Value(f"{way}_{v.name}".strip("_"), size) for v in old] for way in ways]
    node.results += [value for states in found for value in states]
    if len(found) == 1:
        return found[0]
    return [builder.concat(pair, axis=-1) for pair in zip(*found, strict=True)]


def _followed(node: Node, views: dict[Value, View]) -> View | None:
    """What a node makes of a view, when it only rearranges it."""
    x = node.args.get("x")
    if not isinstance(x, Value) or x not in views:
        return None
    view = views[x]
    shape = node.result.shape
    if node.op == "transpose":
        form = tuple(view.form[axis] for axis in node.perm)
    elif node.op in ("squeeze", "unsqueeze", "reshape", "flatten") and shape is not None:
        found = _regrouped(view, shape)
        if found is None:
            return None
        form = found
    else:
        return None
    return View(view.origin, view.sizes, form)


def _regrouped(view: View, shape: tuple[Dim, ...]) -> Form | None:
    """The axes of a reshaped view; None where one would be cut."""
    pending = [axis for group in view.form for axis in group if view.sizes[axis] != 1]
    form: list[tuple[int, ...]] = []
    for size in shape:
        group: list[int] = []
        product: Dim = 1
        while size != 1 and product != size:
            if not pending:
                return None
            product = product * view.sizes[pending[0]]
            group.append(pending.pop(0))
        form.append(tuple(group))
    return tuple(form) if not pending else None


def _settle(node: Node, views: dict[Value, View], builder: Builder) -> None:
    """Makes what a node reads of views."""
    read = {v: _made(v, views[v], builder) for v in dict.fromkeys(node.reads()) if v in views}
    node.substitute(read)


def _made(value: Value, view: View, builder: Builder) -> Value:
    """A view as a tensor."""
    last = len(view.sizes) - 1
    alone = view.sizes[last - 1] == 1
    kept = [tuple(a for a in group if view.sizes[a] != 1) for group in view.form]
    order = [axis for group in kept for axis in group]
    joined = alone or _side_by_side(order, last)
    origin = view.origin
    axes = [a for a in range(last + 1) if view.sizes[a] != 1 and not (joined and a == last - 1)]
    if not joined:
        origin = builder.reshape(origin, tuple(view.sizes))
        axes = list(range(last + 1))
    wanted = [axis for axis in order if axis in axes]
    result = _reordered(origin, axes, wanted, view, joined, builder)
    sizes = tuple(value.shape or ())
    return result if result.shape == sizes else builder.reshape(result, sizes)


def _side_by_side(order: list[int], last: int) -> bool:
    return any(a == last - 1 and b == last for a, b in itertools.pairwise(order))


def _reordered(
    origin: Value, axes: list[int], wanted: list[int], view: View, joined: bool, builder: Builder
) -> Value:
    """The origin with its axes in the wanted order; axes of size 1 are where they fall."""
    present = [a for a in range(len(view.sizes)) if not (joined and a == len(view.sizes) - 2)]
    rest = [a for a in present if a not in wanted]
    order = [*rest, *wanted]
    perm = tuple(present.index(axis) for axis in order)
    if [a for a in present if a in wanted] == wanted or perm == tuple(range(len(perm))):
        return origin
    result: Any = builder.transpose(origin, perm=perm)
    return result  # type: ignore[no-any-return]
