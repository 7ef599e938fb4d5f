"""Joining, cutting, reversing and padding along axes."""

from __future__ import annotations

from typing import Any

from adapters.pytorch.dialect import Draft, pytorch
from ir_hub.codegen.draft import expression
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node, Value
from ir_hub.sdk.operands import known_sizes, only, rank_of

_PAD_MODES = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}


@pytorch.write("concat")
def _(node: Node) -> Expr:
    holes = ", ".join(f"{{{i}}}" for i in range(len(node.xs)))
    comma = "," if len(node.xs) == 1 else ""
    return Expr(f"torch.cat(({holes}{comma}), {{axis}})", list(node.xs), {"axis": node.axis})


@pytorch.write("split")
def _(node: Node) -> Expr:
    draft = Draft()
    x, count = draft.tensor(node.x), len(node.results)
    last = "[0]" if count == 1 else ""
    size = node.x.shape[node.axis] if node.x.shape is not None else None
    axis = draft.literal(node.axis, "axis")
    if node.sizes is not None:
        return draft.done(f"{x}.split({draft.sizes(node.sizes)}, {axis}){last}")
    if isinstance(size, int) and size % count:
        chunk = -(-size // count)
        sizes = (*(chunk,) * (count - 1), size - chunk * (count - 1))
        return draft.done(f"{x}.split({draft.sizes(sizes)}, {axis}){last}")
    return draft.done(f"{x}.chunk({count}, {axis}){last}")


@pytorch.write("slice")
def _(node: Node) -> Expr:
    parts = (node.starts, node.ends, node.axes, node.steps)
    draft = Draft()
    x = draft.tensor(node.x)
    if any(isinstance(part, Value) and not part.is_constant for part in parts):
        given = ", ".join("None" if part is None else draft.sizes(part) for part in parts)
        return draft.done(f"_slice({x}, {given})")
    rank, axes = rank_of(node.x), node.axes
    starts, ends = known_sizes(node.starts, ""), known_sizes(node.ends, "")
    axes = tuple(range(len(starts))) if axes is None else known_sizes(axes, "")
    steps = (1,) * len(axes) if node.steps is None else known_sizes(node.steps, "")
    only(all(isinstance(step, int) for step in steps), "its steps are open")
    pieces, backward = [":"] * rank, []
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        axis %= rank
        if step < 0:
            start, end = _turned(node, axis, start, end)
            backward.append(axis)
        low = "" if start == 0 else draft.literal(start, "start")
        high = "" if isinstance(end, int) and end >= 2**31 - 1 else draft.literal(end, "end")
        pieces[axis] = f"{low}:{high}" + (f":{abs(step)}" if abs(step) != 1 else "")
    turned = f".flip({draft.literal(tuple(backward), 'axes')})" if backward else ""
    return draft.done(x + turned + _indexed(pieces))


def _indexed(pieces: list[str]) -> str:
    """Slices along all axes as an index, without those that take all."""
    if all(piece == ":" for piece in pieces):
        return ""
    rank = len(pieces)
    while pieces[-1] == ":":
        pieces.pop()
    first = next(i for i, piece in enumerate(pieces) if piece != ":")
    rest = pieces[first:] if first > 1 and len(pieces) == rank else pieces
    return f"[{', '.join(['...', *rest] if rest is not pieces else pieces)}]"


def _turned(node: Node, axis: int, start: Any, end: Any) -> tuple[Any, Any]:
    """Where a slice that steps backwards starts and ends in the reversed axis."""
    size = node.x.shape[axis]
    if isinstance(start, int) and start in (-1, 2**31 - 1, 2**63 - 1) and end < -(2**31) + 2:
        return 0, 2**63 - 1
    known = all(isinstance(n, int) for n in (size, start, end))
    only(known, "it steps backwards from an open size")
    first, last, _ = slice(start, end, -1).indices(size)
    return size - 1 - first, max(size - 1 - last, 0)


@pytorch.write("reverse")
def _(node: Node) -> Expr:
    return expression("{0}.flip({axes})")(node)


@pytorch.write("pad")
def _(node: Node) -> Expr:
    draft = Draft()
    x = draft.tensor(node.x)
    dynamic = any(isinstance(a, Value) and not a.is_constant for a in (node.pads, node.axes))
    if dynamic:
        axes = "None" if node.axes is None else draft.sizes(node.axes, "axes")
        widths = f"_pad_widths({x}.dim(), {draft.sizes(node.pads, 'pads')}, {axes})"
    else:
        pairs = _pad_pairs(node)
        flat = tuple(width for pair in reversed(pairs) for width in pair)
        while len(flat) > 2 and flat[-2:] == (0, 0):
            flat = flat[:-2]
        widths = draft.sizes(flat, "pads")
    if node.mode != "constant" and not dynamic and _fits_pad(node, flat):
        return draft.done(f'F.pad({x}, {widths}, mode="{_PAD_MODES[node.mode]}")')
    if node.mode != "constant":
        return draft.done(f"_pad({x}, {widths}, {draft.literal(node.mode, 'mode')})")
    none = node.value is None or node.value.scalar in (0, False)
    value = "" if none else f", value={draft.number(node.value)}"
    return draft.done(f"F.pad({x}, {widths}{value})")


def _fits_pad(node: Node, flat: tuple[Any, ...]) -> bool:
    """Whether F.pad repeats elements along these axes: of floats, the last ones, outwards."""
    axes, rank = len(flat) // 2, rank_of(node.x)
    sizes = (node.x.shape or ())[::-1]
    known = all(isinstance(n, int) for n in (*flat, *sizes[:axes]))
    outwards = known and all(0 <= n < sizes[place // 2] for place, n in enumerate(flat))
    floats = node.x.dtype is not None and node.x.dtype.is_float
    return outwards and floats and axes <= 3 and rank - axes in (1, 2)


def _pad_pairs(node: Node) -> list[tuple[Any, Any]]:
    """What is added before and after along every axis."""
    rank, pads = rank_of(node.x), known_sizes(node.pads, "")
    axes = tuple(range(rank)) if node.axes is None else known_sizes(node.axes, "")
    pairs: list[tuple[Any, Any]] = [(0, 0)] * rank
    for axis, before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        pairs[axis % rank] = before, after
    return pairs


@pytorch.write("center_crop_pad")
def _(node: Node) -> Expr:
    rank = rank_of(node.x)
    axes = tuple(range(rank)) if node.axes is None else tuple(axis % rank for axis in node.axes)
    draft = Draft()
    x, shape = draft.tensor(node.x), draft.sizes(node.shape, "shape")
    return draft.done(f"_center_crop_pad({x}, {shape}, {draft.literal(axes, 'axes')})")
