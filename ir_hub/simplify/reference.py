"""The reference runtime: runs a graph with the ops' own bodies, and trusts nothing it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

from ir_hub.ir.graph import Argument, Graph, Literal, Model, Node, Value
from ir_hub.ir.tensor import least_byte_size
from ir_hub.ir.text import node_label
from ir_hub.ir.types import DType
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Array, Kind
from ir_hub.simplify.sizes import Sizes

Inputs = Mapping[str, Array] | Sequence[Array]


class RunError(RuntimeError):
    """A node failed, or its results aren't what the graph says; the message names it."""


class OverLimit(RunError):
    """The arrays alive at once would take more memory than allowed."""


def run(graph: Graph | Model, inputs: Inputs, *, limit_bytes: int | None = None) -> list[Array]:
    """The outputs for these inputs, given by name or in order.

    Values are dropped after their last use. `limit_bytes` limits the results alive at once; a
    view counts as if it were a copy. Inputs, constants and what an op's body needs meanwhile
    don't count.

    Raises:
        ValueError: the inputs aren't what the graph declares.
        RunError: a node failed; `OverLimit` when that is for want of memory.
    """
    root = graph.graph if isinstance(graph, Model) else graph
    frame = _Frame(_Runtime(limit_bytes), Sizes())
    frame.begin(root, _in_order(root, inputs))
    _check_promises(graph, frame.sizes)
    for _ in frame.steps(root):
        pass
    return frame.outputs(root)


def values(graph: Graph | Model, inputs: Inputs) -> Iterator[tuple[Value, Array]]:
    """Every value with its array, in order of computation: inputs first, then every result of
    every node, those inside of bodies left out. Raises as `run` does."""
    root = graph.graph if isinstance(graph, Model) else graph
    frame = _Frame(_Runtime(None), Sizes())
    frame.begin(root, _in_order(root, inputs))
    _check_promises(graph, frame.sizes)
    yield from [(value, frame.arrays[value]) for value in root.inputs]
    yield from frame.steps(root)


def _in_order(graph: Graph, inputs: Inputs) -> Sequence[Array]:
    if not isinstance(inputs, Mapping):
        return inputs
    names = [value.name for value in graph.inputs]
    if sorted(names) != sorted(inputs):
        raise ValueError(f"the inputs are {sorted(names)}, not {sorted(inputs)}")
    return [inputs[name] for name in names]


def _check_promises(graph: Graph | Model, sizes: Sizes) -> None:
    """What a model was simplified under must hold: a size out of its range is refused."""
    for symbol in graph.symbols.values() if isinstance(graph, Model) else ():
        size = sizes.known.get(symbol.name, symbol.interval[0])
        low, high = symbol.interval
        if not low <= size <= high or size % symbol.multiple_of:
            raise ValueError(f"{symbol.name} is {size}, where {symbol} is promised")


class _Runtime:
    """What all frames of a run share: how much memory is in use, and when values die."""

    def __init__(self, limit_bytes: int | None) -> None:
        self._limit = limit_bytes
        self._used = 0
        self._last_uses: dict[Graph, list[list[Value]]] = {}

    def last_uses(self, graph: Graph) -> list[list[Value]]:
        """For each node, the values of this graph that nobody needs once it has run."""
        if graph not in self._last_uses:
            kept = set(graph.outputs)
            own = {*graph.inputs, *(value for node in graph.nodes for value in node.results)}
            dying: list[list[Value]] = []
            for node in reversed(graph.nodes):
                needed = dict.fromkeys([*node.reads(), *node.results])
                dying.append([v for v in needed if v in own and v not in kept])
                kept.update(needed)
            self._last_uses[graph] = dying[::-1]
        return self._last_uses[graph]

    def take(self, size: int) -> None:
        self.check(size)
        self._used += size

    def check(self, size: int) -> None:
        if self._limit is not None and self._used + size > self._limit:
            raise OverLimit(
                f"its results take {size} bytes beside {self._used} in use; the limit is"
                f" {self._limit}"
            )

    def give_back(self, size: int) -> None:
        self._used -= size


class _Frame:
    """One run of one graph or body: its arrays over those around it, and its symbols."""

    def __init__(self, runtime: _Runtime, sizes: Sizes, outer: _Frame | None = None) -> None:
        self.runtime = runtime
        self.sizes = sizes
        self.arrays: dict[Value, Array] = {}
        self._outer = outer
        self._taken: dict[Value, int] = {}

    def begin(self, graph: Graph, given: Sequence[Array]) -> None:
        """Binds the inputs; ValueError when they aren't what is declared."""
        if len(given) != len(graph.inputs):
            raise ValueError(f"it takes {len(graph.inputs)} inputs, not {len(given)}")
        for value, array in zip(graph.inputs, given, strict=True):
            self.bind(value, np.asarray(array))

    def steps(self, graph: Graph) -> Iterator[tuple[Value, Array]]:
        """Runs the nodes; yields each result."""
        for node, dying in zip(graph.nodes, self.runtime.last_uses(graph), strict=True):
            try:
                self.step(node)
            except RunError as error:
                raise type(error)(f"{node_label(node)}: {error}") from error
            except Exception as error:  # a body may raise anything; what matters is where
                reason = f"{type(error).__name__}: {error}"
                raise RunError(f"{node_label(node)}: {reason}") from error
            yield from [(result, self.arrays[result]) for result in node.results]
            for value in dying:
                self.drop(value)

    def step(self, node: Node) -> None:
        if node.op not in OPS:
            raise RunError("only its framework can run this op")
        op = OPS[node.op]
        args = {
            name: self.argument(op.params[name].kind, argument)
            for name, argument in op.complete(node.args).items()
        }
        self.runtime.check(sum(self.expected_bytes(result) for result in node.results))
        with np.errstate(all="ignore"):  # infinities and NaN are results like any other
            arrays = op.call(args)
        if len(arrays) != len(node.results):
            raise RunError(f"it computes {len(arrays)} results, but has {len(node.results)}")
        for result, array in zip(node.results, arrays, strict=True):
            self.bind(result, array)
            self.runtime.take(array.nbytes)
            self._taken[result] = array.nbytes

    def outputs(self, graph: Graph) -> list[Array]:
        """The arrays of the graph's outputs; the frame's memory is given back."""
        found = [self.find(value) for value in graph.outputs]
        for value in list(self.arrays):
            self.drop(value)
        return found

    def argument(self, kind: Kind, argument: Argument) -> Any:
        """An argument as an op's body takes it."""
        if isinstance(argument, Value):
            array = self.find(argument)
            return tuple(int(n) for n in array.reshape(-1)) if kind is Kind.SIZES else array
        if isinstance(argument, Graph):
            return self.body(argument)
        if kind is Kind.TENSORS and isinstance(argument, tuple):
            return tuple(self.find(cast(Value, item)) for item in argument)
        try:
            return self.sizes.value(cast(Literal, argument))
        except KeyError as error:
            raise RunError(str(error.args[0])) from error

    def body(self, graph: Graph) -> Callable[..., list[Array]]:
        """A body as a function of arrays, which sees the arrays of this frame."""

        def call(*given: Array) -> list[Array]:
            frame = _Frame(self.runtime, self.sizes.inner(), self)
            frame.begin(graph, given)
            for _ in frame.steps(graph):
                pass
            return frame.outputs(graph)

        return call

    def find(self, value: Value) -> Array:
        if value.is_constant:
            return value.array()
        frame: _Frame | None = self
        while frame is not None:
            if value in frame.arrays:
                return frame.arrays[value]
            frame = frame._outer
        raise RunError(f"{value!r} is read, but nothing before it computes it")

    def bind(self, value: Value, array: Array) -> None:
        """Notes an array; ValueError when it isn't what its value's type says."""
        found = DType.of(array.dtype)
        if value.dtype not in (None, found):
            raise ValueError(f"{value!r} is declared as {value.dtype!r}, but is {found!r}")
        if value.shape is not None and not self.sizes.bind(value.shape, array.shape):
            raise ValueError(f"{value!r} has the shape {array.shape}, where {self.sizes.known}")
        self.arrays[value] = array

    def drop(self, value: Value) -> None:
        self.arrays.pop(value, None)
        self.runtime.give_back(self._taken.pop(value, 0))

    def expected_bytes(self, value: Value) -> int:
        """What a result will take as far as its type says."""
        shape = None if value.shape is None else self.sizes.shape(value.shape)
        if shape is None or value.dtype is None:
            return 0
        return least_byte_size(value.dtype, shape)
