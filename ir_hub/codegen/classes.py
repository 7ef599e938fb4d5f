"""Finds which blocks are one class, and which literals are parameters of its constructor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ir_hub.codegen.alike import Place, expression_slots, grouped, head
from ir_hub.codegen.names import class_name, identifier, unique
from ir_hub.codegen.optional import aligned
from ir_hub.codegen.settle import is_sequence
from ir_hub.codegen.spelling import Code, Layer, Style
from ir_hub.codegen.steps import Block, Step

ABSENT = object()  # in a literal's place, where a block goes without the step
_PRESENCE = "?"  # the place that says whether a block has the step


@dataclass(frozen=True)
class Parameter:
    """A parameter of a class's constructor; `default` is written where `has_default`."""

    name: str
    values: tuple[Any, ...]  # one a block of the class
    has_default: bool = False
    default: Any = None


@dataclass(eq=False)
class Class:
    """Equal blocks, and what differs between them. `said` is what stands in a literal's place
    where that isn't the literal itself: a parameter's name, or a multiple of one. `optional` are
    the steps that some of the blocks go without, with the parameters that say so; the first block
    has them all."""

    name: str
    blocks: list[Block]
    parameters: list[Parameter] = field(default_factory=list)
    said: dict[Place, str] = field(default_factory=dict)
    inline: bool = False  # a sequence that is written where it is used
    optional: dict[int, str] = field(default_factory=dict)
    positions: dict[Block, int] = field(init=False)

    def __post_init__(self) -> None:
        self.positions = {block: index for index, block in enumerate(self.blocks)}

    @property
    def block(self) -> Block:
        """The block that stands for all."""
        return self.blocks[0]

    def arguments(self, block: Block) -> dict[str, Any]:
        """What a block passes to the constructor."""
        index = self.positions[block]
        return {p.name: p.values[index] for p in self.parameters}


def classes_of(root: Block, root_name: str, style: Style) -> dict[Block, Class]:
    """The class of every block, inner classes before those that use them."""
    groups, keys = grouped(root, style)
    taken = {root_name, *style.names}
    found: dict[Block, Class] = {}
    for blocks in groups.values():
        made = _class(blocks, root, root_name, taken, style)
        found.update(dict.fromkeys(blocks, made))
        _parametrise(made, found, style, keys)
    return found


def _class(
    blocks: list[Block], root: Block, root_name: str, taken: set[str], style: Style
) -> Class:
    if blocks == [root]:
        return Class(root_name, blocks)
    source = class_name(blocks[0].class_name, "")
    source = "" if source in ("Sequential", "ModuleList") else source
    sequence = style.sequential and is_sequence(blocks[0])
    if sequence and (not source or len(blocks) == 1):
        return Class("", blocks, inline=True)
    leaf = blocks[0].path.rpartition(".")[2]
    name = unique(source or class_name(leaf.rstrip("0123456789"), "Block"), taken)
    taken.add(name)
    return Class(name, blocks)


def slots(number: int, step: Step, found: Mapping[Block, Class]) -> Iterator[tuple[Place, Any]]:
    """The literals of a step that may differ between blocks of one class."""
    what = step.what
    if isinstance(what, Block):
        for name, value in found[what].arguments(what).items():
            yield (number, name), value
    elif isinstance(what, Layer):
        for name, value in what.kwargs.items():
            if not isinstance(value, Code):
                yield (number, name), value
    else:
        yield from expression_slots(number, what)
        for constant, name in step.constants.items():
            for axis, size in enumerate(constant.shape or ()):
                yield (number, f"~{name}.{axis}"), size


def _parametrise(
    made: Class, found: Mapping[Block, Class], style: Style, keys: Mapping[Block, object]
) -> None:
    columns = _columns(made, found, keys)
    attributes = {name for s in made.block.steps for name in (s.name, *s.constants.values())}
    flags = _flags(made, columns, style)
    vectors: dict[str, tuple[Any, ...]] = {}
    # Sizes of constants come last, and places that some blocks haven't got after all others.
    for place in sorted(columns, key=lambda p: (p[1].startswith("~"), ABSENT in columns[p])):
        vector = columns[place]
        if len({repr(value) for value in vector if value is not ABSENT}) <= 1:
            continue
        said = _known(vector, vectors) or _multiple(vector, vectors)
        if said is None:
            said = unique(_stem(place), {*vectors, *flags, *attributes, *style.reserved})
            vectors[said] = vector
        made.said[place] = said
    parameters = [_defaulted(name, vector) for name, vector in vectors.items()]
    made.parameters = [*_ordered(parameters), *flags.values()]


def _flags(
    made: Class, columns: dict[Place, tuple[Any, ...]], style: Style
) -> dict[str, Parameter]:
    """The parameters that say which steps a block has, called as the steps are; their columns are
    taken away."""
    flags: dict[str, Parameter] = {}
    for number, step in enumerate(made.block.steps):
        there = columns.pop((number, _PRESENCE))
        if not all(there):
            same = (flag.name for flag in flags.values() if flag.values == there)
            name = next(same, None) or unique(step.name, {*flags, *style.reserved})
            flags[name] = Parameter(name, there, True, False)
            made.optional[number] = name
    return flags


def _columns(
    made: Class, found: Mapping[Block, Class], keys: Mapping[Block, object]
) -> dict[Place, tuple[Any, ...]]:
    """For each place the literals there, one a block, ABSENT where a block goes without the step;
    for each step which blocks have it."""
    rows: list[dict[Place, Any]] = []
    for block in made.blocks:
        steps = aligned(made.block, block, lambda step: head(step, keys))
        assert steps is not None
        row: dict[Place, Any] = {}
        for number, step in enumerate(steps):
            row[(number, _PRESENCE)] = step is not None
            row.update(slots(number, step, found) if step is not None else ())
        rows.append(row)
    return {place: tuple(row.get(place, ABSENT) for row in rows) for place in rows[0]}


def _known(vector: tuple[Any, ...], vectors: Mapping[str, tuple[Any, ...]]) -> str | None:
    """The parameter that has these values, wherever there are any."""
    wanted = tuple(map(repr, vector))
    for name, values in vectors.items():
        pairs = zip(map(repr, values), wanted, vector, strict=True)
        if all(a == b or value is ABSENT for a, b, value in pairs):
            return name
    return None


def _stem(place: Place) -> str:
    """What a parameter for a literal is called: as its keyword; a constant's size, a size."""
    if place[1].startswith("~"):
        return "size"
    return identifier(place[1].partition(".")[0].strip("#0123456789"), "value")


def _multiple(vector: tuple[Any, ...], vectors: Mapping[str, tuple[Any, ...]]) -> str | None:
    """The vector as a multiple or a fraction of a parameter: "4 * channels"."""
    said = [(v, at) for at, v in enumerate(vector) if v is not ABSENT]
    if not all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v, _ in said):
        return None
    for name, known in vectors.items():
        if not all(isinstance(v, int) and not isinstance(v, bool) and v > 0 for v in known):
            continue
        pairs = [(v, known[at]) for v, at in said]
        for factor in (2, 3, 4, 6, 8):
            if all(v == factor * k for v, k in pairs):
                return f"{factor} * {name}"
        for factor in (2, 3, 4, 8):
            if all(v == k // factor for v, k in pairs):
                return f"{name} // {factor}"
    return None


def _defaulted(name: str, vector: tuple[Any, ...]) -> Parameter:
    """A parameter with the default that most blocks have; a block that has no use for it takes
    the default too."""
    given = [value for value in vector if value is not ABSENT]
    common, count = Counter(map(repr, given)).most_common(1)[0]
    default = next(value for value in given if repr(value) == common)
    if len(given) < len(vector):
        return Parameter(name, tuple(default if v is ABSENT else v for v in vector), True, default)
    if len(vector) < 3 or 2 * count <= len(vector):
        return Parameter(name, vector)
    return Parameter(name, vector, True, default)


def _ordered(parameters: list[Parameter]) -> list[Parameter]:
    return sorted(parameters, key=lambda p: p.has_default)
