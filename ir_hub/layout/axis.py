"""What becomes of the arguments of an op along axes when its operand comes transposed."""

from __future__ import annotations

from ir_hub.ir.graph import Argument, Node, Value
from ir_hub.layout.permutations import Perm, identity, without
from ir_hub.ops.op import OPS, Kind
from ir_hub.ops.shape_rules import axis_of

_PAIRED = ("starts", "shape")  # sizes that go with `axes`, one for each
_EVERY = ("repeats", "shape")  # sizes that, where there are no `axes`, go with the last axes


def operand_names(node: Node) -> list[str]:
    """The arguments that are tensors."""
    params = OPS[node.op].params.values()
    return [param.name for param in params if param.kind in (Kind.TENSOR, Kind.TENSORS)]


def remapped(node: Node, perm: Perm) -> tuple[dict[str, Argument], Perm] | None:
    """The arguments of a node whose first operand is transposed by `perm`, and how its results
    are; None where the node must have its operand as it was written."""
    args = dict(node.args)
    gone = _gone(node, len(perm))
    if gone is None or not _others_lie_along_one_axis(node):
        return None
    for name in args:
        if name == "axis" or name.endswith("_axis"):
            args[name] = _place(args[name], perm)
    changed = _with_axes(node, perm)
    return None if changed is None else ({**args, **changed}, without(perm, gone))


def along(node: Node, rank: int) -> int | None:
    """The one axis that a node works along, counted from the front; None where it has none, as a
    quantization by one scale, whose axis needn't be there."""
    axis = node.args.get("axis")
    return axis % rank if isinstance(axis, int) and -rank <= axis < rank else None


def _gone(node: Node, rank: int) -> tuple[int, ...] | None:
    """The axes that the results lack; None when that isn't known."""
    args = node.args
    if args.get("keepdims", True):
        return ()
    if "axis" in args:
        axis = along(node, rank)
        return None if axis is None else (axis,)
    axes = args["axes"]
    if axes is None or axes == ():
        return () if args.get("noop_with_empty_axes") else identity(rank)
    if not isinstance(axes, tuple):
        return None
    return tuple(axis_of(axis, rank) for axis in axes if isinstance(axis, int))


def _others_lie_along_one_axis(node: Node) -> bool:
    """Whether the operands beside the first are vectors or numbers: one with more axes lies along
    those of the first, and nothing here says how."""
    others = [node.args.get(name) for name in operand_names(node)[1:]]
    values = [value for value in others if value is not None]
    return all(isinstance(v, Value) and v.shape is not None and len(v.shape) <= 1 for v in values)


def _with_axes(node: Node, perm: Perm) -> dict[str, Argument] | None:
    """What changes in the arguments that have something for each of several axes."""
    args = node.args
    if "axes" not in args:
        name = next((name for name in _EVERY if name in args), None)
        return {} if name is None else _in_order(name, args[name], perm)
    axes = args["axes"]
    if isinstance(axes, Value):
        return None
    if axes is None and "pads" in args:
        return _pads_in_order(args["pads"], perm)
    sizes = next((args[name] for name in _PAIRED if name in args), None)
    if axes is None and sizes is not None:
        if not isinstance(sizes, tuple):
            return None
        axes = identity(len(sizes))
    if not isinstance(axes, tuple):
        return {}
    places = tuple(_place(axis, perm) for axis in axes)
    return {"axes": places if sizes is not None or "pads" in args else tuple(sorted(places))}


def _in_order(name: str, sizes: Argument, perm: Perm) -> dict[str, Argument] | None:
    if not isinstance(sizes, tuple) or len(sizes) > len(perm):
        return None
    every = (1,) * (len(perm) - len(sizes)) + sizes
    found: Argument = tuple(every[axis] for axis in perm)  # type: ignore[assignment]
    return {name: found}


def _pads_in_order(pads: Argument, perm: Perm) -> dict[str, Argument] | None:
    if not isinstance(pads, tuple) or len(pads) != 2 * len(perm):
        return None
    ends = tuple(axis + len(perm) for axis in perm)
    return {"pads": tuple(pads[place] for place in (*perm, *ends))}  # type: ignore[dict-item]


def _place(axis: Argument, perm: Perm) -> int:
    assert isinstance(axis, int)
    return perm.index(axis_of(axis, len(perm)))
