"""The decorator that makes an op of a NumPy function: the signature is the schema, the body is
the meaning.

    @elementwise
    def leaky_relu(x: Array, *, alpha: float = 0.01) -> Array:
        '''x where x > 0, alpha * x elsewhere.'''
        return np.where(x > 0, x, alpha * x)

Positional parameters are tensors, keyword-only ones literals. Annotations say which kind:

    Array, Array | None     a tensor; `= None` makes it optional
    Arrays                  several tensors
    Sizes, Sizes | None     a vector of integers: a literal tuple (of sizes, perhaps with symbols)
                            where it is known, a tensor where only the run knows it; the body always
                            gets a tuple of Python integers
    Body                    keyword-only: a graph; the body gets a function of arrays
    anything else           keyword-only: a literal
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from ir_hub.ir.graph import Argument, Value
from ir_hub.ir.types import DType, Shape, TensorType

Array = np.ndarray[Any, Any]
Arrays = tuple[Array, ...]
Sizes = tuple[int, ...]
Body = Callable[..., list[Array]]
Rule = Callable[..., Any]
DTypes = str | DType | None | Callable[[Mapping[str, Any]], DType | None]

OPSET = 1  # The version of the op set; it grows when the meaning of an op changes.
OPS: dict[str, Op] = {}


class Kind(Enum):
    """What an argument can be."""

    TENSOR = "tensor"
    TENSORS = "tensors"
    SIZES = "sizes"
    LITERAL = "literal"
    BODY = "body"


class Layout(Enum):
    """What permuting the axes of its tensors does to an op."""

    ELEMENTWISE = "elementwise"  # any permutation passes
    AXIS = "axis"  # passes once `axis` or `axes` is remapped
    AXES_STRING = "axes string"  # its own `axes` literal is rewritten
    BARRIER = "barrier"  # inputs as they were written; what is unstated is this


@dataclass(frozen=True)
class Param:
    """One argument that an op declares; `required` ones have no default."""

    name: str
    kind: Kind
    required: bool
    default: Any = None
    annotation: str = ""


@dataclass(eq=False)
class Op:
    """What an op is: its schema, its meaning, its shapes."""

    name: str
    params: dict[str, Param]
    body: Callable[..., Any]
    layout: Layout
    results: tuple[str, ...] | Callable[[Mapping[str, Any]], int]
    dtypes: tuple[DTypes, ...]
    symbolic: bool  # whether the body also computes on object arrays of sizes with symbols
    doc: str
    shape_rule: Rule | None = None
    type_rule: Rule | None = None
    spelling: Callable[..., Any] | None = None

    def shape(self, rule: Rule) -> Rule:
        """Registers the rule for shapes: called as the body is, with a TensorType for a tensor
        and, for sizes that only the run knows, the TensorType of the vector. It returns a tuple of
        sizes (None: a size that only the run knows), or None for an unknown rank; a list of these
        when there are several results."""
        if self.shape_rule is not None:
            raise ValueError(f"op {self.name} has two shape rules")
        self.shape_rule = rule
        return rule

    def spelled(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers how the op is spelled with simpler ones: called with a builder, then as the
        body is, with values. It gives None where simpler ops can't say it."""
        if self.spelling is not None:
            raise ValueError(f"op {self.name} has two spellings")
        self.spelling = rule
        return rule

    def complete(self, args: Mapping[str, Argument]) -> dict[str, Argument]:
        """All declared arguments in their order, defaults filled in.

        Raises:
            TypeError: an argument is unknown or missing.
        """
        unknown = ", ".join(sorted(args.keys() - self.params.keys()))
        if unknown:
            raise TypeError(f"{self.name} has no argument {unknown}")
        missing = ", ".join(
            p.name for p in self.params.values() if p.required and args.get(p.name) is None
        )
        if missing:
            raise TypeError(f"{self.name} needs the argument {missing}")
        return {name: args.get(name, param.default) for name, param in self.params.items()}

    def result_count(self, args: Mapping[str, Any]) -> int:
        """How many results a call with these arguments has."""
        return self.results(args) if callable(self.results) else len(self.results)

    def call(self, args: Mapping[str, Any]) -> list[Array]:
        """Runs the body on arrays; one array a result."""
        positional = [args[p.name] for p in self.params.values() if p.kind in _POSITIONAL]
        keywords = {p.name: args[p.name] for p in self.params.values() if p.kind not in _POSITIONAL}
        found = self.body(*positional, **keywords)
        items = list(found) if isinstance(found, tuple | list) else [found]
        return [np.asarray(item) for item in items]

    def infer(
        self, args: Mapping[str, Argument], fresh: Callable[[], Any]
    ) -> list[TensorType | None]:
        """The types of the results; `fresh` gives a new symbol for a size only the run knows.

        Raises:
            ValueError: the operands don't fit the op or each other.
        """
        count = self.result_count(args)
        seen = {name: _type_of(argument) for name, argument in args.items()}
        if self.type_rule is not None:
            types = self.type_rule(**seen)
            return [t and TensorType(t.dtype, _filled(t.shape, fresh)) for t in types]
        dtypes = [self._dtype(i, seen) for i in range(count)]
        untyped = any(isinstance(a, Value) and a.type is None for a in args.values())
        shapes = [None] * count if untyped else self._shapes(seen, count)
        return [
            None if dtype is None else TensorType(dtype, _filled(shape, fresh))
            for dtype, shape in zip(dtypes, shapes, strict=True)
        ]

    def _dtype(self, index: int, seen: Mapping[str, Any]) -> DType | None:
        wanted = self.dtypes[min(index, len(self.dtypes) - 1)]
        if isinstance(wanted, DType) or wanted is None:
            return wanted
        if callable(wanted):
            return wanted(seen)
        source = seen[wanted]
        if isinstance(source, tuple):
            source = next((item for item in source if item is not None), None)
        return source.dtype if isinstance(source, TensorType) else source

    def _shapes(self, seen: Mapping[str, Any], count: int) -> list[Any]:
        operands = [p for p in self.params.values() if p.kind in _TENSORS]
        tensors = [t for p in operands for t in _each(seen[p.name])]
        absent = [p for p in operands if p.required and seen[p.name] is None]
        if self.shape_rule is None or absent or any(t is None or t.shape is None for t in tensors):
            return [None] * count
        positional = [seen[p.name] for p in self.params.values() if p.kind in _POSITIONAL]
        keywords = {p.name: seen[p.name] for p in self.params.values() if p.kind not in _POSITIONAL}
        found = self.shape_rule(*positional, **keywords)
        return found if isinstance(found, list) else [found]


_POSITIONAL = (Kind.TENSOR, Kind.TENSORS, Kind.SIZES)
_TENSORS = (Kind.TENSOR, Kind.TENSORS)
_KINDS = {"Array": Kind.TENSOR, "Arrays": Kind.TENSORS, "Sizes": Kind.SIZES, "Body": Kind.BODY}


def op(
    *,
    layout: Layout = Layout.BARRIER,
    results: tuple[str, ...] | Callable[[Mapping[str, Any]], int] = ("y",),
    dtypes: tuple[DTypes, ...] | None = None,
    symbolic: bool = False,
    shape: Rule | None = None,
    types: Rule | None = None,
) -> Callable[[Callable[..., Any]], Op]:
    """Makes an op of a function. `dtypes` says the type of each result (the last one stands for
    all that follow): the name of an argument to take it from, a type, or a function of the types
    and literals by name; by default the first argument's. `types` takes the place of both `dtypes`
    and `shape` where bodies say them: called with all arguments by name, a Body as its graph, it
    returns a TensorType (or None: unknown) for each result."""

    def register(body: Callable[..., Any]) -> Op:
        params = _params(body)
        name = body.__name__.removesuffix("_")
        if name in OPS:
            raise ValueError(f"op {name} is defined twice")
        first = next((p.name for p in params.values() if p.kind in _TENSORS), None)
        OPS[name] = Op(
            name=name,
            params=params,
            body=body,
            layout=layout,
            results=results,
            dtypes=dtypes or (first,),
            symbolic=symbolic,
            doc=inspect.getdoc(body) or "",
            shape_rule=shape,
            type_rule=types,
        )
        return OPS[name]

    return register


def _params(body: Callable[..., Any]) -> dict[str, Param]:
    found = {}
    for p in inspect.signature(body).parameters.values():
        annotation = str(p.annotation).removesuffix(" | None")
        kind = _KINDS.get(annotation, Kind.LITERAL)
        if (p.kind is p.KEYWORD_ONLY) == (kind in _POSITIONAL):
            raise ValueError(f"{body.__name__}: tensors are positional, literals keyword-only: {p}")
        required = p.default is p.empty
        default = None if required else p.default
        found[p.name] = Param(p.name, kind, required, default, str(p.annotation))
    return found


def _type_of(argument: Argument) -> Any:
    """An argument as a shape rule sees it."""
    if isinstance(argument, Value):
        return argument.type
    if isinstance(argument, tuple) and argument and isinstance(argument[0], Value):
        return tuple(value.type for value in argument if isinstance(value, Value))
    return argument


def _each(seen: Any) -> list[Any]:
    if seen is None:
        return []
    return list(seen) if isinstance(seen, tuple) else [seen]


def _filled(shape: tuple[Any, ...] | None, fresh: Callable[[], Any]) -> Shape | None:
    if shape is None:
        return None
    return tuple(fresh() if size is None else size for size in shape)
