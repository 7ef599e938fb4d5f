"""Random graphs of ops that code is written of, with random trees of scopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import ir_hub.ops.catalogue  # noqa: F401 (the builder calls the ops that it registers)
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder

BATCH = symbol("N")
SPATIAL = 4  # the height and width of every image
CLASSES = ["", "", "torchvision.ops.Block", "Block", "nn.Sequential", "torch.nn.ModuleList",
           "class", "nn", "OrderedDict", "Model", 'x"); import os #', "1st"]  # fmt: skip
LEAVES = ["a", "b", "0", "1", "2", "forward", "train", "class", "self", "weight", "scale", "x",
          "value", "append", "Ünïcode", "a-b", "a b", 'x"); import os #', "{0}",
          "block1"]  # fmt: skip


class Random:
    """A graph under construction: images [N, C, 4, 4] and rows [N, C] that are at hand."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.b = Builder()
        self.rng = np.random.default_rng(draw(st.integers(0, 99)))
        self.kept: list[Value] = []  # constants that may be used again
        self.layers: dict[tuple[int, int], tuple[Value, Value]] = {}  # by what they take and give
        self.values: list[Value] = []

    def number(self, low: int, high: int) -> int:
        found: int = self.draw(st.integers(low, high))
        return found

    def one_of(self, items: Any) -> Any:
        return self.draw(st.sampled_from(items))

    def weight(self, *shape: int, positive: bool = False) -> Value:
        """A constant: often a new one, now and then one that is used already."""
        fits = [v for v in self.kept if v.shape == shape]
        if fits and not positive and self.number(0, 2) == 0:
            return self.one_of(fits)
        array = self.rng.uniform(0.2 if positive else -0.6, 0.8, shape)
        name = self.one_of(["constant", "a.weight", "a.b.weight", "running_thing", "w{0}", ""])
        made = self.b.constant(array.astype(np.float64), name=name)
        if not positive:
            self.kept.append(made)
        return made

    def layer(self, x: Value, width: int) -> Value:
        """A linear layer: a new one, or one that is used already."""
        shape = (width, self.channels(x))
        if shape not in self.layers or self.number(0, 3):
            self.layers[shape] = self.weight(*shape), self.weight(width)
        found: Value = self.b.linear(x, *self.layers[shape])
        return found

    def scalar(self) -> Value:
        number = self.one_of([-2.5, -1.0, 0.1, 0.5, 1.0, 2.0, 3.0])
        shape: Any = self.one_of([(), (1,)])
        return self.b.constant(np.full(shape, number, np.float64))

    def value(self, rank: int = 0) -> Value:
        """A value at hand, rather a recent one."""
        fits = [v for v in self.values if rank in (0, len(v.shape or ()))]
        if not fits:
            return self.b.reshape(self.value(), (-1, 4)) if rank == 2 else self.image()
        return fits[-1 - self.number(0, min(3, len(fits) - 1))]

    def image(self) -> Value:
        rows = self.value(2)
        spread = self.b.unsqueeze(rows, (2, 3))
        return self.b.expand(spread, (BATCH, self.channels(rows), SPATIAL, SPATIAL))

    def like(self, x: Value) -> Value:
        """A value of the same shape, perhaps itself."""
        return self.one_of([v for v in self.values if v.shape == x.shape] or [x])

    @staticmethod
    def channels(x: Value) -> int:
        size = (x.shape or ())[1]
        assert isinstance(size, int)
        return size


def conv(r: Random) -> Value:
    x, width = r.value(4), r.number(1, 4)
    kernel = r.one_of([1, 3])
    bias = r.weight(width) if r.number(0, 1) else None
    pads = ((kernel // 2,) * 2,) * 2
    weight = r.weight(width, r.channels(x), kernel, kernel)
    return r.b.conv(x, weight, bias, strides=(1, 1), pads=pads, dilations=(1, 1))


def linear(r: Random) -> Value:
    return r.layer(r.value(2), r.number(1, 4))


def batch_norm(r: Random) -> Value:
    x = r.value(4)
    width = r.channels(x)
    var = r.weight(width, positive=True)
    return r.b.batch_norm(x, *(r.weight(width) for _ in range(3)), var, eps=r.one_of([1e-5, 1e-3]))


def layer_norm(r: Random) -> Value:
    x = r.value(2)
    width = r.channels(x)
    return r.b.layer_norm(x, r.weight(width), r.weight(width), eps=r.one_of([1e-5, 1e-2]))


def activation(r: Random) -> Value:
    op = r.one_of(["relu", "sigmoid", "tanh", "silu", "gelu", "relu6", "hard_swish", "neg", "abs"])
    return r.b.call(op, r.value())


def pool(r: Random) -> Value:
    sizes = {"kernel": (3, 3), "strides": (1, 1), "pads": ((1, 1),) * 2, "dilations": (1, 1)}
    return r.b.max_pool(r.value(4), **sizes)


def binary(r: Random) -> Value:
    x = r.value()
    return r.b.call(r.one_of(["add", "sub", "mul"]), *r.one_of([(x, r.like(x)), (r.like(x), x)]))


def with_constant(r: Random) -> Value:
    x = r.value()
    shape = (r.channels(x), *(1,) * (len(x.shape or ()) - 2))
    other = r.weight(*shape) if r.number(0, 2) else r.scalar()
    op = r.one_of(["add", "sub", "mul"])
    return r.b.call(op, *r.one_of([(x, other), (other, x)]))


def square(r: Random) -> Value:
    return r.b.pow(r.b.tanh(r.value()), r.b.constant(np.float64(2.0)))


def choice(r: Random) -> Value:
    x = r.value()
    y = r.like(x)
    return r.b.where(r.b.less(x, y), x, y)


def clip(r: Random) -> Value:
    return r.b.clip(r.value(), -0.5, r.one_of([0.5, 1.5]))


def concat(r: Random) -> Value:
    x = r.value()
    fits = [v for v in r.values if v.shape == x.shape] or [x]
    return r.b.concat((x, r.one_of(fits)), axis=1) if r.channels(x) < 9 else x


def split(r: Random) -> Any:
    x = r.value()
    width = r.channels(x)
    if width < 2:
        return x
    first = r.number(1, width - 1)
    return r.b.split(x, (first, width - first), axis=1, count=2)


def top_k(r: Random) -> Any:
    return r.b.top_k(r.value(2), (1,), axis=1)[0]


def through_rows(r: Random) -> Value:
    """To rows and back: sizes with a symbol, one of them computed."""
    x = r.value(4)
    width = r.channels(x)
    rows = r.b.reshape(x, (BATCH * width, SPATIAL * SPATIAL))
    return r.b.reshape(r.b.tanh(rows), (BATCH, width, SPATIAL, SPATIAL))


def pooled(r: Random) -> Value:
    x = r.value(4)
    return r.b.reshape(r.b.global_avg_pool(x), (BATCH, r.channels(x)))


ACTIONS = [conv, linear, batch_norm, layer_norm, activation, pool, binary, binary, with_constant,
           with_constant, square, choice, clip, concat, split, top_k, through_rows,
           pooled]  # fmt: skip


@st.composite
def models(draw: Callable[..., Any]) -> Model:
    """A model with scopes, of 5 to 40 ops."""
    r = Random(draw)
    for index in range(r.number(1, 2)):
        name = r.one_of(
            ["x", "input.1", "torch", "min", "math", "", "class", 'a"); b #', "forward"]
        )
        shape = (BATCH, 3, SPATIAL, SPATIAL) if index == 0 else (BATCH, 4)
        r.values.append(r.b.input(name, DType.FLOAT64, shape))
    scopes = _scopes(r)
    for _ in range(r.number(5, 40)):
        if r.number(0, 2) == 0:
            r.b.scope = r.one_of(scopes)
        made = r.one_of(ACTIONS)(r)
        r.values += made if isinstance(made, tuple) else (made,)
    last = r.values[-1 - r.number(0, 1) :]
    more = [r.one_of(r.values + r.kept) for _ in range(r.number(0, 2))]
    r.b.graph.outputs = [*last, *more]
    r.b.graph.prune()
    return Model(r.b.graph, {scope: r.one_of(CLASSES) for scope in scopes})


def _scopes(r: Random) -> list[str]:
    """Paths of a few scopes, some inside others."""
    found = [""]
    for _ in range(r.number(0, 8)):
        outer = r.one_of(found)
        leaf = r.one_of(LEAVES)
        found.append(f"{outer}.{leaf}" if outer else leaf)
    return found
