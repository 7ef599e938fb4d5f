"""Which blocks are one class: those with the same steps, wired alike, under the same names; in
which only numbers differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from ir_hub.codegen.optional import kept, merges
from ir_hub.codegen.spelling import Code, Expr, Layer, Style
from ir_hub.codegen.steps import Block, Step, is_number
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType

Place = tuple[int, str]  # a literal's: the step's number, the keyword ("shape.2": within a tuple)


def grouped(root: Block, style: Style) -> tuple[dict[object, list[Block]], dict[Block, object]]:
    """The blocks of each class, one that has all children first, and the key of each block's
    class. Blocks whose children became one class may be one class then."""
    merged: dict[object, object] = {}
    while True:
        keys: dict[Block, object] = {}
        groups: dict[object, list[Block]] = {}
        full: set[Block] = set()
        for block in root.blocks():
            own = _key(block, keys)
            keys[block] = merged.get(own, own)
            groups.setdefault(keys[block], []).append(block)
            full.update([block] if own == keys[block] else [])
        groups = {
            key: [*(b for b in blocks if b in full), *(b for b in blocks if b not in full)]
            for key, blocks in groups.items()
        }
        more = merges(groups, partial(head, keys=keys)) if style.absent else {}
        if not more:
            return _inner_first(groups, keys), keys
        merged = {key: more.get(other, other) for key, other in merged.items()} | more


def _inner_first(
    groups: Mapping[object, list[Block]], keys: Mapping[Block, object]
) -> dict[object, list[Block]]:
    """The groups in an order in which each comes after those of its blocks' children."""
    ordered: dict[object, list[Block]] = {}

    def visit(key: object) -> None:
        if key in ordered:
            return
        for step in groups[key][0].steps:
            if isinstance(step.what, Block):
                visit(keys[step.what])
        ordered[key] = groups[key]

    for key in groups:
        visit(key)
    return ordered


def _key(block: Block, keys: Mapping[Block, object]) -> object:
    """What makes two blocks one class: the same steps, wired alike, under the same names."""
    at: dict[Value, object] = {value: ("in", i) for i, value in enumerate(block.inputs)}
    steps = []
    for number, step in enumerate(block.steps):
        wires = tuple(at.get(v) or kept(v, step) for v in step.inputs)
        steps.append((head(step, keys), step.name, wires, len(step.results)))
        at.update({value: (number, i) for i, value in enumerate(step.results)})
    return block.class_name, tuple(steps), tuple(at.get(value) for value in block.outputs)


def head(step: Step, keys: Mapping[Block, object]) -> object:
    what = step.what
    if isinstance(what, Block):
        return keys[what]
    if isinstance(what, Layer):
        codes = tuple((k, repr(v)) for k, v in what.kwargs.items() if isinstance(v, Code))
        return what.ctor, tuple(what.kwargs), codes, what.call, what.targets
    free = [place for (_, place), _ in expression_slots(0, what)]
    fixed = tuple((k, _skeleton(v)) for k, v in what.literals.items())
    return what.text, tuple(free), fixed, what.targets


def _skeleton(literal: Any) -> object:
    """A literal with holes where a number may differ."""
    if isinstance(literal, tuple):
        return tuple(map(_skeleton, literal))
    return "number" if _is_free(literal) else repr(literal)


def _is_free(literal: Any) -> bool:
    return isinstance(literal, int | float) and not isinstance(literal, bool)


def expression_slots(number: int, what: Expr) -> Iterator[tuple[Place, Any]]:
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
        shortest = float(str(np.float32(scalar)))
        # That of the greatest float32 lies a little beyond it, where frameworks overflow.
        return shortest if abs(shortest) <= float(np.finfo(np.float32).max) else scalar
    return scalar
