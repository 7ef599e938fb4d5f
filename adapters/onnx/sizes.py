"""Sizes with symbols as ONNX nodes: read off the shape of a tensor that has them, then computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ir_hub.ir.dims import Dim, Expr, Symbol, bounds
from ir_hub.ir.graph import Value, constant
from ir_hub.sdk.dialect import Unsupported

Operand = Value | str
_Source = tuple[Value, int, int, int]  # the symbol is (size of the value's axis - c) // k
Emit = Callable[[str, Sequence[Operand], Mapping[str, object]], str]


class SizeNodes:
    """Writes sizes in one graph; those of the graph around it can be read, not the reverse.

    `emit` appends a node and gives the name of its result.
    """

    def __init__(
        self, emit: Emit, symbols: Mapping[str, Symbol], outer: SizeNodes | None = None
    ) -> None:
        self._emit = emit
        self._symbols = symbols
        self._sources: dict[str, tuple[Value, int, int, int]] = (
            dict(outer._sources) if outer else {}
        )
        self._written: dict[object, Operand] = dict(outer._written) if outer else {}

    def learn(self, value: Value) -> None:
        """Notes which symbols can be read off a value's shape: those of sizes k*S + c."""
        for axis, size in enumerate(value.shape or ()):
            if isinstance(size, int):
                continue
            terms = dict(size.terms)
            offset = terms.pop((), 0)
            if len(terms) != 1:
                continue
            ((monomial, factor),) = terms.items()
            if len(monomial) == 1 and monomial[0].op == "symbol":
                known = self._sources.get(str(monomial[0]))
                if known is None or (known[2:] != (1, 0) and (factor, offset) == (1, 0)):
                    self._sources[str(monomial[0])] = (value, axis, factor, offset)

    def vector(self, sizes: Sequence[Dim]) -> Operand:
        """A one-dimensional int64 tensor of the sizes.

        Raises:
            Unsupported: a symbol is in no shape that is known before.
        """
        key = ("vector", tuple(sizes))
        if key not in self._written:
            self._written[key] = self._vector(sizes)
        return self._written[key]

    def _vector(self, sizes: Sequence[Dim]) -> Operand:
        pieces: list[Operand] = []
        run: list[int] = []
        for size in sizes:
            if isinstance(size, int):
                run.append(size)
                continue
            if run:
                pieces.append(_ints(run))
                run = []
            pieces.append(self._size(size))
        if run or not pieces:
            pieces.append(_ints(run))
        return pieces[0] if len(pieces) == 1 else self._emit("Concat", pieces, {"axis": 0})

    def _size(self, size: Dim) -> Operand:
        if isinstance(size, int):
            return _ints([size])
        if size not in self._written:
            self._written[size] = self._sum(size)
        return self._written[size]

    def _sum(self, size: Expr) -> Operand:
        positive = sorted(size.terms, key=lambda term: term[1] < 0)
        total: Operand | None = None
        for monomial, factor in positive:
            factors = [self._atom(atom) for atom in monomial]
            magnitude = abs(factor) if total is not None else factor
            if magnitude != 1 or not factors:
                factors.append(_ints([magnitude]))
            term = factors[0]
            for item in factors[1:]:
                term = self._emit("Mul", [term, item], {})
            if total is not None:
                term = self._emit("Sub" if factor < 0 else "Add", [total, term], {})
            total = term
        assert total is not None  # an expression has a term
        return total

    def _atom(self, atom: object) -> Operand:
        if atom.op == "symbol":  # type: ignore[attr-defined]
            return self._symbol(str(atom))
        left, *rest = atom.args  # type: ignore[attr-defined]
        operands = [self._size(arg) for arg in (left, *rest)]
        op = atom.op  # type: ignore[attr-defined]
        if op == "//":
            low, _ = bounds(left, self._symbols)
            if low is None or low < 0:  # ONNX's Div truncates
                remainder = self._emit("Mod", operands, {})
                operands[0] = self._emit("Sub", [operands[0], remainder], {})
            return self._emit("Div", operands, {})
        return self._emit({"%": "Mod", "min": "Min", "max": "Max"}[op], operands, {})

    def _symbol(self, name: str) -> Operand:
        if name not in self._written:
            if name not in self._sources:
                raise Unsupported(f"the size {name} is not a size of anything computed before")
            value, axis, factor, offset = self._sources[name]
            size: Operand = self._emit("Shape", [value], {"start": axis, "end": axis + 1})
            if offset:
                size = self._emit("Sub", [size, _ints([offset])], {})
            if factor != 1:
                size = self._emit("Div", [size, _ints([factor])], {})
            self._written[name] = size
        return self._written[name]


def _ints(values: Sequence[int]) -> Value:
    return constant(np.array(values, np.int64), "sizes")
