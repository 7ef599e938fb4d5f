"""Products of matrices that sources write around other shapes."""

from __future__ import annotations

from ir_hub.ir.graph import Node, Value
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite


@rewrite("reshape")
def linear_of_rows(node: Node, index: Index, make: Maker) -> Instead:
    """A dense layer of the rows of x, put back in the shape of x, is one of x."""
    linear = index.producer(node.x)
    rows = None if linear is None or linear.op != "linear" else index.producer(linear.x)
    if linear is None or rows is None or rows.op != "reshape" or rows.x.shape is None:
        return None
    if len(linear.x.shape or ()) != 2 or linear.x.shape[-1] != rows.x.shape[-1]:
        return None
    result: Value = make.append("linear", {**linear.args, "x": rows.x}).result
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


def _ordered(make: Maker, x: Value, letters: str | list[str], wanted: list[str]) -> Value:
    """A tensor with its axes, which are called by letters, in another order."""
    perm = tuple(letters.index(letter) for letter in wanted)
    in_order = perm == tuple(range(len(perm)))
    return x if in_order else make.transpose(x, perm=perm)
