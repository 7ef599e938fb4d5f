"""Random inputs in the ranges that a model expects: indices within tables, masks as masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ir_hub.hub.sizes import Sizes
from ir_hub.ir.dims import evaluate, symbol, symbols_of
from ir_hub.ir.graph import Graph, Model, Node, Value
from ir_hub.ir.types import DType
from ir_hub.ops.catalogue import PASSING
from ir_hub.sdk.errors import BadRequest, Problem

Array = np.ndarray[Any, Any]

SEED = 20250101

# Where an op takes indices: the argument with them, and that with what they index.
_INDEXING = {
    "embedding": ("indices", "weight"),
    "gather": ("indices", "x"),
    "gather_elements": ("indices", "x"),
}
_WORDS = ("a", "model", "reads", "words", "", "Grüße")


def draw(model: Model, sizes: Sizes, run: int) -> dict[str, Array]:
    """An array for every input, always the same ones for the same arguments.

    Raises:
        BadRequest: the shape of an input isn't known.
    """
    unknown = [v for v in model.graph.inputs if v.type is None or v.shape is None]
    if unknown:
        raise BadRequest(
            "The shape of an input isn't known, so nothing can be run to compare: say it with "
            "--input name=shape, or give inputs with --check-inputs.",
            [Problem(value.name, "its shape isn't known") for value in unknown],
        )
    holders = _holders(model.graph)
    limits, flags = _limits(model.graph, holders, sizes), _flags(model.graph, holders)
    found = {}
    for at, value in enumerate(model.graph.inputs):
        random = np.random.default_rng([SEED, run, at])
        array = _array(value, sizes, limits.get(value), random)
        if value in flags and array.size == 1:
            array = np.full_like(array, random.choice(flags[value]))
        found[value.name] = array
    return found


def _holders(graph: Graph) -> dict[Value, Value]:
    """The inputs, and all that holds elements of one, each with that input."""
    holders = {value: value for value in graph.inputs}
    for node in graph.nodes:
        if node.op in PASSING and node.x in holders:
            holders[node.result] = holders[node.x]
    return holders


def _limits(graph: Graph, holders: Mapping[Value, Value], sizes: Sizes) -> dict[Value, int]:
    """For each input that is used as indices, the size of the smallest axis it indexes."""
    limits: dict[Value, int] = {}
    for node in graph.nodes:
        for value, limit in _indices(node, sizes):
            if value in holders:
                origin = holders[value]
                limits[origin] = min(limit, limits.get(origin, limit))
    return limits


def _indices(node: Node, sizes: Sizes) -> Iterator[tuple[Value, int]]:
    """What a node takes as indices, and the size of what it indexes; a comparison with a range of
    numbers makes them one-hot."""
    yield from ((value, int(numbers.max()) + 1) for value, numbers in _compared(node)
                if numbers.size > 1)  # fmt: skip
    if node.op not in _INDEXING:
        return
    indices, table = (node.args[name] for name in _INDEXING[node.op])
    axis = node.args.get("axis", 0)
    if isinstance(indices, Value) and isinstance(table, Value) and table.shape:
        size = table.shape[axis] if isinstance(axis, int) else symbol("unknown")
        if symbols_of(size) <= sizes.keys():
            yield indices, evaluate(size, sizes)


def _flags(graph: Graph, holders: Mapping[Value, Value]) -> dict[Value, list[int]]:
    """For each input that is compared with single numbers, those: a model takes its ways by them,
    and few others may be allowed."""
    flags: dict[Value, list[int]] = {}
    for value, numbers in (pair for node in graph.nodes for pair in _compared(node)):
        if value in holders and numbers.size == 1:
            flags.setdefault(holders[value], []).append(int(numbers.item()))
    return flags


def _compared(node: Node) -> Iterator[tuple[Value, Array]]:
    """What a node compares with whole numbers that are known, and those."""
    for value, other in ((node.x, node.y), (node.y, node.x)) if node.op == "equal" else ():
        if other.is_constant and other.dtype.is_integer:
            yield value, other.array()


def _array(value: Value, sizes: Sizes, limit: int | None, random: np.random.Generator) -> Array:
    assert value.type is not None
    assert value.shape is not None
    shape = tuple(evaluate(size, sizes) for size in value.shape)
    dtype = value.type.dtype
    if dtype is DType.STRING:
        return random.choice(np.array(_WORDS, object), shape)
    if "mask" in value.name.lower() and (dtype.is_integer or dtype is DType.BOOL):
        return _padding_mask(shape).astype(dtype.numpy)
    if dtype is DType.BOOL:
        return random.integers(0, 2, shape).astype(bool)
    if dtype.is_integer or limit is not None:  # MXNet's indices are floats
        low, high = _range(dtype, len(shape), limit)
        return random.integers(low, high, shape).astype(dtype.numpy)
    if dtype in (DType.COMPLEX64, DType.COMPLEX128):
        return (random.normal(size=shape) + 1j * random.normal(size=shape)).astype(dtype.numpy)
    return random.normal(size=shape).astype(dtype.numpy)


def _range(dtype: DType, rank: int, limit: int | None) -> tuple[int, int]:
    """From where up to below where integers are drawn."""
    if limit is not None:
        return 0, max(limit, 1)
    if rank >= 3 and dtype.bits >= 8:
        return 0, min(256, 1 << (dtype.bits - (dtype.value[0] == "i")))  # most likely an image
    # A count or a length; or segments, flags, classes: 0 and 1 are in every range.
    return (1, 2) if rank <= 1 else (0, 2)


def _padding_mask(shape: tuple[int, ...]) -> Array:
    """Ones, and zeros where the last third of the last axis is padding, but in the first row."""
    mask = np.ones(shape)
    if len(shape) > 1 and shape[0] > 1 and shape[-1] > 2:
        mask[1:, ..., shape[-1] * 2 // 3 :] = 0
    return mask


def described(arrays: Mapping[str, Array]) -> list[str]:
    """Inputs as text: "x: float32[1, 3, 64, 96]"."""
    return [
        f"{name}: {DType.of(array.dtype).value}[{', '.join(map(str, array.shape))}]"
        for name, array in arrays.items()
    ]
