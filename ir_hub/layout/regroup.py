"""Changes of shape, of values that are there in another order of axes.

A reshape takes groups of neighbouring axes to groups of neighbouring axes. Where the axes of each
group are neighbours in the other order too, and in the same order among themselves, the reshape
can be made there; its result is then there in another order as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from ir_hub.ir.dims import Dim, ExpressionTooLarge
from ir_hub.ir.graph import Argument, Node, Value
from ir_hub.ir.types import Shape
from ir_hub.layout.held import one_open, shape_of
from ir_hub.layout.permutations import Perm, permuted, permuted_type
from ir_hub.ops.op import OPS
from ir_hub.ops.shape_rules import axis_of

RESHAPES = frozenset({"reshape", "flatten", "squeeze", "unsqueeze"})


@dataclass(frozen=True)
class Group:
    """Axes of an operand, and the axes of the result that have just their elements. Axes of size
    1 are in no group: they can be anywhere."""

    before: Perm
    after: Perm


def groups(before: Shape, after: Shape) -> list[Group]:
    """The smallest groups that a reshape takes to groups, as far as they are provably such."""
    old = [axis for axis, size in enumerate(before) if size != 1]
    new = [axis for axis, size in enumerate(after) if size != 1]
    found: list[Group] = []
    start_old = start_new = 0
    try:
        ends = {product: count for count, product in enumerate(_products(before, old), 1)}
        for count, product in enumerate(_products(after, new), 1):
            end = ends.get(product, 0)
            if end > start_old:
                found.append(Group(tuple(old[start_old:end]), tuple(new[start_new:count])))
                start_old, start_new = end, count
    except ExpressionTooLarge:
        pass
    if start_old < len(old) or start_new < len(new):
        found.append(Group(tuple(old[start_old:]), tuple(new[start_new:])))
    return found


def result_order(parts: list[Group], shape: Shape, perm: Perm, after: Shape) -> Perm | None:
    """How the result is transposed when the operand, of this shape, is transposed by `perm`;
    None where the operand's groups aren't together in that order."""
    moved = [axis for axis in perm if shape[axis] != 1]
    by_first = {part.before[0]: part for part in parts if part.before}
    if len(by_first) < len(parts):
        return None
    order: list[int] = []
    while moved:
        part = by_first.get(moved[0])
        if part is None or tuple(moved[: len(part.before)]) != part.before:
            return None
        order += part.after
        moved = moved[len(part.before) :]
    return _with_ones(order, after)


def reshaped_args(node: Node, have: Perm, order: Perm) -> tuple[str, dict[str, Argument]] | None:
    """The op and the arguments, but for x, of the reshape of the operand in the order `have` that
    gives the result in `order`: preferably the op of the source. None where no literal says it."""
    wanted = permuted(shape_of(node.result), order)
    for op, given in _candidates(node, have, order, wanted):
        if _gives(node, have, op, given, wanted):
            return op, given
    return None


def _candidates(
    node: Node, have: Perm, order: Perm, wanted: Shape
) -> list[tuple[str, dict[str, Argument]]]:
    own = {name: argument for name, argument in node.args.items() if name != "x"}
    if any(isinstance(argument, Value) for argument in own.values()):
        return []  # sizes that only the run knows
    found = [(node.op, own)]
    axes = own.get("axes")
    if isinstance(axes, tuple):
        rank = len(order) if node.op == "unsqueeze" else len(have)
        places = order if node.op == "unsqueeze" else have
        numbers = (places.index(axis_of(axis, rank)) for axis in axes if isinstance(axis, int))
        found.append((node.op, {"axes": tuple(sorted(numbers))}))
    if 0 not in wanted:
        shapes = (one_open(wanted), wanted)
        found += [("reshape", {"shape": shape, "allow_zero": False}) for shape in shapes]
    return found


def _gives(node: Node, have: Perm, op: str, given: dict[str, Argument], wanted: Shape) -> bool:
    """Whether a reshape of the operand in the order `have` has the wanted shape; its elements
    are in row-major order in any case."""
    x = permuted_type(node.x.type, have)
    rule = OPS[op].shape_rule
    assert rule is not None
    tensors = [given[name] for name in ("shape", "axes") if name in given]
    literals = {name: given[name] for name in ("axis", "allow_zero") if name in given}
    try:
        shape = rule(x, *tensors, **literals)
    except (ValueError, ExpressionTooLarge):
        return False
    return bool(shape == wanted)


def _products(shape: Shape, axes: list[int]) -> list[Dim]:
    """The product of the sizes up to each axis."""
    found: list[Dim] = []
    total: Dim = 1
    for axis in axes:
        total = total * shape[axis]
        found.append(total)
    return found


def _with_ones(order: list[int], shape: Shape) -> Perm:
    """The order with the axes of size 1, each behind the axis that it is written behind."""
    found = list(order)
    for axis, size in enumerate(shape):
        if size == 1 and axis not in found:
            place = found.index(axis - 1) + 1 if axis else 0
            found.insert(place, axis)
    return tuple(found)
