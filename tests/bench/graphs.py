"""Large graphs of spelled-out layers, to time recovery on."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ir_hub.ir.graph import Graph, Model
from ir_hub.ir.types import DType
from ir_hub.ops.trace import Term, Tracer

TOKENS, WIDTH, HEADS = 7, 24, 3


def transformer(nodes: int) -> Model:
    """At least `nodes` nodes: encoder blocks, down to the single multiplication."""
    return _repeated(nodes, _block)


def arithmetic(nodes: int) -> Model:
    """At least `nodes` nodes: sums and products of which many begin like a layer and none is."""
    return _repeated(nodes, _misses)


def _repeated(nodes: int, block: Callable[[Tracer, Term, np.random.Generator], Term]) -> Model:
    tracer, generator = Tracer(Graph()), np.random.default_rng(0)
    x = tracer.term(tracer.input("x", DType.FLOAT32, (2, TOKENS, WIDTH)))
    while len(tracer.graph.nodes) < nodes:
        x = block(tracer, x, generator)
    tracer.graph.outputs = [x.value]
    return Model(tracer.graph)


def _weight(tracer: Tracer, generator: np.random.Generator, *shape: int) -> Term:
    array = generator.standard_normal(shape).astype(np.float32)
    term: Term = tracer.term(tracer.constant(array, name="weight"))
    return term


def _linear(t: Tracer, x: Term, generator: np.random.Generator, outputs: int) -> Term:
    rows = int(x.value.shape[-1]) if x.value.shape else 0
    product: Term = t.matmul(x, _weight(t, generator, rows, outputs))
    return product + _weight(t, generator, outputs)


def _layer_norm(t: Tracer, x: Term, generator: np.random.Generator) -> Term:
    centred = x - t.reduce_mean(x, axes=(-1,))
    normal: Term = centred / t.sqrt(t.reduce_mean(centred**2, axes=(-1,)) + 1e-5)
    return normal * _weight(t, generator, WIDTH) + _weight(t, generator, WIDTH)


def _attention(t: Tracer, x: Term, generator: np.random.Generator) -> Term:
    def head(perm: tuple[int, ...]) -> Any:
        split = t.reshape(_linear(t, x, generator, WIDTH), (2, TOKENS, HEADS, WIDTH // HEADS))
        return t.transpose(split, perm=perm)

    scores = t.matmul(head((0, 2, 1, 3)), head((0, 2, 3, 1))) / math.sqrt(WIDTH // HEADS)
    mixed = t.matmul(t.softmax(scores, axis=-1), head((0, 2, 1, 3)))
    joined = t.reshape(t.transpose(mixed, perm=(0, 2, 1, 3)), (2, TOKENS, WIDTH))
    return _linear(t, joined, generator, WIDTH)


def _gelu(t: Tracer, x: Term) -> Term:
    inner: Term = t.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return 0.5 * x * (1 + inner)


def _block(t: Tracer, x: Term, generator: np.random.Generator) -> Term:
    x = x + _attention(t, _layer_norm(t, x, generator), generator)
    hidden = _linear(t, _layer_norm(t, x, generator), generator, 2 * WIDTH)
    return x + _linear(t, _gelu(t, hidden), generator, WIDTH)


def _misses(t: Tracer, x: Term, generator: np.random.Generator) -> Term:
    number = float(generator.uniform(0.1, 0.9))
    y: Term = number * x * (1 + t.tanh(0.7 * (x + 0.05 * x**3)))
    z: Term = (x - t.reduce_mean(y, axes=(-1,))) / t.sqrt(t.reduce_mean(y**2, axes=(-1,)) + number)
    gate: Term = t.sigmoid(y)
    product = y * z * gate
    return x + product + (z + 3) * number / 6
