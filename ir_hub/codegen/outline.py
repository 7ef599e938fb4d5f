"""Arranges steps as a tree of blocks along the scopes they came from."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from ir_hub.codegen.spelling import Expr
from ir_hub.codegen.steps import Block, Step
from ir_hub.ir.graph import Value


def outline(
    steps: Sequence[Step],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    classes: Mapping[str, str],
) -> Block:
    """The tree of scopes. `classes` are class names by scope. A scope of one expression is that
    expression, a scope of one layer is that layer, under the scope's own name."""
    users: dict[Value, int] = dict.fromkeys(outputs, 1)
    for step in steps:
        for value in step.inputs:
            users[value] = users.get(value, 0) + 1
    root = _block("", list(steps), classes, users)
    root.inputs, root.outputs = list(inputs), list(outputs)
    return root


def _block(
    path: str, steps: list[Step], classes: Mapping[str, str], users: Mapping[Value, int]
) -> Block:
    arranged: list[Step] = []
    for child, members in _runs(path, steps):
        if child is None:
            arranged += members
        elif len(members) == 1 and (isinstance(members[0].what, Expr) or members[0].scope == child):
            members[0].name = child.rpartition(".")[2]
            arranged += members
        else:
            block = _block(child, members, classes, users)
            joined = _joined_inputs(block)
            if joined is not None:
                arranged.append(joined)
                block = _wired(Block(child, block.class_name, block.steps[1:]), users)
            leaf = child.rpartition(".")[2]
            arranged.append(Step(block, block.inputs, block.outputs, scope=child, name=leaf))
    return _wired(Block(path, classes.get(path, ""), arranged), users)


def _wired(block: Block, users: Mapping[Value, int]) -> Block:
    """The block with what it takes from around it and what others need of it."""
    made = {value for step in block.steps for value in step.results}
    inside: dict[Value, int] = {}
    for step in _leaves(block):
        for value in step.inputs:
            inside[value] = inside.get(value, 0) + 1
    taken = (v for step in block.steps for v in step.inputs if v not in made and not v.is_constant)
    block.inputs = list(dict.fromkeys(taken))
    results = (value for step in block.steps for value in step.results)
    block.outputs = [v for v in results if users.get(v, 0) > inside.get(v, 0)]
    return block


def _joined_inputs(block: Block) -> Step | None:
    """A block's first step when it only joins what the block is given. It is done before the
    block is called, so that blocks that join more or fewer tensors are one class."""
    first, *others = block.steps
    if first.op != "concat" or first.inputs != block.inputs or not others:
        return None
    used = {value for step in others for value in step.inputs}
    return None if used.intersection(block.inputs) else first


def _leaves(block: Block) -> list[Step]:
    found: list[Step] = []
    for step in block.steps:
        found += _leaves(step.what) if isinstance(step.what, Block) else [step]
    return found


def _runs(path: str, steps: list[Step]) -> list[tuple[str | None, list[Step]]]:
    """The steps by the child scope that they are in, each child's together where the order of
    computation allows it; None: in no child."""
    groups: dict[object, list[Step]] = {}
    for step in steps:
        groups.setdefault(_child(path, step.scope) or step, []).append(step)
    keys = list(groups)
    ordered = _sorted(keys, groups)
    if (
        ordered is None
    ):  # a module that is called again between others: as the source's order has it
        return _contiguous(path, steps)
    return [(key if isinstance(key, str) else None, groups[key]) for key in ordered]


def _contiguous(path: str, steps: list[Step]) -> list[tuple[str | None, list[Step]]]:
    runs: list[tuple[str | None, list[Step]]] = []
    for step in steps:
        child = _child(path, step.scope)
        if runs and child is not None and runs[-1][0] == child:
            runs[-1][1].append(step)
        else:
            runs.append((child, [step]))
    return runs


def _sorted(keys: list[object], groups: Mapping[object, list[Step]]) -> list[object] | None:
    """The groups in an order in which each needs only earlier ones; None when there is none."""
    home = {value: key for key in keys for step in groups[key] for value in step.results}
    needs = {
        key: {home[v] for step in groups[key] for v in step.inputs if v in home} - {key}
        for key in keys
    }
    waiting = {key: len(needed) for key, needed in needs.items()}
    feeds: dict[object, list[object]] = {}
    for key, needed in needs.items():
        for other in needed:
            feeds.setdefault(other, []).append(key)
    position = {key: index for index, key in enumerate(keys)}
    ready = [position[key] for key in keys if not waiting[key]]
    heapq.heapify(ready)
    ordered = []
    while ready:
        key = keys[heapq.heappop(ready)]
        ordered.append(key)
        for fed in feeds.get(key, ()):
            waiting[fed] -= 1
            if not waiting[fed]:
                heapq.heappush(ready, position[fed])
    return ordered if len(ordered) == len(keys) else None


def _child(path: str, scope: str) -> str | None:
    """The child of `path` that a scope is in, or is; None when it is `path` itself."""
    if scope == path:
        return None
    start = len(path) + 1 if path else 0
    end = scope.find(".", start)
    return scope if end < 0 else scope[:end]
