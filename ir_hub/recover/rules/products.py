"""Products of matrices that sources write around other shapes."""

from __future__ import annotations

import math

from ir_hub.ir.graph import Node, Value, constant
from ir_hub.ir.tensor import reshaped
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite


@rewrite("reshape")
def linear_of_rows(node: Node, index: Index, make: Maker) -> Instead:
    """A dense layer of the rows of x, put into another shape, is one of x in that shape."""
    linear = index.producer(node.x)
    rows = None if linear is None or linear.op != "linear" else index.producer(linear.x)
    if linear is None or rows is None or rows.op not in ("reshape", "flatten"):
        return None
    out, width = linear.weight.shape
    shape = node.result.shape or ()
    if len(linear.x.shape or ()) != 2 or len(shape) < 3 or shape[-1] != out:
        return None
    x = make.reshape(rows.x, (*shape[:-1], width))
    result: Value = make.append("linear", {**linear.args, "x": x}).result
    return result


@rewrite("add")
def bias_of_parts(node: Node, index: Index, make: Maker) -> Instead:
    """A constant that is added behind a reshape which parts the last axis of a dense layer's
    result, one number for each of its elements, is its bias."""
    for parted, other in ((node.x, node.y), (node.y, node.x)):
        reshape = index.producer(parted)
        linear = index.producer(reshape.x) if reshape and reshape.op == "reshape" else None
        if reshape is None or linear is None or linear.op != "linear" or linear.bias is not None:
            continue
        outputs, shape = linear.weight.shape[0], parted.shape or ()
        size = len(other.data.shape) if other.data is not None else 0
        leading = (linear.result.shape or ())[:-1]
        if not size or shape != (*leading, *other.shape) or other.array().size != outputs:
            continue
        bias = make.constant(other.array().reshape(-1), name=other.name)
        whole = make.append("linear", {**linear.args, "bias": bias}).result
        result: Value = make.append("reshape", {**reshape.args, "x": whole}).result
        return result
    return None


@rewrite("einsum")
def batched_matmul(node: Node, index: Index, make: Maker) -> Instead:
    """A sum over one axis of two stacks of matrices is matmul of them."""
    terms, _, result = node.equation.replace(" ", "").partition("->")
    left, comma, right = terms.partition(",")
    if not comma or "," in right or "." in terms or not result or len(node.xs) != 2:
        return None
    if any(len(set(term)) < len(term) for term in (left, right, result)):
        return None
    stack = [letter for letter in result if letter in left and letter in right]
    summed = [letter for letter in left if letter in right and letter not in result]
    rows = [letter for letter in left if letter not in right]
    columns = [letter for letter in right if letter not in left]
    if not stack or not len(summed) == len(rows) == len(columns) == 1:
        return None
    if sorted(result) != sorted([*stack, *rows, *columns]):
        return None
    x = _ordered(make, node.xs[0], left, [*stack, *rows, *summed])
    y = _ordered(make, node.xs[1], right, [*stack, *summed, *columns])
    return _ordered(make, make.matmul(x, y), [*stack, *rows, *columns], list(result))


@rewrite("einsum")
def linear_of_einsum(node: Node, index: Index, make: Maker) -> Instead:
    """A sum over the last axes of x and the first ones of a constant is a dense layer."""
    terms, _, result = node.equation.replace(" ", "").partition("->")
    left, comma, right = terms.partition(",")
    if not comma or "," in right or "." in terms or len(node.xs) != 2:
        return None
    x, weight = node.xs
    summed = "".join(letter for letter in right if letter not in result)
    kept, made = left[: len(left) - len(summed)], right[len(summed) :]
    whole = summed and kept and made and len({*left, *right}) == len(kept + summed + made)
    if not whole or (left, right, result) != (kept + summed, summed + made, kept + made):
        return None
    if weight.data is None or len(weight.data.shape) < 2:
        return None
    sizes = weight.data.shape
    inputs, outputs = math.prod(sizes[: len(summed)]), math.prod(sizes[len(summed) :])
    matrix = constant(reshaped(weight.data, (inputs, outputs)).permuted((1, 0)), weight.name)
    same = (0,) * len(kept)
    rows = x if len(summed) == 1 else make.reshape(x, (*same, inputs))
    y = make.linear(rows, matrix)
    return y if len(made) == 1 else make.reshape(y, (*same, *sizes[len(summed) :]))


def _ordered(make: Maker, x: Value, letters: str | list[str], wanted: list[str]) -> Value:
    """A tensor with its axes, which are called by letters, in another order."""
    perm = tuple(letters.index(letter) for letter in wanted)
    in_order = perm == tuple(range(len(perm)))
    return x if in_order else make.transpose(x, perm=perm)
