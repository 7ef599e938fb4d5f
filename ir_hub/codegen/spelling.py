"""How a target writes one op: as a layer object, or as an expression. This is all that a target
says; nesting, classes, parameters, names and inlining are settled here, for all targets alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ir_hub.ir.graph import Value


@dataclass(frozen=True)
class Code:
    """A literal that is code already: a name of the framework, such as `torch.float32`. It comes
    from an op table, never from a model."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, eq=False)
class Expr:
    """An expression. `{0}` and on stand for the operands, `{name}` for the literal of that name,
    `{*name}` for the items of a tuple.

    Literals are Python values, sizes with symbols among them, or Code. Operands are put in
    parentheses where the text needs that. A constant of one element is written as a number where
    the operand's index is in `numbers`; any other constant becomes a parameter of the module
    around it. `targets` unpacks several results: "{0}, ({1}, {2})".
    """

    text: str
    inputs: Sequence[Value]
    literals: Mapping[str, Any] = field(default_factory=dict)
    numbers: frozenset[int] = frozenset()
    targets: str = ""


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer object: how it is constructed, and the constants that are its parameters and
    buffers by the layer's own keys.

    `kwargs` has every argument that may ever matter, in order, so that layers are comparable;
    those equal to `defaults` aren't written. The first `positional` ones are written without
    their names. `call` is how it is called: "{layer}({0})[0]"; empty: with all its inputs.
    `function` is the same without an object: where there is one, the object is only made in a
    sequence of layers.
    """

    ctor: str
    inputs: Sequence[Value]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    positional: int = 0
    call: str = ""
    targets: str = ""
    function: Expr | None = None


Spelling = Layer | Expr


@dataclass(frozen=True)
class Style:
    """What a framework's modules look like. `{...}` in the templates are pieces of code.

    `named` is what a sequence with named members is made of, `sequential` is empty where there are
    no sequences, `listed` where no list of modules is a module; `parameter` and `buffer` declare a
    constant of a module: {name}, {shape}, {dtype};
    `reserved` are attribute names that its modules already have, `names` those that the file
    imports. `marks` are what may be in an attribute's name besides letters, digits and
    underscores: where there are some, names are texts, and not those of Python's attributes.
    `absent` is what stands in for a child that only some modules of a class have; empty: modules
    with other children are other classes.
    """

    base: str
    forward: str
    sequential: str
    named: str  # "OrderedDict({items})"
    parameter: str
    buffer: str
    dtypes: Mapping[str, str]
    reserved: frozenset[str]
    names: frozenset[str]
    marks: str = ""
    absent: str = ""
    listed: str = ""
