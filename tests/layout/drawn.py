"""Random graphs, as parsers of channels-first and channels-last frameworks might give them."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from ir_hub.ir.dims import Dim, substitute, symbol
from ir_hub.ir.graph import Graph, Value
from ir_hub.ops.build import Builder
from ir_hub.ops.op import DType

BATCH = symbol("n")


class Drawing:
    """A graph that grows by random ops; `pool` has all values so far."""

    def __init__(self, shape: tuple[Dim, ...], seed: int) -> None:
        self.choice = random.Random(seed)
        self.random = np.random.default_rng(seed)
        self.b = Builder()
        self.pool = [self.b.input("x", DType.FLOAT64, shape)]

    def weights(self, *shape: int) -> Value:
        return self.b.constant(self.random.uniform(0.5, 1.5, shape))

    def one_of(self, *items: Any) -> Any:
        return self.choice.choice(items)

    def grow(self) -> None:
        """One more op, if the one drawn fits the value drawn."""
        step = self.one_of(*STEPS)
        x = self.one_of(self.pool[-1], self.pool[-1], *self.pool)
        made = step(self, x)
        if made is not None and 0 < math.prod(sizes(made)) < 2000:
            self.pool.append(made)

    def axis(self, x: Value) -> int:
        rank = len(x.shape)
        return self.choice.randint(-rank, rank - 1)

    def known_axis(self, x: Value) -> int | None:
        """An axis whose size is a number."""
        known = [axis for axis, size in enumerate(x.shape) if isinstance(size, int)]
        return self.one_of(*known) if known else None


def sizes(value: Value) -> tuple[int, ...]:
    """The sizes for a batch of three."""
    return tuple(substitute(size, {"n": 3}) for size in value.shape)


def graph(shape: tuple[Dim, ...], steps: int, seed: int) -> Graph:
    """A random graph with one input, whose outputs are all that nothing in it reads; with fewer
    steps the same but for its end."""
    drawing = Drawing(shape, seed)
    for _ in range(steps):
        drawing.grow()
    made = drawing.b.graph
    read = made.users()
    made.outputs = [value for value in drawing.pool if value not in read]
    made.prune()
    return made


def _unary(d: Drawing, x: Value) -> Value:
    return d.b.call(d.one_of("relu", "neg", "sigmoid", "identity"), x)


def _transpose(d: Drawing, x: Value) -> Value:
    return d.b.transpose(x, perm=tuple(d.choice.sample(range(len(x.shape)), len(x.shape))))


def _add(d: Drawing, x: Value) -> Value | None:
    y = d.one_of(*d.pool)
    try:
        np.broadcast_shapes(sizes(x), sizes(y))
    except (ValueError, TypeError):
        return None
    return d.b.call(d.one_of("add", "mul", "maximum"), x, y)


def _add_constant(d: Drawing, x: Value) -> Value:
    kept = d.choice.randint(0, len(x.shape))
    kept_sizes = x.shape[len(x.shape) - kept :]
    shape = [d.one_of(1, s) if isinstance(s, int) else 1 for s in kept_sizes]
    operands = (x, d.weights(*shape)) if d.one_of(True, False) else (d.weights(*shape), x)
    return d.b.call(d.one_of("add", "sub", "mul"), *operands)


def _conv(d: Drawing, x: Value) -> Value | None:
    spatial = len(x.shape) - 2
    if spatial < 1:
        return None
    axes, channels = d.one_of(
        ("NC*,OI*->NC*", x.shape[1]), ("N*C,*IO->N*C", x.shape[-1]), ("N*C,O*I->NC*", x.shape[-1])
    )
    if not isinstance(channels, int):
        return None
    each = {"O": (d.one_of(channels, 2),), "I": (channels,), "*": (1,) * (spatial - 1) + (3,)}
    shape = [n for letter in axes.split(",")[1].split("-")[0] for n in each[letter]]
    pads = ((0, 0),) * (spatial - 1) + ((1, 1),)
    bias = d.one_of(None, d.weights(*each["O"]))
    one = (1,) * spatial
    return d.b.conv(x, d.weights(*shape), bias, strides=one, pads=pads, dilations=one, axes=axes)


def _pool(d: Drawing, x: Value) -> Value | None:
    spatial = len(x.shape) - 2
    if spatial < 1:
        return None
    axes = d.one_of("NC*->NC*", "N*C->N*C")
    if d.one_of(True, False):
        return d.b.global_avg_pool(x, axes=axes)
    one = (1,) * spatial
    return d.b.max_pool(
        x, kernel=(2,) * spatial, strides=one, pads=((1, 0),) * spatial, dilations=one, axes=axes
    )


def _batch_norm(d: Drawing, x: Value) -> Value | None:
    axis = d.known_axis(x)
    if axis is None:
        return None
    size = x.shape[axis]
    vectors = [d.weights(size) for _ in range(4)]
    return d.b.batch_norm(x, *vectors, axis=d.one_of(axis, axis - len(x.shape)))


def _softmax(d: Drawing, x: Value) -> Value | None:
    return d.b.softmax(x, axis=d.axis(x)) if x.shape else None


def _reduce(d: Drawing, x: Value) -> Value | None:
    rank = len(x.shape)
    axes = tuple(d.choice.sample(range(rank), d.choice.randint(0, rank)))
    keepdims, noop = d.one_of(True, False), d.one_of(True, False)
    return d.b.reduce_mean(x, d.one_of(axes, None), keepdims=keepdims, noop_with_empty_axes=noop)


def _arg_max(d: Drawing, x: Value) -> Value | None:
    if not x.shape:
        return None
    found = d.b.arg_max(x, axis=d.axis(x), keepdims=d.one_of(True, False))
    return d.b.cast(found, to=DType.FLOAT64)


def _concat(d: Drawing, x: Value) -> Value | None:
    axis = d.known_axis(x)
    if axis is None:
        return None
    others = [v for v in d.pool if v.shape == x.shape]
    if all(isinstance(size, int) for size in x.shape):
        others.append(d.weights(*x.shape))
    return d.b.concat((x, d.one_of(*others)), axis=axis)


def _split(d: Drawing, x: Value) -> Value | None:
    axis = d.known_axis(x)
    if axis is None or x.shape[axis] < 2:
        return None
    parts = d.b.split(x, (1, x.shape[axis] - 1), axis=axis, count=2)
    d.pool.append(parts[0])
    return parts[1]


def _slice(d: Drawing, x: Value) -> Value | None:
    if not x.shape:
        return None
    if d.one_of(True, False):
        count = d.choice.randint(1, len(x.shape))
        return d.b.slice(x, (0,) * count, (2**31 - 1,) * (count - 1) + (-1,))
    return d.b.slice(x, (-1,), (-(2**40),), (d.axis(x),), (-1,))


def _pad(d: Drawing, x: Value) -> Value | None:
    rank = len(x.shape)
    if not rank:
        return None
    pads = tuple(d.choice.choices((0, 1), k=2 * rank))
    if d.one_of(True, False):
        return d.b.pad(x, pads, d.weights())
    return d.b.pad(x, (1, 0), None, (d.axis(x),), mode="edge")


def _tile(d: Drawing, x: Value) -> Value:
    return d.b.tile(x, tuple(d.one_of(1, 1, 2) for _ in x.shape))


def _expand(d: Drawing, x: Value) -> Value:
    shape = [d.one_of(1, 3) if size == 1 else 1 for size in x.shape]
    return d.b.expand(x, tuple(shape[d.choice.randint(0, len(shape)) :]))


def _crop(d: Drawing, x: Value) -> Value | None:
    if not x.shape:
        return None
    if d.one_of(True, False):
        return d.b.center_crop_pad(x, tuple(d.one_of(2, 3) for _ in x.shape))
    return d.b.center_crop_pad(x, (2,), axes=(d.axis(x),))


def _reverse_sequence(d: Drawing, x: Value) -> Value | None:
    batch = d.known_axis(x)
    if batch is None or len(x.shape) < 2:
        return None
    time = d.one_of(*(axis for axis in range(len(x.shape)) if axis != batch))
    lengths = d.b.constant(np.ones(x.shape[batch], np.int64))
    return d.b.reverse_sequence(x, lengths, batch_axis=batch, time_axis=time)


def _quantize(d: Drawing, x: Value) -> Value | None:
    axis = d.known_axis(x)
    if axis is None:
        return None
    blocks = list(x.shape)
    if d.one_of(True, False) or not all(isinstance(size, int) for size in blocks):
        scale, block_size = d.weights(x.shape[axis]), 0
    else:
        blocks[axis], block_size = (blocks[axis] + 1) // 2, 2
        scale = d.weights(*blocks)
    y = d.b.quantize_linear(x, scale, axis=axis, block_size=block_size, output_dtype=DType.INT8)
    return d.b.dequantize_linear(
        y, scale, axis=axis, block_size=block_size, output_dtype=DType.FLOAT64
    )


def _batch_norm_training(d: Drawing, x: Value) -> Value | None:
    axis = d.known_axis(x)
    if axis is None:
        return None
    vectors = [d.weights(x.shape[axis]) for _ in range(4)]
    results = d.b.batch_norm_training(x, *vectors, axis=axis)
    d.pool.append(results[1])
    return results[0]


def _image_op(d: Drawing, x: Value) -> Value | None:
    if len(x.shape) != 4:
        return None
    order, axes = d.one_of((1, "NC*->NC*"), (3, "N*C->N*C"), (3, "N*C->NC*"))
    channels = x.shape[order]
    if not isinstance(channels, int):
        return None
    calls = [
        lambda: d.b.lrn(x, size=2, axes=axes),
        lambda: d.b.instance_norm(x, d.weights(channels), d.weights(channels), axes=axes),
        lambda: d.b.group_norm(
            x, d.weights(channels), d.weights(channels), groups=channels, axes=axes
        ),
    ]
    if isinstance(x.shape[0], int):
        grid = d.weights(x.shape[0], 2, 3, 2)
        calls.append(lambda: d.b.grid_sample(x, grid, axes=axes))
    if channels % 4 == 0:
        calls.append(lambda: d.b.depth_to_space(x, block=2, axes=axes))
    spatial = [size for axis, size in enumerate(x.shape) if axis not in (0, order)]
    if all(isinstance(size, int) and size % 2 == 0 for size in spatial):
        calls.append(lambda: d.b.space_to_depth(x, block=2, axes=axes))
    return d.one_of(*calls)()


def _squeeze(d: Drawing, x: Value) -> Value:
    axes = tuple(axis for axis, size in enumerate(x.shape) if size == 1)
    return d.b.squeeze(x, axes) if axes else d.b.unsqueeze(x, (d.choice.randint(0, len(x.shape)),))


def _merge(d: Drawing, x: Value) -> Value | None:
    rank = len(x.shape)
    if rank < 2:
        return None
    axis = d.choice.randint(0, rank - 2)
    shape = list(x.shape)
    shape[axis : axis + 2] = [-1]
    return d.b.reshape(x, tuple(shape)) if sum(s == -1 for s in shape) == 1 else None


def _divide(d: Drawing, x: Value) -> Value | None:
    even = [a for a, s in enumerate(x.shape) if isinstance(s, int) and s % 2 == 0 and s]
    if not even or len(x.shape) > 4:
        return None
    axis = d.one_of(*even)
    shape = (*x.shape[:axis], 2, x.shape[axis] // 2, *x.shape[axis + 1 :])
    return d.b.reshape(x, shape)


def _dense(d: Drawing, x: Value) -> Value | None:
    if len(x.shape) < 3 or not all(isinstance(size, int) for size in x.shape[1:]):
        return None
    flat = d.b.flatten(x)
    flat = d.one_of(lambda: flat, lambda: d.b.relu(flat))()
    size, outputs = flat.shape[1], 3
    call = d.one_of(
        lambda: d.b.linear(flat, d.weights(outputs, size), d.weights(outputs)),
        lambda: d.b.matmul(flat, d.weights(size, outputs)),
        lambda: d.b.gemm(flat, d.weights(outputs, size), trans_b=True),
    )
    return call()


def _shape_of(d: Drawing, x: Value) -> Value:
    return d.b.cast(d.b.shape_of(x, start=d.one_of(0, 1)), to=DType.FLOAT64)


def _layer_norm(d: Drawing, x: Value) -> Value | None:
    return d.b.layer_norm(x, axis=-1) if x.shape else None


STEPS = (
    _unary, _transpose, _add, _add_constant, _conv, _conv, _conv, _pool, _batch_norm, _softmax,
    _reduce, _arg_max, _concat, _split, _slice, _pad, _tile, _squeeze, _merge, _divide, _dense,
    _shape_of, _layer_norm, _expand, _crop, _reverse_sequence, _quantize, _batch_norm_training,
    _image_op, _image_op,
   
)  # fmt: skip
