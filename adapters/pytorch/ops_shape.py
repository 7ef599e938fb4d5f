"""Reshaping, slicing, joining, indexing."""

from __future__ import annotations

import math
from typing import Any

from adapters.pytorch.dialect import only, pytorch, rank_of, rows
from ir_hub.codegen.spelling import Code, Expr
from ir_hub.ir.dims import Expr as Size
from ir_hub.ir.dims import divide_exactly
from ir_hub.ir.graph import Node

rows(
    {
        "transpose": "{0}.permute({*perm})",
        "flatten": "{0}.flatten({axis})",
    }
)


@pytorch.write("reshape")
def _(node: Node) -> Expr:
    only(isinstance(node.shape, tuple), "its shape is computed by the model")
    target = node.result.shape
    only(target is not None, "its result's rank isn't known")
    return Expr("{0}.reshape({*shape})", [node.x], {"shape": with_rest(node, target)})


def with_rest(node: Node, target: tuple[Any, ...]) -> tuple[Any, ...]:
    """The target with -1 for one open size, as a person would write it: the one that no axis of
    the operand has, if any."""
    open_axes = [axis for axis, size in enumerate(target) if isinstance(size, Size)]
    if not open_axes or any(size == 0 for size in target):
        return target
    own = node.x.shape or ()
    foreign = [axis for axis in open_axes if target[axis] not in own]
    rest = foreign[-1] if foreign else open_axes[0] if len(open_axes) == 1 else open_axes[-1]
    others = math.prod(size for axis, size in enumerate(target) if axis != rest)
    if divide_exactly(math.prod(own), others) is None:
        return target
    return tuple(-1 if axis == rest else size for axis, size in enumerate(target))


@pytorch.write("squeeze")
def _(node: Node) -> Expr:
    if node.axes is None:
        return Expr("{0}.squeeze()", [node.x])
    only(isinstance(node.axes, tuple), "its axes are computed by the model")
    axes = node.axes if len(node.axes) != 1 else node.axes[0]
    return Expr("{0}.squeeze({axes})", [node.x], {"axes": axes})


@pytorch.write("unsqueeze")
def _(node: Node) -> Expr:
    only(isinstance(node.axes, tuple), "its axes are computed by the model")
    rank = rank_of(node.x) + len(node.axes)
    text = "{0}"
    for axis in sorted(axis % rank for axis in node.axes):
        text += f".unsqueeze({axis})"
    return Expr(text, [node.x])


@pytorch.write("concat")
def _(node: Node) -> Expr:
    holes = ", ".join(f"{{{i}}}" for i in range(len(node.xs)))
    comma = "," if len(node.xs) == 1 else ""
    return Expr(f"torch.cat(({holes}{comma}), {{axis}})", list(node.xs), {"axis": node.axis})


@pytorch.write("slice")
def _(node: Node) -> Expr:
    parts = (node.starts, node.ends, node.axes or (), node.steps or ())
    only(all(isinstance(part, tuple) for part in parts), "its bounds are computed by the model")
    rank = rank_of(node.x)
    axes = node.axes or tuple(range(len(node.starts)))
    steps = node.steps or (1,) * len(axes)
    only(all(isinstance(step, int) and step > 0 for step in steps), "it steps backwards")
    pieces = [":"] * rank
    literals: dict[str, Any] = {}
    for index, (axis, start, end, step) in enumerate(
        zip(axes, node.starts, node.ends, steps, strict=True)
    ):
        low = "" if start == 0 else f"{{start_{index}}}"
        high = "" if isinstance(end, int) and end >= 2**31 - 1 else f"{{end_{index}}}"
        pieces[axis % rank] = f"{low}:{high}" + (f":{step}" if step != 1 else "")
        literals |= {f"start_{index}": start, f"end_{index}": end}
    while len(pieces) > 1 and pieces[-1] == ":":
        pieces.pop()
    used = {name: item for name, item in literals.items() if f"{{{name}}}" in "".join(pieces)}
    return Expr(f"{{0}}[{', '.join(pieces)}]", [node.x], used)


@pytorch.write("gather")
def _(node: Node) -> Expr:
    index = node.indices.scalar
    rank = rank_of(node.x)
    axis = node.axis % rank
    if index is not None and node.indices.shape == ():
        return Expr("{0}.select({axis}, {index})", [node.x], {"axis": axis, "index": index})
    colons = ":, " * axis
    return Expr(f"{{0}}[{colons}{{1}}]", [node.x, node.indices])


@pytorch.write("expand")
def _(node: Node) -> Expr:
    only(isinstance(node.shape, tuple), "its shape is computed by the model")
    only(node.result.shape is not None, "its result's rank isn't known")
    return Expr("{0}.expand({*shape})", [node.x], {"shape": node.result.shape})


@pytorch.write("shape_of")
def _(node: Node) -> Expr:
    text = "torch.tensor({0}.shape[{start}:{end}])"
    literals = {"start": node.start, "end": Code("") if node.end is None else node.end}
    return Expr(text, [node.x], literals)
