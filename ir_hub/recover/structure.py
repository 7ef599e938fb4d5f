"""Finds the modules of a graph that lost them: stretches of nodes that come again, alike and wired
alike, become scopes of one class; scopes in a row become a sequence."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ir_hub.ir.dims import Expr
from ir_hub.ir.graph import Argument, Graph, Model, Node, Value
from ir_hub.ir.types import DType
from ir_hub.recover.repeats import SIMILAR, Item, best_repeat, last_uses
from ir_hub.recover.rooms import flat_rooms

ROUNDS = 48  # kinds of block that are looked for
FRAME = 8  # lines of a class that has nothing in it
LEAST_SHORTER = 0.8  # what scopes of the source are given up for


def structure(model: Model) -> Model:
    """Gives the nodes that have no scope, or only one that says nothing, scopes of their own, where
    that makes less code. All others of the source stay."""
    rooms = flat_rooms(model.graph)
    if not rooms:
        return model
    returned = _leaving(model.graph, rooms)
    items = _items(model.graph, rooms)
    before = _lines(_rows(items, rooms).values())
    (items,) = _blocks([items], returned, itertools.count())
    rows = _rows(items, rooms)
    if any(rows) and _lines(rows.values()) > before * LEAST_SHORTER:
        return model
    for room, row in rows.items():
        row = _sequences(row, returned)
        is_sequence = (
            bool(room) and len(row) == 1 and bool(row[0].members) and not row[0].class_name
        )
        if is_sequence:
            model.scopes[room], row = "", row[0].members
        _name_level(row, room, model, in_sequence=is_sequence)
    return model


def _rows(items: list[Item], rooms: Mapping[Node, str]) -> dict[str, list[Item]]:
    """The items of each room, without what is between rooms."""
    rows: dict[str, list[Item]] = {}
    for item in (item for item in items if item.results):
        rows.setdefault(rooms[item.nodes[0]], []).append(item)
    return rows


def _lines(rows: Iterable[Sequence[Item]]) -> int:
    """About how many lines rows take as classes, of which those alike are one."""
    lines: dict[object, int] = {}
    waiting = list(rows)
    while waiting:
        row = waiting.pop()
        kinds = tuple(item.kind for item in row)
        if kinds not in lines:
            lines[kinds] = FRAME + sum(item.weighs for item in row)
            waiting += [item.members for item in row if item.members]
    return sum(lines.values())


def _leaving(graph: Graph, rooms: Mapping[Node, str]) -> set[Value]:
    """The values that are returned, or read outside the room that they are made in."""
    made = {value: room for node, room in rooms.items() for value in node.results}
    read = (
        (value, rooms.get(node)) for node in graph.nodes for value in node.reads() if value in made
    )
    return {*graph.outputs, *(value for value, room in read if made[value] != room)}


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


def _items(graph: Graph, rooms: Mapping[Node, str]) -> list[Item]:
    """The nodes of rooms in order; where a room ends, something that is like nothing else."""
    found: list[Item] = []
    here: str | None = None
    for node in graph.nodes:
        room = rooms.get(node)
        if room != here and found:
            found.append(Item(object(), [node], [], []))
        here = room
        if room is not None:
            reads = [value for _, value in node.operands()]
            found.append(Item(_kind(node), [node], reads, list(node.results)))
    return found


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


def _name_level(items: Sequence[Item], path: str, model: Model, *, in_sequence: bool) -> None:
    """Names the blocks among the items: by their places in a sequence, else by their classes."""
    counts: dict[str, int] = {}
    for position, item in enumerate(items):
        if not item.members:
            continue
        stem = "stage" if not item.class_name else _snake(item.class_name)
        counts[stem] = counts.get(stem, 0) + 1
        leaf = str(position) if in_sequence else f"{stem}{counts[stem]}"
        here = f"{path}.{leaf}" if path else leaf
        model.scopes[here] = item.class_name
        for node in item.nodes:
            node.scope = here
        _name_level(item.members, here, model, in_sequence=not item.class_name)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
