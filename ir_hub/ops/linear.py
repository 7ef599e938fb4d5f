"""Matrix products, and what is made of them: linear layers, embeddings."""

from __future__ import annotations

import re

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.types import Shape
from ir_hub.ops.families import Ranked
from ir_hub.ops.op import Array, Arrays, op
from ir_hub.ops.precision import keeps_float_type
from ir_hub.ops.shape_rules import broadcast
from ir_hub.ops.trace import Term, Tracer


def matmul_shape(x: Shape, y: Shape) -> Shape:
    """The shape of NumPy's matmul.

    Raises:
        ValueError: an operand is a scalar, or known inner sizes differ.
    """
    if not x or not y:
        raise ValueError("matmul of a scalar")
    inner = x[-1], y[-2] if len(y) > 1 else y[0]
    if all(isinstance(size, int) for size in inner) and inner[0] != inner[1]:
        raise ValueError(f"matmul of {list(map(str, x))} and {list(map(str, y))}")
    rows: Shape = x[-2:-1]
    columns: Shape = y[-1:] if len(y) > 1 else ()
    return *broadcast(x[:-2], y[:-2]), *rows, *columns


@op(shape=lambda x, y: matmul_shape(x.shape, y.shape))
@keeps_float_type
def matmul(x: Array, y: Array) -> Array:
    """NumPy's matmul: products of the last two axes, the others broadcast."""
    return np.matmul(x, y)


def _gemm_shape(
    a: Ranked,
    b: Ranked,
    c: Ranked | None = None,
    *,
    trans_a: bool = False,
    trans_b: bool = False,
    **_: object,
) -> Shape:
    left, right = a.shape, b.shape
    return matmul_shape(left[::-1] if trans_a else left, right[::-1] if trans_b else right)


@op(shape=_gemm_shape)
@keeps_float_type
def gemm(
    a: Array,
    b: Array,
    c: Array | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    trans_a: bool = False,
    trans_b: bool = False,
) -> Array:
    """alpha * a @ b + beta * c of matrices, a and b perhaps transposed; c broadcasts."""
    y = np.matmul(a.T if trans_a else a, b.T if trans_b else b)
    if alpha != 1:
        y = (y * alpha).astype(a.dtype)
    if c is not None:
        y = y + (c if beta == 1 else (c * beta).astype(a.dtype))
    return y


def _linear_shape(x: Ranked, weight: Ranked, bias: Ranked | None = None) -> Shape:
    return matmul_shape(x.shape, weight.shape[::-1])


@op(shape=_linear_shape)
@keeps_float_type
def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """x @ weight.T + bias over the last axis of x; the weight is (out, in)."""
    y = np.matmul(x, weight.T)
    return y if bias is None else y + bias


@linear.spelled
def _(b: Tracer, x: Term, weight: Term, bias: Term | None) -> Term:
    y: Term = b.matmul(x, b.transpose(weight, perm=(1, 0)))
    return y if bias is None else y + bias


def _einsum_shape(xs: tuple[Ranked, ...], *, equation: str) -> Shape:
    terms, result = _einsum_terms(equation)
    sizes: dict[str, list[Dim]] = {}
    leading: list[Shape] = []
    for term, x in zip(terms, xs, strict=True):
        shape = x.shape
        before, dots, after = term.partition("...")
        if len(before + after) > len(shape) or (not dots and len(term) != len(shape)):
            raise ValueError(f"einsum {equation!r}: {term!r} doesn't fit rank {len(shape)}")
        end = len(shape) - len(after)
        leading.append(shape[len(before) : end])
        named = zip(before + after, shape[: len(before)] + shape[end:], strict=True)
        for letter, size in named:
            sizes.setdefault(letter, []).append(size)
    before, dots, after = result.partition("...")
    middle = broadcast(*leading) if dots else ()
    one_of = {letter: broadcast(*((size,) for size in each))[0] for letter, each in sizes.items()}
    return *(one_of[i] for i in before), *middle, *(one_of[i] for i in after)


def _einsum_terms(equation: str) -> tuple[list[str], str]:
    """The operands' terms and the result's; without an arrow, the letters that occur once."""
    left, arrow, result = re.sub(r"\s", "", equation).partition("->")
    terms = left.split(",")
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
        result = ("..." if "..." in left else "") + "".join(once)
    return terms, result


@op(shape=_einsum_shape)
@keeps_float_type
def einsum(xs: Arrays, *, equation: str) -> Array:
    """Einstein's summation, as np.einsum."""
    return np.asarray(np.einsum(equation, *xs, optimize=len(xs) > 2))


def _embedding_shape(indices: Ranked, weight: Ranked) -> Shape:
    return *indices.shape, *weight.shape[1:]


@op(dtypes=("weight",), shape=_embedding_shape)
def embedding(indices: Array, weight: Array) -> Array:
    """The rows of the weight (n, dim) that the indices name."""
    return weight[indices]


@embedding.spelled
def _(b: Tracer, indices: Term, weight: Term) -> Term:
    return b.gather(weight, indices, axis=0)
