"""Makes blocks of layers that lie flat beside each other, where their names say which there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_

from ir_hub.ir.graph import Graph, Model, Node, Value
from ir_hub.recover.numbered import Member, numbered

MANY = 3  # sequences of the same blocks are a class


def name_blocks(model: Model) -> Model:
    """Gives layers with numbered names scopes in blocks, in the model itself: `block_1_expand`
    becomes `block_1.expand`. Modules that have a class, or others in them, stay as they are."""
    graph, scopes = model.graph, model.scopes
    flat = {node.scope for node in graph.nodes}
    kinds: dict[str, str] = {}
    waiting: list[tuple[str, Sequence[Node]]] = [("", graph.nodes)]
    while waiting:
        path, nodes = waiting.pop()
        kinds |= _divide(path, nodes, scopes)
        waiting += _children(path, nodes).items()
    scopes |= _classes(kinds, _scopes(graph))
    for scope in flat - _around(_scopes(graph)):
        scopes.pop(scope, None)
    return model


def _scopes(graph: Graph) -> set[str]:
    return {node.scope for node in graph.walk()}


def _around(scopes: set[str]) -> set[str]:
    """Scopes, and all that they are in."""
    parts = [scope.split(".") for scope in scopes]
    return {".".join(each[:end]) for each in parts for end in range(len(each) + 1)}


def _classes(kinds: Mapping[str, str], scopes: set[str]) -> dict[str, str]:
    """The class of each block, by their kinds: one that only has blocks in it is a sequence of
    them, unless many are the same."""
    inner: dict[str, list[str]] = {}
    for block in kinds:
        around, _, name = block.rpartition(".")
        inner.setdefault(around, []).append(name)
    with_layers = {scope if scope in kinds else scope.rpartition(".")[0] for scope in scopes}
    rows = {block: (kinds[block], tuple(inner[block])) for block in kinds.keys() - with_layers}
    times = Counter(rows.values())
    sequences = {block: "Sequential" for block, row in rows.items() if times[row] < MANY}
    return {**kinds, **sequences}


def _children(path: str, nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """The nodes in each scope directly within `path`, which they are all in."""
    start = len(path) + 1 if path else 0
    found: dict[str, list[Node]] = {}
    for node in nodes:
        leaf = node.scope[start:].partition(".")[0]
        if leaf:
            found.setdefault(node.scope[: start + len(leaf)], []).append(node)
    return found


def _divide(path: str, nodes: Sequence[Node], scopes: dict[str, str]) -> dict[str, str]:
    """Divides what is in a scope into blocks, if its children's names say so; gives the kind of
    each block."""
    prefix = f"{path}." if path else ""
    children = _children(path, nodes)
    flat = {
        scope.removeprefix(prefix): held
        for scope, held in children.items()
        if not scopes.get(scope) and all(node.scope == scope for node in held)
    }
    members = {
        node: member
        for name, member in numbered(flat).items()
        if member.block in flat or prefix + member.block not in children
        for node in flat[name]
    }
    for node in _joins_of_some(members):
        del members[node]
    beside = {path, *(prefix + name for name in flat)}
    loose = {n for n in nodes if n.scope in beside and n not in members and not _has_weights(n)}
    homes = _closed(nodes, {node: member.block for node, member in members.items()}, loose)
    for node, block in homes.items():
        node.scope = prefix + block
        if node in members:
            node.scope += f".{members[node].name}"
        scopes[node.scope] = ""
    return {prefix + members[n].block: members[n].kind.strip("_") for n in homes if n in members}


def _joins_of_some(members: Mapping[Node, Member]) -> list[Node]:
    """The joins at the ends of blocks that others of their kind go without: a block stays the same
    when they are done around it, as where only some are residual."""
    names: dict[tuple[str, str], set[str]] = {}
    for kind, number, name in members.values():
        names.setdefault((kind, number), set()).add(name)
    blocks = Counter(kind for kind, _ in names)
    having = Counter((kind, name) for (kind, _), held in names.items() for name in held)
    inner = {(*block, name) for block, held in names.items() for name in numbered(held)}
    read = {(value, members[node].block) for node in members for value in node.reads()}
    return [
        node
        for node, member in members.items()
        if having[member.kind, member.name] < blocks[member.kind]
        and member not in inner
        and sum(not value.is_constant for value in node.reads()) > 1
        and not any((value, member.block) in read for value in node.results)
    ]


def _has_weights(node: Node) -> bool:
    return any(value.is_constant and value.scalar is None for value in node.reads())


def _closed(nodes: Sequence[Node], homes: Mapping[Node, str], loose: set[Node]) -> dict[Node, str]:
    """The blocks of nodes, with the loose nodes on a way that leaves a block and comes back to it
    in that; without the blocks that anything else lies in."""
    blocks = dict.fromkeys(homes.values())
    between = _between(nodes, homes, {block: 1 << place for place, block in enumerate(blocks)})
    readers: dict[Value, set[str]] = {}
    for node in nodes:
        for value in node.reads():
            readers.setdefault(value, set()).add(homes.get(node, ""))
    torn = {block for node, inside in between.items() if node not in loose for block in inside}
    torn.update(block for inside in between.values() if len(inside) > 1 for block in inside)
    joined = {node: block for node in loose for block in between[node] or _fed(node, readers)}
    return {node: block for node, block in {**homes, **joined}.items() if block not in torn}


def _fed(node: Node, readers: Mapping[Value, set[str]]) -> set[str]:
    """The block that alone takes what a node gives, if it also takes all that the node does."""
    taking = set().union(*(readers.get(value, ()) for value in node.results))
    given = [readers[value] for value in node.reads() if not value.is_constant]
    alone = len(taking) == 1 and all(taking <= each for each in given)
    return taking - {""} if alone else set()


def _between(
    nodes: Sequence[Node], homes: Mapping[Node, str], bits: Mapping[str, int]
) -> dict[Node, list[str]]:
    """For each node the blocks other than its own that it needs and that need it."""
    own = {node: bits[homes[node]] if node in homes else 0 for node in nodes}
    above: dict[Value, int] = {}  # the blocks that a value is computed from, as bits
    needs: dict[Node, int] = {}
    for node in nodes:
        needs[node] = reduce(or_, (above.get(value, 0) for value in node.reads()), 0)
        above.update(dict.fromkeys(node.results, needs[node] | own[node]))
    below: dict[Value, int] = {}  # the blocks that need a value
    found: dict[Node, list[str]] = {}
    for node in reversed(nodes):
        needed = reduce(or_, (below.get(value, 0) for value in node.results), 0)
        both = needs[node] & needed & ~own[node]
        found[node] = [block for block, bit in bits.items() if both & bit] if both else []
        for value in node.reads():
            below[value] = below.get(value, 0) | needed | own[node]
    return found
