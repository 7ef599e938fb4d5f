"""What a case of an op is: random operands and literals, and the graph that calls the op."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ir_hub.ir.graph import Graph, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Array, Kind


@dataclass(frozen=True)
class Case:
    """One call of an op.

    `tensors` are its positional arguments in order: an array, a tuple of arrays (Arrays), a tuple
    of integers (Sizes), or None for one that is left out; those at the end may be missing.
    `tolerance` is relative to the greatest element, where a framework needs another than usual.
    """

    tensors: tuple[Any, ...]
    literals: dict[str, Any] = field(default_factory=dict)
    tolerance: float | None = None


# The cases of each op; a family's file adds its own.
CASES: dict[str, list[Case]] = {}


class Samples:
    """Random operands, the same ones each time; never all zeros or all ones."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def floats(
        self, *shape: int, low: float = -3.0, high: float = 3.0, dtype: DType = DType.FLOAT32
    ) -> Array:
        """Numbers spread evenly over low..high."""
        return self._random.uniform(low, high, shape).astype(dtype.numpy)

    def integers(
        self, *shape: int, low: int = -9, high: int = 9, dtype: DType = DType.INT64
    ) -> Array:
        """Integers within low..high, both included."""
        return self._random.integers(low, high, shape, endpoint=True).astype(dtype.numpy)

    def booleans(self, *shape: int) -> Array:
        """True and False, about as often; neither is missing where there are two elements."""
        found = np.asarray(self._random.random(shape) < 0.5)
        if found.size > 1:
            found.reshape(-1)[:2] = (True, False)
        return found

    def shuffled(self, *shape: int, dtype: DType = DType.FLOAT32) -> Array:
        """The numbers 0, 1, 2, ... in random order: no two are equal."""
        count = int(np.prod(shape, dtype=np.int64))
        return self._random.permutation(count).reshape(shape).astype(dtype.numpy)


def case_arguments(name: str, case: Case) -> dict[str, Any]:
    """All arguments of the op by name, as its body takes them."""
    return OPS[name].complete(_named(name, case))


def case_graph(
    name: str, case: Case, constant: Container[str] = ()
) -> tuple[Graph, dict[str, Array]]:
    """A graph that calls the op once, and the arrays for its inputs.

    Each tensor is an input called like the argument (numbered, for Arrays) unless its argument is
    among `constant`; sizes are literals.
    """
    builder, feeds = Builder(), dict[str, Array]()

    def operand(argument: str, label: str, array: Array) -> Value:
        if argument in constant:
            return builder.constant(array, name=label)
        feeds[label] = array
        return builder.input(label, DType.of(array.dtype), array.shape)

    args: dict[str, Any] = {}
    for argument, given in _named(name, case).items():
        kind = OPS[name].params[argument].kind
        if kind is Kind.TENSOR and given is not None:
            args[argument] = operand(argument, argument, given)
        elif kind is Kind.TENSORS:
            args[argument] = tuple(
                operand(argument, f"{argument}{i}", item) for i, item in enumerate(given)
            )
        else:
            args[argument] = given
    builder.graph.outputs = list(builder.append(name, args).results)
    return builder.graph, feeds


def _named(name: str, case: Case) -> dict[str, Any]:
    positional = [p for p in OPS[name].params.values() if p.kind not in (Kind.LITERAL, Kind.BODY)]
    if len(case.tensors) > len(positional):
        raise ValueError(f"a case of {name} has {len(case.tensors)} tensors: {len(positional)} fit")
    return dict(zip((p.name for p in positional), case.tensors, strict=False)) | case.literals
