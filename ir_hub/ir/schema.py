"""What checking a graph needs to know of an op, and whether an argument is what a parameter takes.

The ops themselves are above this package; it sees them only as the protocols here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ir_hub.ir.dims import Expr
from ir_hub.ir.graph import Argument, Graph, Value
from ir_hub.ir.types import DType


class Kind(Protocol):
    """What an argument can be."""

    @property
    def value(self) -> Any:
        """ "tensor", "tensors", "sizes", "literal" or "body"."""


class ParamSchema(Protocol):
    """One argument that an op declares."""

    @property
    def kind(self) -> Kind:
        """What it can be."""

    @property
    def required(self) -> bool:
        """Whether it has no default."""

    @property
    def default(self) -> Any:
        """What it is when it is left out; None when it has no default."""

    @property
    def annotation(self) -> str:
        """The Python type of a literal, as the op's signature writes it."""


class OpSchema(Protocol):
    """What an op declares."""

    @property
    def params(self) -> Mapping[str, ParamSchema]:
        """Its arguments."""

    def complete(self, args: Mapping[str, Argument]) -> dict[str, Argument]:
        """All declared arguments in their order; TypeError for an unknown or missing one."""

    def result_count(self, args: Mapping[str, Any]) -> int:
        """How many results a call with these arguments has."""


def given(op: OpSchema, args: Mapping[str, Argument]) -> Mapping[str, Argument]:
    """The arguments of a call, its op's defaults for those left out."""
    if len(args) == len(op.params):
        return args
    return {name: args.get(name, param.default) for name, param in op.params.items()}


def argument_problem(param: ParamSchema, argument: Argument) -> str:
    """Why a parameter can't take an argument; empty when it can."""
    if argument is None:
        # A required one that is None is reported as missing.
        return "" if param.required or param.default is None else "cannot be None"
    return _PROBLEMS[param.kind.value](param, argument)


def _tensor_problem(_: ParamSchema, argument: Argument) -> str:
    return "" if isinstance(argument, Value) else f"must be a value, not {_said(argument)}"


def _tensors_problem(_: ParamSchema, argument: Argument) -> str:
    if isinstance(argument, tuple) and all(isinstance(item, Value) for item in argument):
        return ""
    return f"must be a tuple of values, not {_said(argument)}"


def _sizes_problem(_: ParamSchema, argument: Argument) -> str:
    if isinstance(argument, Value):
        type_ = argument.type
        if type_ is None or (type_.dtype.is_integer and (type_.rank or 0) <= 1):
            return ""
        return f"must be a vector of integers, not {type_}"
    if isinstance(argument, tuple) and all(_is_integer(item) for item in argument):
        return ""
    return f"must be a value or a tuple of sizes, not {_said(argument)}"


def _body_problem(_: ParamSchema, argument: Argument) -> str:
    return "" if isinstance(argument, Graph) else f"must be a body, not {_said(argument)}"


def _literal_problem(param: ParamSchema, argument: Argument) -> str:
    if not _is_literal(argument):
        return f"must be a literal, not {_said(argument)}"
    if any(accepts(argument) for accepts in _accepted(param.annotation)):
        return ""
    return f"must be {param.annotation}, not {_said(argument)}"


_PROBLEMS: dict[str, Callable[[ParamSchema, Argument], str]] = {
    "tensor": _tensor_problem,
    "tensors": _tensors_problem,
    "sizes": _sizes_problem,
    "body": _body_problem,
    "literal": _literal_problem,
}


def _said(argument: Argument) -> str:
    if isinstance(argument, Graph):
        return "a body"
    return f"{argument!r} ({type(argument).__name__})"


def _is_integer(item: object) -> bool:
    return isinstance(item, int | Expr) and not isinstance(item, bool)


def _is_literal(argument: Argument) -> bool:
    if isinstance(argument, tuple):
        return all(_is_literal(item) for item in argument)
    return argument is None or isinstance(argument, bool | int | float | str | DType | Expr)


_ACCEPTS: dict[str, Callable[[Any], bool]] = {
    "bool": lambda item: isinstance(item, bool),
    "int": _is_integer,
    "float": lambda item: isinstance(item, float) or _is_integer(item),
    "str": lambda item: isinstance(item, str),
    "DType": lambda item: isinstance(item, DType),
    "tuple": lambda item: isinstance(item, tuple),
    "None": lambda item: item is None,
}


@functools.cache
def _accepted(annotation: str) -> tuple[Callable[[Any], bool], ...]:
    """Tests of which one must hold. What is in a tuple isn't compared; a type that isn't known
    here accepts everything."""
    outer, changed = annotation, 1
    while changed:
        outer, changed = re.subn(r"\[[^\[\]]*\]", "", outer)
    return tuple(_ACCEPTS.get(part.strip(), lambda _: True) for part in outer.split("|"))
