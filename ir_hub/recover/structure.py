"""Finds the modules of a graph that lost them: stretches of nodes that come again, alike and wired
alike, become scopes of one class; scopes in a row become a sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ir_hub.ir.dims import Expr
from ir_hub.ir.graph import Argument, Graph, Model, Node, Value
from ir_hub.ir.types import DType

LONGEST = 160  # items in one stretch
ROUNDS = 48  # kinds of block that are looked for
LEAST_GAIN = 5  # lines that a class has to save
SIMILAR = frozenset({"conv", "conv_transpose", "linear", "max_pool", "avg_pool", "gemm"})
ENDINGS = frozenset(
    {"relu", "relu6", "hard_swish", "hard_sigmoid", "sigmoid", "silu", "swish", "gelu", "mish",
     "tanh", "elu", "leaky_relu", "add", "mul", "batch_norm", "clip"}
)  # fmt: skip


@dataclass(eq=False)
class _Item:
    """A node, or a stretch of items that is a block by now."""

    kind: object  # equal for items that can be the same line of one class
    nodes: list[Node]
    reads: list[Value]
    results: list[Value]
    members: list[_Item] = field(default_factory=list)
    class_name: str = ""

    @property
    def weighs(self) -> int:
        """Lines it takes when written out: one to call it, and one for each thing it keeps."""
        constants = sum(value.is_constant for value in self.reads)
        layer = not self.members and self.nodes[0].op in _LAYERS
        return 2 if self.members or layer else 1 + constants


_LAYERS = SIMILAR | {"batch_norm", "layer_norm", "group_norm", "rms_norm", "embedding", "lstm"}


def structure(model: Model) -> Model:
    """Gives the nodes that have no scope scopes of their own. Scopes of the source stay."""
    graph = model.graph
    if any(node.scope for node in graph.nodes):
        return model
    items = _items(graph)
    returned = set(graph.outputs)
    for number in range(ROUNDS):
        found = _best_repeat(items, returned)
        if found is None:
            break
        length, starts = found
        items = _merged(items, length, starts, ("block", number), returned)
    items = _sequences(items, returned)
    _name_scopes(items, model)
    return model


def _items(graph: Graph) -> list[_Item]:
    return [
        _Item(_kind(node), [node], [v for _, v in node.operands()], list(node.results))
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


def _best_repeat(items: Sequence[_Item], returned: set[Value]) -> tuple[int, list[int]] | None:
    """The stretch whose repetition saves most lines: its length, and where it starts."""
    results = [(v, (i, k)) for i, item in enumerate(items) for k, v in enumerate(item.results)]
    producers = dict(results)
    last_use = _last_uses(items, returned)
    groups: list[tuple[list[int], list[_Trace]]] = [
        (list(range(len(items))), [_Trace(items, producers, i) for i in range(len(items))])
    ]
    best: tuple[float, int, list[int]] | None = None
    for length in range(1, LONGEST + 1):
        groups = list(_extended(groups))
        if not groups:
            break
        for starts, _ in groups if length > 1 else ():
            fits = [s for s in starts if _is_closed(items, s, length, last_use)]
            apart = _apart(fits, length)
            gain = _gain(items, apart, length)
            if len(apart) > 1 and gain >= LEAST_GAIN and (best is None or gain > best[0]):
                best = gain, length, apart
    return None if best is None else (best[1], best[2])


class _Trace:
    """Grows a stretch from a start, item by item, and says what each adds: its kind, and where
    its operands come from within the stretch."""

    def __init__(
        self, items: Sequence[_Item], producers: dict[Value, tuple[int, int]], start: int
    ) -> None:
        self.items, self.producers, self.start = items, producers, start
        self.end = start
        self.outer: dict[Value, int] = {}

    def grow(self) -> object | None:
        """What the next item adds; None when there is none."""
        if self.end >= len(self.items):
            return None
        item = self.items[self.end]
        self.end += 1
        return item.kind, tuple(self._wire(value) for value in item.reads)

    def _wire(self, value: Value) -> object:
        if value.is_constant:
            return "constant"
        where = self.producers.get(value)
        if where is not None and where[0] >= self.start:
            return where[0] - self.start, where[1]
        return "outer", self.outer.setdefault(value, len(self.outer))


def _extended(
    groups: list[tuple[list[int], list[_Trace]]],
) -> Iterator[tuple[list[int], list[_Trace]]]:
    """The groups of equal stretches, each an item longer; those of one stretch are left out."""
    for starts, traces in groups:
        split: dict[object, tuple[list[int], list[_Trace]]] = {}
        for start, trace in zip(starts, traces, strict=True):
            added = trace.grow()
            if added is None or len(trace.outer) > 3:
                continue
            found = split.setdefault(added, ([], []))
            found[0].append(start)
            found[1].append(trace)
        yield from (found for found in split.values() if len(found[0]) > 1)


def _last_uses(items: Sequence[_Item], returned: set[Value]) -> dict[Value, int]:
    last = {value: i for i, item in enumerate(items) for value in item.reads}
    last.update(dict.fromkeys(returned, len(items)))
    return last


def _is_closed(items: Sequence[_Item], start: int, length: int, last_use: dict[Value, int]) -> bool:
    """Whether only the last item's one result is used outside the stretch."""
    *inner, last = items[start : start + length]
    end = start + length
    if any(last_use.get(value, -1) >= end for item in inner for value in item.results):
        return False
    return sum(last_use.get(value, -1) >= end for value in last.results) == 1


def _apart(starts: list[int], length: int) -> list[int]:
    chosen: list[int] = []
    for start in starts:
        if not chosen or start >= chosen[-1] + length:
            chosen.append(start)
    return chosen


def _gain(items: Sequence[_Item], starts: list[int], length: int) -> float:
    """Lines saved by a class: it is written once, and then takes two lines a use, more when much
    differs between the uses. Stretches that begin with a layer and end before one read best."""
    if len(starts) < 2:
        return 0
    stretch = items[starts[0] : starts[0] + length]
    lines = sum(item.weighs for item in stretch)
    gain = len(starts) * (lines - 2) - lines - 5
    if gain < LEAST_GAIN:
        return gain
    parameters = _differences([items[start : start + length] for start in starts])
    gain -= parameters + len(starts) * max(0, parameters - 4)
    opens = bool(stretch[0].members) or stretch[0].nodes[0].op in _LAYERS
    after = [items[s + length] for s in starts if s + length < len(items)]
    torn = sum(not a.members and a.nodes[0].op in ENDINGS for a in after)
    return gain * (1.15 if opens else 1.0) - 2 * torn


def _differences(stretches: Sequence[Sequence[_Item]]) -> int:
    """How many numbers differ between stretches; those that differ alike count once."""
    columns = zip(*(_numbers(stretch) for stretch in stretches), strict=False)
    return len({column for column in columns if len(set(column)) > 1})


def _numbers(stretch: Sequence[_Item]) -> list[object]:
    found: list[object] = []
    for node in (node for item in stretch for node in item.nodes):
        for argument in node.args.values():
            if isinstance(argument, Value):
                found += (argument.shape or ()) if argument.is_constant else ()
            elif isinstance(argument, int | float | tuple) and node.op in SIMILAR:
                found.append(argument)
    return found


def _merged(
    items: list[_Item], length: int, starts: list[int], kind: object, returned: set[Value]
) -> list[_Item]:
    last_use = _last_uses(items, returned)
    merged: list[_Item] = []
    position = 0
    for start in [*starts, len(items)]:
        merged += items[position:start]
        if start < len(items):
            merged.append(_joined(items[start : start + length], kind, start + length, last_use))
        position = start + length
    return merged


def _joined(members: list[_Item], kind: object, end: int, last_use: dict[Value, int]) -> _Item:
    made = {value for item in members for value in item.results}
    reads = dict.fromkeys(v for item in members for v in item.reads if v not in made)
    results = [v for item in members for v in item.results if last_use.get(v, -1) >= end]
    nodes = [node for item in members for node in item.nodes]
    reads_outer = [value for value in reads if not value.is_constant]
    return _Item(kind, nodes, reads_outer, results, members, _class_name(nodes))


def _sequences(items: list[_Item], returned: set[Value]) -> list[_Item]:
    """Blocks in a row, each taking only what the one before it gives, become one sequence."""
    last_use = _last_uses(items, returned)
    found: list[_Item] = []
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


def _follows(before: _Item, after: _Item, position: int, last_use: dict[Value, int]) -> bool:
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


def _name_scopes(items: Sequence[_Item], model: Model) -> None:
    names: dict[object, str] = {}
    _name_level(items, "", model, names)


def _name_level(items: Sequence[_Item], path: str, model: Model, names: dict[object, str]) -> None:
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
