"""Reads layers that multiply by a matrix, or look up its rows."""

from __future__ import annotations

import math
from typing import Any

from adapters.tensorflow.read_activation import activated
from adapters.tensorflow.reading import LayerCall, permuted, rank, reads, reshaped
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.sdk.dialect import Unsupported


@reads("Dense")
def _(layer: LayerCall) -> Value:
    x, units = layer.x, layer.get("units")
    size = x.shape[-1] if x.shape and isinstance(x.shape[-1], int) else None
    weight = permuted(layer.weight("0", (size, units)), (1, 0))
    bias = layer.weight("1", (units,)) if layer.get("use_bias", True) else None
    return activated(layer.b, layer.b.linear(x, weight, bias), layer.get("activation"))


@reads("EinsumDense")
def _(layer: LayerCall) -> Value:
    x, equation = layer.x, str(layer.get("equation"))
    layer.get("output_shape")
    ours, theirs, out = _letters(equation, rank(x))
    sizes: dict[str, Any] = dict(zip(ours, x.shape or (), strict=True))
    kernel = layer.weight("0", tuple(_known(sizes.get(letter)) for letter in theirs))
    sizes |= dict(zip(theirs, kernel.shape or (), strict=True))
    biased = layer.get("bias_axes") or ""
    bias = None
    if biased:
        bias = layer.weight("1", tuple(_known(sizes[letter]) for letter in biased))
    found = _by_matrix(layer, x, kernel, bias, (ours, theirs, out), biased)
    if found is None:
        found = layer.b.einsum((x, kernel), equation=f"{ours},{theirs}->{out}")
        if bias is not None:
            shape = [sizes[letter] if letter in biased else 1 for letter in out]
            found = layer.b.add(found, reshaped(bias, tuple(map(int, shape))))
    return activated(layer.b, found, layer.get("activation"))


def _letters(equation: str, axes: int) -> tuple[str, str, str]:
    """The letters of the input, of the kernel and of the result; those that "..." stands for too.

    Raises:
        Unsupported: the equation is none.
    """
    left, _, out = equation.replace(" ", "").partition("->")
    ours, _, theirs = left.partition(",")
    free = [letter for letter in "ABCDEFGH" if letter not in equation]
    rest = "".join(free[: max(axes - len(ours.replace("...", "")), 0)])
    found = tuple(part.replace("...", rest) for part in (ours, theirs, out))
    if len(found[0]) != axes or not all(part.isalpha() for part in found):
        raise Unsupported(f"its equation {equation[:60]!r}")
    return found


def _by_matrix(
    layer: LayerCall,
    x: Value,
    kernel: Value,
    bias: Value | None,
    letters: tuple[str, str, str],
    biased: str,
) -> Value | None:
    """The product as that of a matrix, if the last axes of the input are those that it sums."""
    ours, theirs, out = letters
    summed = "".join(letter for letter in theirs if letter not in out)
    made = theirs[len(summed) :]
    kept = ours[: len(ours) - len(summed)]
    plain = theirs == summed + made and ours == kept + summed and out == kept + made
    if not summed or not made or not plain or (bias is not None and biased != made):
        return None
    b, shape = layer.b, [int(size) for size in kernel.shape or ()]  # type: ignore[arg-type]
    inputs, outputs = math.prod(shape[: len(summed)]), math.prod(shape[len(summed) :])
    zeros = (0,) * len(kept)
    if len(summed) > 1:
        x = b.reshape(x, (*zeros, inputs))
    weight = permuted(reshaped(kernel, (inputs, outputs)), (1, 0))
    flat = None if bias is None else reshaped(bias, (outputs,))
    y = b.linear(x, weight, flat)
    return b.reshape(y, (*zeros, *shape[len(summed) :])) if len(made) > 1 else y  # type: ignore[no-any-return]


def _known(size: Any) -> int | None:
    return size if isinstance(size, int) else None


@reads("Embedding")
def _(layer: LayerCall) -> Value:
    _check_mask(layer)
    b, places = layer.b, layer.x
    if places.dtype not in (None, DType.INT32, DType.INT64):
        places = b.cast(places, to=DType.INT32)
    weight = layer.weight("0", (layer.get("input_dim"), layer.get("output_dim")))
    return b.embedding(places, weight)  # type: ignore[no-any-return]


def _check_mask(layer: LayerCall) -> None:
    if layer.get("mask_zero"):
        raise Unsupported("it hides zeros from the layers after it (mask_zero)")


@reads("ReversibleEmbedding")
def _(layer: LayerCall) -> Value:
    b, reverse = layer.b, bool(layer.argument("reverse"))
    _check_mask(layer)
    for name in ("reverse_dtype", "logit_soft_cap"):
        layer.get(name)
    if layer.config.get("reverse_dtype") or layer.config.get("logit_soft_cap"):
        raise Unsupported("it limits what it gives, or has a type of its own for that")
    rows, size = layer.get("input_dim"), layer.get("output_dim")
    weight = layer.weight("0", (rows, size), "embeddings")
    if not layer.get("tie_weights", True):
        other = layer.weight("1", (size, rows), "reverse_embeddings")
        weight = permuted(other, (1, 0)) if reverse else weight
    return b.linear(layer.x, weight, None) if reverse else b.embedding(layer.x, weight)  # type: ignore[no-any-return]
