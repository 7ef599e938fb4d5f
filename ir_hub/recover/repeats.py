"""Finds stretches of a graph that come again, alike and wired alike, and which of them would save
most lines as a class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ir_hub.ir.graph import Node, Value

LONGEST = 160  # items in one stretch
WIDEST = 3  # values that a stretch takes
LEAST_GAIN = 5  # lines that a class has to save
READS_WELL = 1.15  # how much more a stretch counts that begins with a layer
SIMILAR = frozenset({"conv", "conv_transpose", "linear", "max_pool", "avg_pool", "gemm"})
LAYERS = SIMILAR | {"batch_norm", "layer_norm", "group_norm", "rms_norm", "embedding", "lstm"}
ENDINGS = frozenset(
    {"relu", "relu6", "hard_swish", "hard_sigmoid", "sigmoid", "silu", "swish", "gelu", "mish",
     "tanh", "elu", "leaky_relu", "add", "mul", "batch_norm", "clip"}
)  # fmt: skip


@dataclass(eq=False)
class Item:
    """A node, or a stretch of items that is a block by now."""

    kind: object  # equal for items that can be the same line of one class
    nodes: list[Node]
    reads: list[Value]
    results: list[Value]
    members: list[Item] = field(default_factory=list)
    class_name: str = ""

    @property
    def weighs(self) -> int:
        """Lines it takes when written out: one to call it, and one for each thing it keeps."""
        constants = sum(value.is_constant for value in self.reads)
        layer = not self.members and self.nodes[0].op in LAYERS
        return 2 if self.members or layer else 1 + constants


def best_repeat(items: Sequence[Item], returned: set[Value]) -> tuple[int, list[int]] | None:
    """The stretch whose repetition saves most lines: its length, and where it starts."""
    row = _Row(items, last_uses(items, returned))
    groups = [[_Trace(row, start) for start in range(len(items))]]
    best: tuple[float, int, list[int]] | None = None
    worth_it: dict[tuple[int, int], int] = {}  # which group a stretch, by start and end, is in
    for length in range(1, LONGEST + 1):
        groups = list(_extended(groups))
        if not groups:
            break
        for traces in groups if length > 1 else ():
            apart = _apart([trace.start for trace in traces if trace.is_closed()], length)
            most = _lines_saved(items, apart, length) * READS_WELL
            if most < LEAST_GAIN or _is_periodic(row, apart[0], length, worth_it):
                continue
            number = len(worth_it)
            worth_it.update({(start, start + length): number for start in apart})
            if best is None or most > best[0]:
                gain = _gain(items, apart, length)
                if gain >= LEAST_GAIN and (best is None or gain > best[0]):
                    best = gain, length, apart
    return None if best is None else (best[1], best[2])


def _is_periodic(
    row: _Row, start: int, length: int, worth_it: Mapping[tuple[int, int], int]
) -> bool:
    """Whether a stretch is but a shorter one several times, which is the better class."""
    if len(set(row.kinds[start : start + length])) == 1:
        return True
    for period in (p for p in range(2, length // 2 + 1) if length % p == 0):
        ends = range(start + period, start + length + 1, period)
        if len({worth_it.get((end - period, end), -end) for end in ends}) == 1:
            return True
    return False


class _Row:
    """Items in a row, and what is known of each without knowing where a stretch starts."""

    def __init__(self, items: Sequence[Item], last_use: dict[Value, int]) -> None:
        self.items, self.last_use = items, last_use
        results = [(v, (i, k)) for i, item in enumerate(items) for k, v in enumerate(item.results)]
        self.producers = dict(results)
        numbers: dict[object, int] = {}
        self.kinds = [numbers.setdefault(item.kind, len(numbers)) for item in items]
        self.earliest = [self._earliest(item) for item in items]
        wired = [(self.kinds[i], self._distances(i)) for i in range(len(items))]
        shapes: dict[object, int] = {}
        self.shapes = [shapes.setdefault(each, len(shapes)) for each in wired]
        self.needed = [max(self._uses(item), default=-1) for item in items]

    def _earliest(self, item: Item) -> int:
        """The first item of those it reads from; -1 when it reads an input of the graph."""
        read = (value for value in item.reads if not value.is_constant)
        return min(
            (self.producers.get(value, (-1, 0))[0] for value in read), default=len(self.items)
        )

    def _distances(self, index: int) -> tuple[object, ...]:
        places = (self.producers.get(value) for value in self.items[index].reads)
        return tuple(place and (index - place[0], place[1]) for place in places)

    def _uses(self, item: Item) -> Iterator[int]:
        return (self.last_use.get(value, -1) for value in item.results)

    def leaving(self, end: int) -> int:
        """How many results of the last item before `end` are used from there on."""
        return sum(use >= end for use in self._uses(self.items[end - 1]))


class _Trace:
    """Grows a stretch from a start, item by item, and says what each adds: its kind, and where
    its operands come from within the stretch."""

    def __init__(self, row: _Row, start: int) -> None:
        self.row, self.start, self.end = row, start, start
        self.outer: dict[Value, int] = {}
        self.needed = -1  # the last use of what the items before the last one give

    def grow(self) -> object | None:
        """What the next item adds; None when there is none, or no stretch from here will do."""
        row, index = self.row, self.end
        if index > self.start:
            self.needed = max(self.needed, row.needed[index - 1])
        if index >= len(row.items) or self.needed >= self.start + LONGEST:
            return None
        self.end += 1
        if row.earliest[index] >= self.start:
            return row.shapes[index]
        wires = tuple(self._wire(value) for value in row.items[index].reads)
        return None if len(self.outer) > WIDEST else (row.kinds[index], wires)

    def is_closed(self) -> bool:
        """Whether only the last item's one result is used outside the stretch."""
        return self.needed < self.end and self.row.leaving(self.end) == 1

    def _wire(self, value: Value) -> object:
        if value.is_constant:
            return "constant"
        where = self.row.producers.get(value)
        if where is not None and where[0] >= self.start:
            return where[0] - self.start, where[1]
        return "outer", self.outer.setdefault(value, len(self.outer))


def _extended(groups: list[list[_Trace]]) -> Iterator[list[_Trace]]:
    """The groups of equal stretches, each an item longer; those of one stretch are left out."""
    for traces in groups:
        split: dict[object, list[_Trace]] = {}
        for trace in traces:
            added = trace.grow()
            if added is not None:
                split.setdefault(added, []).append(trace)
        yield from (found for found in split.values() if len(found) > 1)


def last_uses(items: Sequence[Item], returned: set[Value]) -> dict[Value, int]:
    """The last item that reads each value; beyond all of them for what is returned."""
    last = {value: i for i, item in enumerate(items) for value in item.reads}
    last.update(dict.fromkeys(returned, len(items)))
    return last


def _apart(starts: list[int], length: int) -> list[int]:
    chosen: list[int] = []
    for start in starts:
        if not chosen or start >= chosen[-1] + length:
            chosen.append(start)
    return chosen


def _lines_saved(items: Sequence[Item], starts: list[int], length: int) -> int:
    """By a class that is written once, and then takes two lines a use."""
    if len(starts) < 2:
        return 0
    lines = sum(item.weighs for item in items[starts[0] : starts[0] + length])
    return len(starts) * (lines - 2) - lines - 5


def _gain(items: Sequence[Item], starts: list[int], length: int) -> float:
    """The lines saved, fewer when much differs between the uses. Stretches that begin with a
    layer and end before one read best."""
    stretches = [items[start : start + length] for start in starts]
    parameters = _differences(stretches)
    gain = _lines_saved(items, starts, length)
    gain -= parameters + len(starts) * max(0, parameters - 4)
    first = stretches[0][0]
    opens = bool(first.members) or first.nodes[0].op in LAYERS
    after = [items[s + length] for s in starts if s + length < len(items)]
    torn = sum(not a.members and a.nodes[0].op in ENDINGS for a in after)
    return gain * (READS_WELL if opens else 1.0) - 2 * torn


def _differences(stretches: Sequence[Sequence[Item]]) -> int:
    """How many numbers differ between stretches; those that differ alike count once."""
    columns = zip(*(_numbers(stretch) for stretch in stretches), strict=False)
    return len({column for column in columns if len(set(column)) > 1})


def _numbers(stretch: Sequence[Item]) -> list[object]:
    found: list[object] = []
    for node in (node for item in stretch for node in item.nodes):
        for argument in node.args.values():
            if isinstance(argument, Value):
                found += (argument.shape or ()) if argument.is_constant else ()
            elif isinstance(argument, int | float | tuple) and node.op in SIMILAR:
                found.append(argument)
    return found
