"""Reads layers that reshape, reorder and join tensors."""

from __future__ import annotations

from functools import reduce

from adapters.tensorflow.reading import LayerCall, rank, reads
from ir_hub.ir.graph import Value


@reads("Reshape")
def _(layer: LayerCall) -> Value:
    return layer.b.reshape(layer.x, (0, *layer.get("target_shape")))  # type: ignore[no-any-return]


@reads("Flatten")
def _(layer: LayerCall) -> Value:
    x = layer.x
    if layer.get("data_format") == "channels_first" and rank(x) > 2:
        x = layer.b.transpose(x, perm=(0, *range(2, rank(x)), 1))
    return layer.b.flatten(x, axis=1)  # type: ignore[no-any-return]


@reads("Permute")
def _(layer: LayerCall) -> Value:
    return layer.b.transpose(layer.x, perm=(0, *layer.get("dims")))  # type: ignore[no-any-return]


@reads("RepeatVector")
def _(layer: LayerCall) -> Value:
    b = layer.b
    return b.tile(b.unsqueeze(layer.x, (1,)), (1, layer.get("n"), 1))  # type: ignore[no-any-return]


@reads("Concatenate")
def _(layer: LayerCall) -> Value:
    return layer.b.concat(layer.xs, axis=layer.get("axis", -1))  # type: ignore[no-any-return]


_JOINS = {"Add": "add", "Subtract": "sub", "Multiply": "mul", "Maximum": "maximum",
          "Minimum": "minimum", "Average": "add"}  # fmt: skip


@reads(*_JOINS)
def _(layer: LayerCall) -> Value:
    b, xs = layer.b, list(layer.xs)
    most = max(rank(x) for x in xs)
    # Keras puts the axes that a tensor lacks after that of the batch.
    xs = [b.unsqueeze(x, tuple(range(1, 1 + most - rank(x)))) if rank(x) < most else x for x in xs]
    y = reduce(lambda left, right: b.call(_JOINS[layer.type], left, right), xs)
    return b.div(y, float(len(xs))) if layer.type == "Average" else y  # type: ignore[no-any-return]


@reads("CustomScaleLayer")
def _(layer: LayerCall) -> Value:
    x, y = layer.xs
    return layer.b.add(x, layer.b.mul(y, float(layer.get("scale"))))  # type: ignore[no-any-return]


@reads("LayerScale")
def _(layer: LayerCall) -> Value:
    size = layer.get("projection_dim")
    layer.get("init_values")
    return layer.b.mul(layer.x, layer.weight("0", (size,), "gamma"))  # type: ignore[no-any-return]


@reads("Dot")
def _(layer: LayerCall) -> Value:
    b, (x, y) = layer.b, layer.xs
    axes = layer.get("axes")
    axes = (axes, axes) if isinstance(axes, int) else axes
    first, second = axes[0] % rank(x), axes[1] % rank(y)
    if layer.get("normalize"):
        x, y = b.lp_norm(x, axis=first), b.lp_norm(y, axis=second)
    if (rank(x), rank(y)) == (2, 2):
        return b.reduce_sum(b.mul(x, y), (1,), keepdims=True)  # type: ignore[no-any-return]
    if (rank(x), rank(y)) == (3, 3):
        x = b.transpose(x, perm=(0, 2, 1)) if first == 1 else x
        y = b.transpose(y, perm=(0, 2, 1)) if second == 2 else y
        return b.matmul(x, y)  # type: ignore[no-any-return]
    ours, theirs = "abcdefgh"[: rank(x)], "a" + "ijklmnop"[: rank(y) - 1]
    theirs = theirs.replace(theirs[second], ours[first])
    out = "".join(letter for letter in ours + theirs[1:] if letter != ours[first])
    return b.einsum((x, y), equation=f"{ours},{theirs}->{out}")  # type: ignore[no-any-return]
