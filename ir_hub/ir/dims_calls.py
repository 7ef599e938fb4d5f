"""The calls within symbolic sizes: min and max in canonical form, and any call by its operator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ir_hub.ir.dims_bounds import interval
from ir_hub.ir.dims_expr import Dim, as_dim, call_of, floordiv, mod, sole_call
from ir_hub.ir.dims_poly import ExpressionTooLarge

MAX_OPERANDS = 32  # of one min or max


def minimum(*dims: Dim) -> Dim:
    """The smallest of one or more sizes."""
    return _extreme("min", dims)


def maximum(*dims: Dim) -> Dim:
    """The largest of one or more sizes."""
    return _extreme("max", dims)


_CALLS: Mapping[str, Callable[..., Dim]] = {
    "//": floordiv, "%": mod, "min": minimum, "max": maximum,
}  # fmt: skip


def apply(op: str, args: Iterable[Dim]) -> Dim:
    """The call `op` ("//", "%", "min" or "max") of `args`, in canonical form."""
    return _CALLS[op](*args)


def _extreme(op: str, dims: Iterable[Dim]) -> Dim:
    """min or max: flattened, without operands that another provably bounds."""
    flat: set[Dim] = set()
    for dim in dims:
        call = sole_call(dim, op)
        flat.update(call.args if call is not None else (as_dim(dim),))
        if len(flat) > MAX_OPERANDS:
            raise ExpressionTooLarge(f"{op} of over {MAX_OPERANDS} symbolic sizes")
    if not flat:
        raise ValueError(f"{op} of no sizes")
    kept: list[Dim] = []
    for dim in sorted(flat, key=lambda dim: (isinstance(dim, int), str(dim))):
        if any(_settles(op, other, dim) for other in kept):
            continue
        kept = [other for other in kept if not _settles(op, dim, other)]
        kept.append(dim)
    return kept[0] if len(kept) == 1 else call_of(op, *kept)


def _settles(op: str, winner: Dim, loser: Dim) -> bool:
    """Whether `winner` is at least as extreme as `loser` whatever the symbols' values."""
    difference = winner - loser if op == "max" else loser - winner
    return interval(difference, {})[0] >= 0
