"""Finds which blocks are one class, and which literals are parameters of its constructor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ir_hub.codegen.names import class_name, identifier, unique
from ir_hub.codegen.settle import is_sequence
from ir_hub.codegen.spelling import Code, Expr, Layer, Style
from ir_hub.codegen.steps import Block, Step, is_number
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType

Place = tuple[int, str]  # a literal's: the step's number, the keyword ("shape.2": within a tuple)


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
    where that isn't the literal itself: a parameter's name, or a multiple of one."""

    name: str
    blocks: list[Block]
    parameters: list[Parameter] = field(default_factory=list)
    said: dict[Place, str] = field(default_factory=dict)
    inline: bool = False  # a sequence that is written where it is used
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
    groups: dict[object, list[Block]] = {}
    keys: dict[Block, object] = {}
    for block in root.blocks():
        keys[block] = _key(block, keys)
        groups.setdefault(keys[block], []).append(block)
    taken = {root_name, *style.names}
    found: dict[Block, Class] = {}
    for blocks in groups.values():
        made = _class(blocks, root, root_name, taken, style)
        found.update(dict.fromkeys(blocks, made))
        _parametrise(made, found, style)
    return found


def _class(
    blocks: list[Block], root: Block, root_name: str, taken: set[str], style: Style
) -> Class:
    if blocks == [root]:
        return Class(root_name, blocks)
    source = class_name(blocks[0].class_name, "")
    sequence = style.sequential and is_sequence(blocks[0])
    if sequence and (source in ("", "Sequential", "ModuleList") or len(blocks) == 1):
        return Class("", blocks, inline=True)
    leaf = blocks[0].path.rpartition(".")[2]
    name = unique(source or class_name(leaf.rstrip("0123456789"), "Block"), taken)
    taken.add(name)
    return Class(name, blocks)


def _key(block: Block, keys: Mapping[Block, object]) -> object:
    """What makes two blocks one class: the same steps, wired alike, under the same names."""
    at: dict[Value, object] = {value: ("in", i) for i, value in enumerate(block.inputs)}
    steps = []
    for number, step in enumerate(block.steps):
        wires = tuple(at.get(v) or _kept(v, step) for v in step.inputs)
        steps.append((_head(step, keys), step.name, wires, len(step.results)))
        at.update({value: (number, i) for i, value in enumerate(step.results)})
    return block.class_name, tuple(steps), tuple(at.get(value) for value in block.outputs)


def _kept(constant: Value, step: Step) -> object:
    return step.constants.get(constant), constant.dtype, len(constant.shape or ())


def _head(step: Step, keys: Mapping[Block, object]) -> object:
    what = step.what
    if isinstance(what, Block):
        return keys[what]
    if isinstance(what, Layer):
        codes = tuple((k, repr(v)) for k, v in what.kwargs.items() if isinstance(v, Code))
        return what.ctor, tuple(what.kwargs), codes, what.call, what.targets
    free = [place for (_, place), _ in _expression_slots(0, what)]
    fixed = tuple((k, _skeleton(v)) for k, v in what.literals.items())
    return what.text, tuple(free), fixed, what.targets


def _skeleton(literal: Any) -> object:
    """A literal with holes where a number may differ."""
    if isinstance(literal, tuple):
        return tuple(map(_skeleton, literal))
    return "number" if _is_free(literal) else repr(literal)


def _is_free(literal: Any) -> bool:
    return isinstance(literal, int | float) and not isinstance(literal, bool)


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
        yield from _expression_slots(number, what)
        for constant, name in step.constants.items():
            for axis, size in enumerate(constant.shape or ()):
                yield (number, f"~{name}.{axis}"), size


def _expression_slots(number: int, what: Expr) -> Iterator[tuple[Place, Any]]:
    for name, literal in what.literals.items():
        yield from _numbers(number, name, literal)
    for index in sorted(what.numbers):
        if index < len(what.inputs) and is_number(what.inputs[index]):
            yield (number, f"#{index}"), number_of(what.inputs[index])


def _numbers(number: int, name: str, literal: Any) -> Iterator[tuple[Place, Any]]:
    if isinstance(literal, tuple):
        for index, item in enumerate(literal):
            yield from _numbers(number, f"{name}.{index}", item)
    elif _is_free(literal):
        yield (number, name), literal


def number_of(value: Value) -> Any:
    """The element of a constant, as the shortest number that reads back as it."""
    scalar = value.scalar
    if isinstance(scalar, float) and value.dtype is DType.FLOAT32:
        return float(str(np.float32(scalar)))
    return scalar


def _parametrise(made: Class, found: Mapping[Block, Class], style: Style) -> None:
    columns: dict[Place, list[Any]] = {}
    for block in made.blocks:
        for number, step in enumerate(block.steps):
            for place, value in slots(number, step, found):
                columns.setdefault(place, []).append(value)
    attributes = {name for s in made.block.steps for name in (s.name, *s.constants.values())}
    named: dict[tuple[str, ...], str] = {}
    vectors: dict[str, tuple[Any, ...]] = {}
    for place in sorted(columns, key=lambda place: place[1].startswith("~")):
        vector = tuple(columns[place])
        if len(set(map(repr, vector))) == 1:
            continue
        key = tuple(map(repr, vector))
        said = named.get(key) or _multiple(vector, vectors)
        if said is None:
            said = unique(_stem(place), {*vectors, *attributes, *style.reserved})
            vectors[said] = vector
        named.setdefault(key, said)
        made.said[place] = said
    made.parameters = _ordered([_defaulted(name, vector) for name, vector in vectors.items()])


def _stem(place: Place) -> str:
    """What a parameter for a literal is called: as its keyword; a constant's size, a size."""
    if place[1].startswith("~"):
        return "size"
    return identifier(place[1].partition(".")[0].strip("#0123456789"), "value")


def _multiple(vector: tuple[Any, ...], vectors: Mapping[str, tuple[Any, ...]]) -> str | None:
    """The vector as a multiple or a fraction of a parameter: "4 * channels"."""
    if not all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in vector):
        return None
    for name, known in vectors.items():
        if not all(isinstance(v, int) and not isinstance(v, bool) and v > 0 for v in known):
            continue
        pairs = list(zip(vector, known, strict=True))
        for factor in (2, 3, 4, 6, 8):
            if all(v == factor * k for v, k in pairs):
                return f"{factor} * {name}"
        for factor in (2, 3, 4, 8):
            if all(v == k // factor for v, k in pairs):
                return f"{name} // {factor}"
    return None


def _defaulted(name: str, vector: tuple[Any, ...]) -> Parameter:
    common, count = Counter(map(repr, vector)).most_common(1)[0]
    if len(vector) < 3 or 2 * count <= len(vector):
        return Parameter(name, vector)
    default = next(value for value in vector if repr(value) == common)
    return Parameter(name, vector, True, default)


def _ordered(parameters: list[Parameter]) -> list[Parameter]:
    return sorted(parameters, key=lambda p: p.has_default)
