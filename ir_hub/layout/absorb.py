"""Linear layers that read flattened features take them in any order: their weight is rearranged.

Channels-last features flatten in another order than channels-first ones. Where nothing but linear
layers with constant weights reads them, the columns of the weights are put in that order instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ir_hub.ir.graph import Node, Value, constant
from ir_hub.ir.tensor import Tensor, reshaped
from ir_hub.ir.types import Shape
from ir_hub.layout.permutations import Perm, identity
from ir_hub.layout.regroup import Group
from ir_hub.ops.op import OPS, Layout

Users = Mapping[Value, list[Node]]


@dataclass(frozen=True)
class Scrambled:
    """The last axis of a value is made of axes of these sizes; they come in another order."""

    sizes: tuple[int, ...]
    order: Perm


def scrambled(parts: list[Group], before: Shape, perm: Perm, after: Shape) -> Scrambled | None:
    """What is different where an operand in the order `perm` is reshaped as if it were as
    written; None unless just the last axis of the result is made of axes in another order."""
    last = parts[-1]
    if not last.before:  # what isn't provably made of any axis
        return None
    moved = [axis for axis in perm if before[axis] != 1]
    leading = [axis for part in parts[:-1] for axis in part.before]
    inner = moved[len(leading) :]
    sizes = tuple(before[axis] for axis in last.before)
    if moved[: len(leading)] != leading or last.after != (len(after) - 1,):
        return None
    static = tuple(size for size in sizes if isinstance(size, int))
    if len(static) < len(sizes):
        return None
    return Scrambled(static, tuple(last.before.index(axis) for axis in inner))


def absorb(value: Value, how: Scrambled, users: Users, outputs: list[Value]) -> bool:
    """Rearranges the weights of the linear layers that read a value, so that they may get it
    scrambled; False, and nothing is changed, where something else reads it too."""
    layers = _layers(value, users, outputs)
    if not layers:
        return False
    made: dict[tuple[Value, int], Value] = {}
    for node in layers:
        name, axis = _weight_of(node)
        weight: Value = node.args[name]  # type: ignore[assignment]
        assert weight.data is not None
        if (weight, axis) not in made:
            made[weight, axis] = constant(_rearranged(weight.data, axis, how), weight.name)
        node.args[name] = made[weight, axis]
    return True


def _layers(value: Value, users: Users, outputs: list[Value]) -> list[Node]:
    """The linear layers that are all that reads a value, perhaps through activations; empty
    where there is something else."""
    found: list[Node] = []
    pending = [value]
    while pending:
        read = pending.pop()
        readers = users.get(read, [])
        if read in outputs or not readers:
            return []
        for node in readers:
            if _is_layer_of(node, read):
                found.append(node)
            elif _is_pointwise(node, read):
                pending.append(node.result)
            else:
                return []
    return found


def _is_pointwise(node: Node, x: Value) -> bool:
    """Whether each element of the result depends on one element of x and on nothing else."""
    if node.op not in OPS or OPS[node.op].layout is not Layout.ELEMENTWISE:
        return False
    others = [value for _, value in node.operands() if value is not x]
    return node.result.shape == x.shape and all(_is_number(value) for value in others)


def _is_number(value: Value) -> bool:
    return value.shape is not None and all(size == 1 for size in value.shape)


def _is_layer_of(node: Node, x: Value) -> bool:
    if node.op not in _LAYERS:
        return False
    operands = [value for _, value in node.operands()]
    name, _ = _weight_of(node)
    weight = node.args[name]
    return (
        operands[0] is x
        and operands.count(x) == 1
        and isinstance(weight, Value)
        and weight.data is not None
        and len(weight.data.shape) == 2
        and not node.args.get("trans_a", False)
    )


def _weight_of(node: Node) -> tuple[str, int]:
    """The argument that is the weight, and which axis of it goes with the last one of x."""
    return _LAYERS[node.op](node)


_LAYERS: dict[str, Callable[[Node], tuple[str, int]]] = {
    "linear": lambda node: ("weight", 1),
    "matmul": lambda node: ("y", 0),
    "gemm": lambda node: ("b", 1 if node.trans_b else 0),
}


def _rearranged(weight: Tensor, axis: int, how: Scrambled) -> Tensor:
    """The weight with the elements along an axis in the order that they will come in."""
    shape, count = weight.shape, len(how.sizes)
    split = reshaped(weight, (*shape[:axis], *how.sizes, *shape[axis + 1 :]))
    inner = tuple(axis + place for place in how.order)
    rank = len(split.shape)
    order = (*identity(axis), *inner, *range(axis + count, rank))
    return reshaped(split.permuted(order), shape)
