"""Finds blocks of one class of the source which differ by children that only some of them have, as
a residual block's `downsample`: they become one class, with an identity in such a child's place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ir_hub.codegen.settle import is_sequence, passed_on
from ir_hub.codegen.spelling import Expr
from ir_hub.codegen.steps import Block, Step
from ir_hub.ir.graph import Value

Head = Callable[[Step], object]


def merges(groups: Mapping[object, Sequence[Block]], head: Head) -> dict[object, object]:
    """For each group of equal blocks the group with more children that it can be a part of.
    `head` is what makes two steps alike, but for their names and what they read."""
    by_class: dict[str, list[object]] = {}
    for key, blocks in groups.items():
        first = blocks[0]
        members = is_sequence(first) or passed_on(first) is not None
        if first.class_name and first.path and not members:
            by_class.setdefault(first.class_name, []).append(key)
    found: dict[object, object] = {}
    for keys in by_class.values():
        fullest = sorted(keys, key=lambda key: -len(groups[key][0].steps))
        for position, key in enumerate(fullest):
            for fuller in fullest[:position]:
                same = aligned(groups[fuller][0], groups[key][0], head)
                if fuller not in found and same is not None:
                    found[key] = fuller
                    break
    return found


def aligned(full: Block, block: Block, head: Head) -> list[Step | None] | None:
    """For each step of `full` the step of `block` that does the same, None for children that
    `block` goes without; None when the two can't be one class."""
    if len(full.inputs) != len(block.inputs) or len(full.outputs) != len(block.outputs):
        return None
    there: dict[Value, object] = {value: ("in", i) for i, value in enumerate(full.inputs)}
    here: dict[Value, object] = {value: ("in", i) for i, value in enumerate(block.inputs)}
    left = list(reversed(block.steps))
    found: list[Step | None] = []
    for number, step in enumerate(full.steps):
        results = [(number, i) for i in range(len(step.results))]
        if left and _alike(step, left[-1], there, here, head):
            own = left.pop()
            found.append(own)
            there.update(zip(step.results, results, strict=True))
            here.update(zip(own.results, results, strict=True))
        elif _is_optional(step, full):
            found.append(None)
            there[step.results[0]] = there[step.inputs[0]]
        else:
            return None
    outputs = zip(full.outputs, block.outputs, strict=True)
    same = all(there.get(a) == here.get(b) for a, b in outputs)
    return found if same and not left else None


def _alike(
    step: Step, other: Step, there: Mapping[Value, object], here: Mapping[Value, object], head: Head
) -> bool:
    if step.name != other.name or len(step.inputs) != len(other.inputs):
        return False
    if len(step.results) != len(other.results) or head(step) != head(other):
        return False
    wires = zip(step.inputs, other.inputs, strict=True)
    return all((there.get(a) or kept(a, step)) == (here.get(b) or kept(b, other)) for a, b in wires)


def kept(constant: Value, step: Step) -> object:
    """What a constant that a step reads is to its module."""
    return step.constants.get(constant), constant.dtype, len(constant.shape or ())


def _is_optional(step: Step, block: Block) -> bool:
    """Whether a step is a child of its own, which passes on one tensor."""
    names = [other.name for other in block.steps]
    child = not isinstance(step.what, Expr) and bool(step.name) and names.count(step.name) == 1
    return child and len(step.inputs) == len(step.results) == 1
