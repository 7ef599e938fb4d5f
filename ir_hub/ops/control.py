"""Branches and loops; their bodies are graphs that may read the values around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ir_hub.ir.dims import Dim, symbols_of
from ir_hub.ir.graph import Graph, Value
from ir_hub.ir.types import TensorType
from ir_hub.ops.op import Array, Arrays, Body, op

OpenType = TensorType | None


def _outer_symbols(body: Graph) -> frozenset[str]:
    """The symbols that mean something outside of a body: those of what it takes from there."""
    shapes = (value.shape for value in (*body.captures(), *body.inputs) if value.shape)
    return frozenset().union(*(symbols_of(size) for shape in shapes for size in shape))


def _outside(value: Value, known: frozenset[str]) -> OpenType:
    """A body's result as it is seen outside: sizes that only the body knows become None."""
    if value.type is None or value.type.shape is None:
        return value.type
    sizes = (size if symbols_of(size) <= known else None for size in value.type.shape)
    return value.type.with_shape(tuple(sizes))  # type: ignore[arg-type]


def _either(left: OpenType, right: OpenType) -> OpenType:
    """The type of what has one of two types; sizes that differ become None.

    Raises:
        ValueError: the elements are of different types.
    """
    if left is None or right is None:
        return None
    if left.dtype != right.dtype:
        raise ValueError(f"a value cannot be both {left} and {right}")
    if left.shape is None or right.shape is None or len(left.shape) != len(right.shape):
        return left.with_shape(None)
    pairs = zip(left.shape, right.shape, strict=True)
    return left.with_shape(tuple(a if a == b else None for a, b in pairs))  # type: ignore[misc]


def _branch_types(condition: OpenType, then_branch: Graph, else_branch: Graph) -> list[OpenType]:
    left = [_outside(value, _outer_symbols(then_branch)) for value in then_branch.outputs]
    right = [_outside(value, _outer_symbols(else_branch)) for value in else_branch.outputs]
    if len(left) != len(right):
        raise ValueError(f"branches with {len(left)} and {len(right)} results")
    return [_either(a, b) for a, b in zip(left, right, strict=True)]


@op(results=lambda args: len(args["then_branch"].outputs), types=_branch_types)
def if_(condition: Array, *, then_branch: Body, else_branch: Body) -> list[Array]:
    """What the one branch or the other gives; the bodies take no inputs."""
    return then_branch() if bool(np.asarray(condition).reshape(())) else else_branch()


def _loop_types(
    trip_count: OpenType, condition: OpenType, initial: Sequence[OpenType], body: Graph
) -> list[OpenType]:
    _, *results = (_outside(value, _outer_symbols(body)) for value in body.outputs)
    carried = [_either(a, b) for a, b in zip(initial, results, strict=False)]
    return carried + [_stacked(result, None, 0) for result in results[len(initial) :]]


def _stacked(one: OpenType, count: Dim | None, axis: int) -> OpenType:
    """The type of so many tensors of a type stacked along a new axis."""
    if one is None or one.shape is None:
        return one
    place = axis % (len(one.shape) + 1)
    shape = (*one.shape[:place], count, *one.shape[place:])
    return one.with_shape(shape)  # type: ignore[arg-type]


def _body_results(skipped: int) -> Any:
    def count(args: Mapping[str, Any]) -> int:
        return len(args["body"].outputs) - skipped

    return count


@op(results=_body_results(1), types=_loop_types)
def loop(
    trip_count: Array | None = None,
    condition: Array | None = None,
    initial: Arrays = (),
    *,
    body: Body,
) -> list[Array]:
    """ONNX Loop: body(iteration, condition, *carried) -> condition, *carried, *scanned, while the
    condition holds, `trip_count` times at most; each of the two may be left out.

    Gives the last carried values, then each scanned value's of all iterations stacked along a new
    first axis. Where the body never ran there are no scanned values, for want of a shape.
    """
    limit = None if trip_count is None else int(np.asarray(trip_count).reshape(()))
    going = True if condition is None else bool(np.asarray(condition).reshape(()))
    carried, scanned = list(initial), []
    iteration = 0
    while going and (limit is None or iteration < limit):
        found = body(np.array(iteration, np.int64), np.array(going), *carried)
        going = bool(np.asarray(found[0]).reshape(()))
        carried = list(found[1 : 1 + len(initial)])
        scanned.append(found[1 + len(initial) :])
        iteration += 1
    return carried + [np.stack(each) for each in zip(*scanned, strict=True)]


def _scan_types(
    initial: Sequence[OpenType],
    scanned: Sequence[OpenType],
    body: Graph,
    input_axes: Sequence[int] = (),
    output_axes: Sequence[int] = (),
    **_: object,
) -> list[OpenType]:
    results = [_outside(value, _outer_symbols(body)) for value in body.outputs]
    carried = [_either(a, b) for a, b in zip(initial, results, strict=False)]
    first = scanned[0] if scanned else None
    length = first.shape[_at(input_axes, 0)] if first is not None and first.shape else None
    outputs = results[len(initial) :]
    return carried + [_stacked(t, length, _at(output_axes, i)) for i, t in enumerate(outputs)]


def _at(values: Sequence[int], index: int) -> int:
    """An element, 0 for all when there are none."""
    return values[index] if values else 0


@op(results=_body_results(0), types=_scan_types)
def scan(
    initial: Arrays,
    scanned: Arrays,
    *,
    body: Body,
    input_axes: tuple[int, ...] = (),
    input_directions: tuple[int, ...] = (),
    output_axes: tuple[int, ...] = (),
    output_directions: tuple[int, ...] = (),
) -> list[Array]:
    """ONNX Scan: body(*carried, *slices) -> *carried, *outputs, for each slice of the scanned.

    Slices are along `input_axes`, from the end where the direction is 1; the outputs are stacked
    along `output_axes`, backwards where the direction is 1. An empty tuple is zeros.
    Where there is no slice there are no outputs, for want of a shape.
    """
    slices = [
        np.moveaxis(x, _at(input_axes, i), 0)[:: -1 if _at(input_directions, i) else 1]
        for i, x in enumerate(scanned)
    ]
    carried, outputs = list(initial), []
    for now in zip(*slices, strict=True):
        found = body(*carried, *now)
        carried, one = list(found[: len(initial)]), found[len(initial) :]
        outputs.append(one)
    stacked = []
    for i, each in enumerate(zip(*outputs, strict=True)):
        ordered = each[::-1] if _at(output_directions, i) else each
        stacked.append(np.stack(ordered, axis=_at(output_axes, i)))
    return carried + stacked
