"""What the JSON of an exported program says, in our terms: types, sizes, arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.pytorch.payloads import DTYPES
from adapters.pytorch.symbols import parse_size
from ir_hub.codegen.names import unique
from ir_hub.ir.dims import Dim, ExpressionTooLarge, Symbol, substitute, symbol, symbols_of
from ir_hub.ir.types import TensorType
from ir_hub.sdk.errors import BadModel
from ir_hub.sdk.source import symbol_name

TYPES = "->"  # the attribute of a node with what the file says of its results
UNREADABLE = "irhub::unreadable"  # stands for what isn't a node but can't be read; says why
_NUMBERS = ("sym_int_values", "sym_bool_values", "sym_float_values")
VALUES = ("tensor_values", *_NUMBERS)  # a graph's tables of what its values are


@dataclass(frozen=True)
class Ref:
    """An argument that is a tensor: the number of the node's input."""

    index: int


@dataclass(frozen=True)
class Count:
    """An argument that is a size which the run computes: as an expression, None where it doesn't
    follow from the inputs' sizes, and as the number of the node's input that computes it."""

    dim: Dim | None
    index: int


@dataclass(frozen=True)
class Unknown:
    """An argument of a kind that isn't read."""

    kind: str


_PLAIN = ("as_int", "as_float", "as_string", "as_bool")
_LISTS = ("as_ints", "as_floats", "as_strings", "as_bools")
_SIZES = ("as_sym_int", "as_sym_float", "as_sym_bool")


class Decoder:
    """Reads types and arguments of one graph; `symbols` is what the file promises of its sizes."""

    def __init__(self, graph: Mapping[str, Any], ranges: Mapping[str, Any]) -> None:
        self.graph = graph
        self.symbols: dict[str, Symbol] = {}
        self.renamed: dict[str, Dim] = {}
        self.fixed: dict[str, Dim] = {}
        for name, limits in ranges.items():
            if name.isidentifier():
                self._promise(name, limits)

    def _promise(self, name: str, limits: Mapping[str, Any]) -> None:
        ours = symbol_name(name, self.symbols)
        low, high = limits.get("min_val"), limits.get("max_val")
        try:
            self.symbols[ours] = Symbol(ours, max(low or 0, 0), high)
        except (TypeError, ValueError) as error:
            raise BadModel(f"the file says that {name} is {low} to {high}") from error
        self.renamed[name] = symbol(ours)

    def size(self, item: Mapping[str, Any]) -> Dim | None:
        """A size; None for one that can't be said in terms of known symbols."""
        if "as_int" in item:
            return int(item["as_int"])
        try:
            dim = parse_size(item["as_expr"]["expr_str"])
            if symbols_of(dim) - self.renamed.keys():
                return None
            return substitute(substitute(dim, self.renamed), self.fixed)
        except (KeyError, TypeError, ValueError, ExpressionTooLarge):
            return None

    def type(self, name: str) -> TensorType | None:
        """What the file says a tensor is; a size that it can't say is 'unknown': None."""
        meta = self.graph["tensor_values"].get(name)
        dtype = DTYPES.get(meta["dtype"]) if meta else None
        if dtype is None:
            return None
        sizes = [self.size(item) for item in meta["sizes"]]
        known = tuple(size for size in sizes if size is not None)
        return TensorType(dtype, known if len(known) == len(sizes) else None)

    def argument(self, item: Mapping[str, Any], inputs: list[str]) -> Any:
        """An argument; the names of the values that it reads are appended to `inputs`."""
        ((kind, value),) = item.items()
        if kind in _PLAIN:
            return plain(kind, value)
        if kind in _LISTS:
            return tuple(plain(kind, each) for each in value)
        if kind in ("as_none", "as_device", "as_memory_format", "as_layout"):
            return None if kind == "as_none" else Unknown(kind)
        if kind == "as_scalar_type":
            return DTYPES.get(value, Unknown(f"the element type {value}"))
        if kind in _SIZES:
            return self._count(value, inputs)
        if kind in ("as_sym_ints", "as_sym_floats", "as_sym_bools"):
            return tuple(self._count(each, inputs) for each in value)
        return self._tensors(kind, value, inputs)

    def _tensors(self, kind: str, value: Any, inputs: list[str]) -> Any:
        if kind == "as_tensor":
            return _ref(value["name"], inputs)
        if kind == "as_tensors":
            return tuple(_ref(each["name"], inputs) for each in value)
        if kind in ("as_optional_tensor", "as_optional_tensors"):
            each = [value] if kind == "as_optional_tensor" else value
            found = tuple(
                _ref(one["as_tensor"]["name"], inputs) if "as_tensor" in one else None
                for one in each
            )
            return found[0] if kind == "as_optional_tensor" else found
        return Unknown(kind.removeprefix("as_"))

    def _count(self, item: Mapping[str, Any], inputs: list[str]) -> Any:
        if "as_name" not in item:
            return next(iter(item.values()))
        name = item["as_name"]
        said = self.graph["sym_int_values"].get(name)
        dim = None if said is None else self.size(said)
        return dim if isinstance(dim, int) else Count(dim, _ref(name, inputs).index)


def _ref(name: str, inputs: list[str]) -> Ref:
    if name not in inputs:
        inputs.append(name)
    return Ref(inputs.index(name))


def plain(kind: str, value: Any) -> Any:
    """A number, text or bool; JSON has no infinite numbers: they are texts there."""
    return float(value) if kind.startswith("as_float") else value


def outputs_of(signature: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The tensors that a program gives, by their names in the graph, and what to call them: one
    that is given twice has another name then."""
    found: dict[str, str] = {}
    for spec in signature["output_specs"]:
        argument = spec.get("user_output", {}).get("arg", {})
        if "as_tensor" in argument:
            name = argument["as_tensor"]["name"]
            found[unique(name, found)] = name
    return [(name, called) for called, name in found.items()]


def names_of(items: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of a node's results, in order; one that is no value has none."""
    found: list[str] = []
    for item in items:
        ((kind, value),) = item.items()
        if kind in ("as_tensor", *_SIZES):
            found.append(value.get("name") or value.get("as_name", ""))
        elif kind == "as_tensors":
            found += [each["name"] for each in value]
        elif kind == "as_optional_tensors":
            found += [one["as_tensor"]["name"] if "as_tensor" in one else "" for one in value]
        else:
            found.append("")
    return tuple(found)


def is_size(name: str, graph: Mapping[str, Any]) -> bool:
    """Whether a value is a Python number, not a tensor."""
    return any(name in graph.get(table, ()) for table in _NUMBERS)
