"""Gives nodes that need an open size a tensor that shows it: Gluon code can't ask for shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adapters.mxnet.gluon import known
from ir_hub.ir.dims import Dim, symbols_of
from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.ir.types import DType

_SPREADING = ("expand", "constant_of_shape", "positions")
_PREFIX = "shown_"


def show_sizes(graph: Graph) -> None:
    """Adds an operand to each node that spreads over an open size: an input of the graph that has
    this size along an axis. Adds an image of the wanted size to each node that resizes to one."""
    shown: dict[Dim, Value] = {}
    images: dict[tuple[Dim, ...], Value] = {}
    for value in graph.inputs:
        for size in value.shape or ():
            shown.setdefault(size, value)
        _add_image(images, value)
    for node in graph.nodes:
        if node.op == "resize" and node.result.shape is not None:
            like = images.get(node.result.shape[2:])
            node.args.update({f"{_PREFIX}0": like} if like is not None else {})
        if node.op in _SPREADING:
            wanted = [s for s in node.result.shape or () if not isinstance(s, int) and s in shown]
            node.args.update(
                (f"{_PREFIX}{i}", shown[s]) for i, s in enumerate(dict.fromkeys(wanted))
            )
        for value in node.results:
            _add_image(images, value)


def _add_image(images: dict[tuple[Dim, ...], Value], value: Value) -> None:
    """Notes an image by its height and width, one of which is open."""
    size = value.shape[2:] if value.shape is not None and len(value.shape) == 4 else ()
    if value.dtype is DType.FLOAT32 and not all(isinstance(s, int) for s in size):
        images.setdefault(size, value)


def spread(
    node: Node, text: str, own: tuple[Dim, ...], shape: tuple[Dim, ...], texts: Mapping[Value, str]
) -> str:
    """Code of a tensor of the sizes `own` in a shape with as many axes; `texts` are the node's
    operands as code. Unsupported when no operand shows an open size."""
    numbers = tuple(
        b if isinstance(b, int) and a != b else 0 for a, b in zip(own, shape, strict=True)
    )
    if any(numbers):
        text = f"F.broadcast_to({text}, shape={numbers!r})"
    for axis, (a, b) in enumerate(zip(own, shape, strict=True)):
        if a == b or isinstance(b, int):
            continue
        like = next((v for v in carriers(node) if b in (v.shape or ())), None)
        known(like is not None, f"it spreads over the open size {b}, which no input shows")
        assert like is not None
        assert like.shape is not None
        given = (
            texts[like]
            if like.dtype is node.result.dtype
            else f'{texts[like]}.astype("{node.result.dtype!r}")'
        )
        place = like.shape.index(b)
        text = f"F.broadcast_like({text}, {given}, lhs_axes=({axis},), rhs_axes=({place},))"
    return text


def advised(node: Node | None, graph: Graph) -> str:
    """What to do about a node that can't be said because sizes of it are open; "" if no input has
    these. None: any node."""
    names = sorted(_symbols(graph.inputs))
    if node is not None:
        own = _symbols([*(value for _, value in node.operands()), *node.results])
        names = [name for name in names if name in own]
    given = ",".join(f"{name}=NUMBER" for name in names)
    return f". Give its open sizes numbers: the option sizes={given}" if names else ""


def _symbols(values: Iterable[Value]) -> set[str]:
    """The names that the sizes of values have in them."""
    return {name for value in values for size in value.shape or () for name in symbols_of(size)}


def carriers(node: Node) -> list[Value]:
    """The operands that were added to a node."""
    found = [argument for name, argument in node.args.items() if name.startswith(_PREFIX)]
    return [value for value in found if isinstance(value, Value)]
