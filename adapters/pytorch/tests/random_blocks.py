"""Random models of blocks that come again, as exporters leave them: with scopes or without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from adapters.pytorch.tests.random_graphs import BATCH, Random
from ir_hub.ir.graph import Model, Value
from ir_hub.ir.types import DType

LEAVES = ["forward", "train", "class", "self", "weight", "scale", "value"]


@st.composite
def repeated(draw: Callable[..., Any], scoped: bool) -> Model:
    """A model of a few blocks that come again and again, of other widths, with other numbers."""
    r = Random(draw)
    x = r.b.input("x", DType.FLOAT64, (BATCH, 4))
    recipes = [[r.one_of(LINES) for _ in range(r.number(2, 7))] for _ in range(r.number(1, 2))]
    classes = {}
    for index in range(r.number(3, 7)):
        number = r.number(0, len(recipes) - 1)
        if scoped:
            r.b.scope = r.one_of([f"blocks.{index}", f"{LEAVES[index]}", f"stage{number}.b"])
            classes[r.b.scope] = r.one_of([f"Block{number}", "Block"])
        x = _block(r, recipes[number], x)
        r.b.scope = ""
    r.b.graph.outputs = [x]
    return Model(r.b.graph, classes)


def _block(r: Random, recipe: list[Callable[..., Value]], x: Value) -> Value:
    """One block: of a width and numbers of its own, or of those of the last one."""
    width = r.one_of([2, 4, 6])
    values = [r.layer(x, width)]
    for line in recipe:
        values.append(line(r, values, width))
    return r.b.add(values[-1], values[0])


def _several(r: Random, *usual: float) -> float:
    return r.one_of([*usual[:1] * 3, *usual])


LINES = [
    lambda r, vs, w: r.layer(r.b.relu(r.layer(vs[-1], 2 * w)), w),
    lambda r, vs, w: r.layer(vs[-1], w),
    lambda r, vs, w: r.b.linear(vs[-1], r.weight(w, w)),
    lambda r, vs, w: r.b.layer_norm(vs[-1], r.weight(w), r.weight(w), eps=_several(r, 1e-5, 0.1)),
    lambda r, vs, w: r.b.mul(vs[-1], r.b.constant(np.float64(_several(r, 0.5, 2.5, -1.5, 0.25)))),
    lambda r, vs, w: r.b.sub(float(_several(r, 1, 2, -1)), r.b.tanh(vs[-1])),
    lambda r, vs, w: r.b.mul(vs[-1], r.weight(w)),
    lambda r, vs, w: r.b.add(r.weight(w), vs[-1]),
    lambda r, vs, w: r.b.clip(vs[-1], _several(r, -1.0, -0.5), _several(r, 1.0, 0.5)),
    lambda r, vs, w: r.b.sub(vs[0], vs[-1]),
    lambda r, vs, w: r.b.sub(vs[-1], r.b.sub(vs[0], vs[len(vs) // 2])),
    lambda r, vs, w: r.b.leaky_relu(vs[-1], alpha=_several(r, 0.01, 0.2, 0.3)),
    lambda r, vs, w: r.b.reshape(r.b.sigmoid(r.b.reshape(vs[-1], (BATCH, 2, w // 2))), (BATCH, w)),
    lambda r, vs, w: r.b.reshape(r.b.softmax(r.b.reshape(vs[-1], (BATCH * w, 1)), axis=0), (-1, w)),
    lambda r, vs, w: r.b.concat(
        (r.b.slice(vs[-1], (w // 2,), (w,), (1,)), r.b.slice(vs[0], (0,), (w // 2,), (1,))), axis=1
    ),
    lambda r, vs, w: r.b.mul(vs[-1], vs[-1]),
    lambda r, vs, w: r.b.expand(r.b.reduce_mean(vs[-1], (1,)), (BATCH, w)),
]
