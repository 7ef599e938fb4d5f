"""Transposes go last: what takes, drops or splits an axis of their result does it before them."""

from __future__ import annotations

from collections.abc import Sequence

from ir_hub.ir.dims import Dim, provably_equal
from ir_hub.ir.graph import Node, Value
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite


@rewrite("squeeze")
def squeeze_before_transpose(node: Node, index: Index, make: Maker) -> Instead:
    """squeeze(transpose(x)) is transpose(squeeze(x))."""
    turned = _transpose(node.x, index)
    if turned is None or not isinstance(node.axes, tuple):
        return None
    dropped = {turned.perm[axis] for axis in node.axes}
    return _turned(make, make.squeeze(turned.x, tuple(sorted(dropped))), turned.perm, dropped)


@rewrite("gather")
def gather_before_transpose(node: Node, index: Index, make: Maker) -> Instead:
    """One item of an axis of transpose(x) is one of the axis that it was in x."""
    turned = _transpose(node.x, index)
    if turned is None or node.indices.shape != () or node.indices.data is None:
        return None
    axis = turned.perm[node.axis]
    return _turned(make, make.gather(turned.x, node.indices, axis=axis), turned.perm, {axis})


@rewrite("reshape")
def split_before_transpose(node: Node, index: Index, make: Maker) -> Instead:
    """A reshape that only splits axes of transpose(x) can split those of x."""
    turned = _transpose(node.x, index)
    if turned is None or node.x.shape is None or node.result.shape is None:
        return None
    parts = split_axes(node.x.shape, node.result.shape)
    if parts is None or all(len(part) == 1 for part in parts):
        return None
    by_axis = dict(zip(turned.perm, parts, strict=True))
    shape = tuple(size for axis in sorted(by_axis) for size in by_axis[axis])
    starts, at = {}, 0
    for axis in sorted(by_axis):
        starts[axis] = at
        at += len(by_axis[axis])
    perm = tuple(starts[axis] + n for axis in turned.perm for n in range(len(by_axis[axis])))
    result: Value = make.transpose(make.reshape(turned.x, shape), perm=perm)
    return result


def split_axes(before: Sequence[Dim], after: Sequence[Dim]) -> list[tuple[Dim, ...]] | None:
    """The sizes that each axis is split into, where a reshape does no more than that; an axis of
    size 1 is a new one, and split off from none."""
    left, found = list(after), []
    for size in before:
        part: list[Dim] = []
        product: Dim = 1
        while not part or not provably_equal(product, size):
            if not left or (part and 1 in (left[0], product)):
                return None
            part.append(left.pop(0))
            product = product * part[-1]
        found.append(tuple(part))
    return None if left else found


def _transpose(value: Value, index: Index) -> Node | None:
    node = index.producer(value)
    return node if node is not None and node.op == "transpose" else None


def _turned(make: Maker, value: Value, perm: tuple[int, ...], dropped: set[int]) -> Value:
    """What is left of a transpose when axes of its operand are no longer there."""
    kept = [axis for axis in perm if axis not in dropped]
    rest: Value = make.transpose(value, perm=tuple(sorted(kept).index(axis) for axis in kept))
    return rest
