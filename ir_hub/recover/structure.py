"""Finds the modules of a graph that lost them: stretches of nodes that come again, alike and wired
alike, become scopes of one class; scopes in a row become a sequence."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from ir_hub.ir.dims import Expr
from ir_hub.ir.graph import Argument, Graph, Model, Node, Value
from ir_hub.ir.types import DType
from ir_hub.recover.repeats import SIMILAR, Item, best_repeat, last_uses

ROUNDS = 48  # kinds of block that are looked for


def structure(model: Model) -> Model:
    """Gives the nodes that have no scope scopes of their own. Scopes of the source stay."""
    graph = model.graph
    if any(node.scope for node in graph.nodes):
        return model
    returned = set(graph.outputs)
    (items,) = _blocks([_items(graph)], returned, itertools.count())
    items = _sequences(items, returned)
    _name_scopes(items, model)
    return model


def _blocks(rows: list[list[Item]], returned: set[Value], kinds: Iterator[int]) -> list[list[Item]]:
    """Rows that are alike, item by item, with what comes again in the first joined in all of
    them, and so on within what was joined."""
    for _ in range(ROUNDS):
        found = best_repeat(rows[0], returned)
        if found is None:
            break
        kind = "block", next(kinds)
        rows = [_merged(row, *found, kind, returned) for row in rows]
    alike: dict[object, list[Item]] = {}
    for item in (item for row in rows for item in row if item.members):
        alike.setdefault(item.kind, []).append(item)
    for blocks in alike.values():
        results = {value for block in blocks for value in block.results}
        inner = _blocks([block.members for block in blocks], results, kinds)
        for block, members in zip(blocks, inner, strict=True):
            block.members = members
    return rows


def _items(graph: Graph) -> list[Item]:
    return [
        Item(_kind(node), [node], [v for _, v in node.operands()], list(node.results))
        for node in graph.nodes
    ]


def _kind(node: Node) -> object:
    """What has to be equal for two nodes to be one line of code: for layers, whose numbers can be
    a constructor's parameters, not their numbers."""
    literals = tuple(
        (name, _shape(argument, node.op in SIMILAR))
        for name, argument in node.args.items()
        if not isinstance(argument, Value | Graph)
    )
    constants = tuple(
        (name, value.shape if value.scalar is not None else len(value.shape or ()))
        for name, value in node.operands()
        if value.is_constant
    )
    if node.op in SIMILAR:
        return node.op, literals, len(constants), _is_depthwise(node)
    return node.op, literals, constants


def _is_depthwise(node: Node) -> bool:
    return node.op == "conv" and node.groups > 1 and node.groups == (node.weight.shape or (0,))[0]


def _shape(argument: Argument, loose: bool) -> object:
    if isinstance(argument, tuple):
        return tuple(_shape(item, loose) for item in argument if not isinstance(item, Value))
    if isinstance(argument, Expr):
        return "size"
    if isinstance(argument, int | float) and not isinstance(argument, bool):
        return "number" if loose else argument
    return argument.value if isinstance(argument, DType) else argument


def _merged(
    items: list[Item], length: int, starts: list[int], kind: object, returned: set[Value]
) -> list[Item]:
    last_use = last_uses(items, returned)
    merged: list[Item] = []
    position = 0
    for start in [*starts, len(items)]:
        merged += items[position:start]
        if start < len(items):
            merged.append(_joined(items[start : start + length], kind, start + length, last_use))
        position = start + length
    return merged


def _joined(members: list[Item], kind: object, end: int, last_use: dict[Value, int]) -> Item:
    made = {value for item in members for value in item.results}
    reads = dict.fromkeys(v for item in members for v in item.reads if v not in made)
    results = [v for item in members for v in item.results if last_use.get(v, -1) >= end]
    nodes = [node for item in members for node in item.nodes]
    reads_outer = [value for value in reads if not value.is_constant]
    return Item(kind, nodes, reads_outer, results, members, _class_name(nodes))


def _sequences(items: list[Item], returned: set[Value]) -> list[Item]:
    """Blocks in a row, each taking only what the one before it gives, become one sequence."""
    last_use = last_uses(items, returned)
    found: list[Item] = []
    position = 0
    while position < len(items):
        end = position + 1
        while end < len(items) and _follows(items[end - 1], items[end], end, last_use):
            end += 1
        if end - position > 1:
            members = items[position:end]
            found.append(_joined(members, ("sequence", position), end, last_use))
            found[-1].class_name = ""
        else:
            found.append(items[position])
        position = end
    for item in found:
        inner = _sequences(item.members, set(item.results)) if item.class_name else []
        item.members = inner if len(inner) > 1 else item.members
    return found


def _follows(before: Item, after: Item, position: int, last_use: dict[Value, int]) -> bool:
    blocks = bool(before.members) and bool(after.members)
    chained = len(before.results) == 1 and after.reads == before.results
    single = len(before.reads) == 1 and len(after.results) == 1
    return blocks and chained and single and last_use.get(before.results[0], -1) == position


def _class_name(nodes: Sequence[Node]) -> str:
    """What a person would call a block with these ops."""
    ops = [node.op for node in nodes]
    last = nodes[-1]
    if "attention" in ops:
        return "TransformerLayer" if ops.count("linear") > 2 else "Attention"
    if "global_avg_pool" in ops and ops.count("conv") >= 2 and last.op in ("mul", "add"):
        return "SqueezeExcitation"
    if ops.count("linear") == 2 and "conv" not in ops:
        return "FeedForward"
    made = {value for node in nodes for value in node.results}
    joins = last.op == "add" and not any(v.is_constant for _, v in last.operands())
    if joins and "conv" in ops and not made.issuperset(v for _, v in last.operands()):
        return "ResidualBlock"
    depthwise = [_is_depthwise(node) for node in nodes if node.op == "conv"]
    if len(depthwise) == 1:
        return "DepthwiseConvBlock" if depthwise[0] else "ConvBlock"
    if depthwise == [True, False]:
        return "SeparableConvBlock"
    return "ConvBlocks" if depthwise else "Block"


def _name_scopes(items: Sequence[Item], model: Model) -> None:
    names: dict[object, str] = {}
    _name_level(items, "", model, names)


def _name_level(items: Sequence[Item], path: str, model: Model, names: dict[object, str]) -> None:
    counts: dict[str, int] = {}
    for position, item in enumerate(items):
        if not item.members:
            continue
        in_sequence = path in model.scopes and model.scopes[path] == ""
        stem = "stage" if not item.class_name else _snake(item.class_name)
        counts[stem] = counts.get(stem, 0) + 1
        leaf = str(position) if in_sequence else f"{stem}{counts[stem]}"
        here = f"{path}.{leaf}" if path else leaf
        model.scopes[here] = item.class_name
        for node in item.nodes:
            node.scope = here
        _name_level(item.members, here, model, names)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
