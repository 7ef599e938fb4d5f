"""Numbers that the caller gives for open sizes, where a framework can't leave them open."""

from __future__ import annotations

from ir_hub.ir.dims import symbols_of
from ir_hub.ir.graph import Model
from ir_hub.sdk.adapter import Option
from ir_hub.sdk.errors import BadRequest, Problem

SIZES = Option(
    "emit",
    "sizes",
    "Numbers for open sizes that can't be left open, such as height=224,width=224.",
)


def read_sizes(text: str, model: Model) -> dict[str, int]:
    """Sizes by the names of the model's symbols, from "height=224,width=224".

    Raises:
        BadRequest: it is something else, or names a size that the model's inputs don't have.
    """
    sizes = {}
    shapes = (value.shape or () for value in model.graph.inputs)
    known = {name for shape in shapes for size in shape for name in symbols_of(size)}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if not (number.isascii() and number.isdigit() and 0 < int(number[:10]) < 2**31):
            raise _bad(f"{part[:100]!r} isn't a size: write name=number, such as height=224")
        if name not in known:
            has = ", ".join(sorted(known)) or "none"
            raise _bad(f"the inputs have no open size {name[:100]!r}; they have: {has}")
        sizes[name] = int(number)
    return sizes


def _bad(message: str) -> BadRequest:
    return BadRequest(message, [Problem("options.sizes", message)])
