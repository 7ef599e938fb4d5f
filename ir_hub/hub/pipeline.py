"""What the hub does to a graph: every pass of every stage, in the one order they run in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from ir_hub.ir.graph import Model
from ir_hub.ir.text import node_label
from ir_hub.layout.native import foreign_nodes
from ir_hub.layout.relay import relay as relay_axes
from ir_hub.recover import pipeline as recovery
from ir_hub.recover.blocks import name_blocks
from ir_hub.recover.joins import join_stepwise
from ir_hub.recover.structure import structure
from ir_hub.simplify.fold import fold, fold_all_but_weights
from ir_hub.simplify.lower import lower as lower_ops
from ir_hub.simplify.shapes import infer_shapes
from ir_hub.simplify.states import drop_zero_states

Pass = Callable[[Model], Model]

SIMPLIFY: Sequence[Pass] = (
    infer_shapes,  # sizes that follow from sizes become literals
    fold_all_but_weights,  # and what was computed to get there is constant now
    infer_shapes,  # which may be what another size follows from
    drop_zero_states,  # which sources spell out, and layers start from
    recovery.clean,  # transposes and reshapes that cancel
)

AFTER_RECOVER: Sequence[Pass] = (
    fold,  # what wasn't a part of anything
    infer_shapes,
    join_stepwise,  # so that what joins all that came before it looks alike everywhere
    name_blocks,  # layers whose names begin with the same number are a module
    structure,  # stretches that repeat are modules, where the source had none
)


def simplify(model: Model) -> Model:
    """Sizes, constants, and what only moves elements about."""
    for each in SIMPLIFY:
        model = each(model)
    return model


def recover(model: Model) -> Counter[str]:
    """What the source spelled out becomes what it meant; how many of each op that made."""
    _, made = recovery.recover(model)
    for each in AFTER_RECOVER:
        model = each(model)
    return made


def near_misses(model: Model) -> list[str]:
    """Where a rule of recover almost applied, and why it didn't, a line each."""
    return [
        f"{rule} almost applies at {node_label(node)}: {reason}"
        for rule, node, reason in recovery.explain(model)
    ]


def lower(model: Model, written: Collection[str]) -> Model:
    """Ops that the target lacks become simpler ones."""
    lower_ops(model, written)
    return infer_shapes(model)


def is_laid_out(model: Model, axes: Mapping[str, str]) -> bool:
    """Whether every op that the target orders the axes of has them in that order already."""
    return not foreign_nodes(model, axes)


def relay(model: Model, axes: Mapping[str, str]) -> Model:
    """Every op that names its axes gets the order that the target runs."""
    return infer_shapes(relay_axes(model, axes))


def count(model: Model) -> dict[str, int]:
    """How many nodes there are, those in bodies too, and how many of them are transposes."""
    ops = count_ops(model)
    return {"nodes": sum(ops.values()), "transposes": ops.get("transpose", 0)}


def count_ops(model: Model) -> dict[str, int]:
    """How many nodes there are of each op, the most frequent first."""
    return dict(Counter(node.op for node in model.graph.walk()).most_common())


def count_parameters(model: Model) -> int:
    """Elements of all weights: of the constants that aren't mere numbers."""
    shapes = [v.data.shape for v in model.graph.constants() if v.data and v.data.dtype.is_float]
    return sum(math.prod(shape) for shape in shapes if math.prod(shape) > 1)
