"""PyTorch's table, and the short forms that most of its rows are written in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_hub.codegen.names import unique
from ir_hub.codegen.spelling import Expr, Layer, Style
from ir_hub.codegen.steps import is_number
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.dialect import Dialect, Unsupported

AXES = {
    "conv": "NC*,OI*->NC*",
    "conv_integer": "NC*,OI*->NC*",
    "conv_transpose": "NC*,IO*->NC*",
    "resize": "NC*->NC*",
    **dict.fromkeys(
        ("max_pool", "avg_pool", "lp_pool", "global_avg_pool", "global_max_pool", "global_lp_pool"),
        "NC*->NC*",
    ),
}

HALVES = (DType.FLOAT16, DType.BFLOAT16)

pytorch = Dialect("pytorch", AXES)

STYLE = Style(
    base="nn.Module",
    forward="forward",
    sequential="nn.Sequential",
    named="OrderedDict({items})",
    parameter="self.{name} = nn.Parameter(torch.empty({shape}{dtype}))",
    buffer='self.register_buffer("{name}", torch.empty({shape}{dtype}))',
    dtypes={
        **{
            name: f"torch.{name}"
            for name in (
                "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
                "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz",
            )
        }
    },
    reserved=frozenset(
        {
            "T_destination", "add_module", "append", "apply", "bfloat16", "buffers",
            "call_super_init", "children", "compile", "cpu", "cuda", "double", "dump_patches",
            "eval", "extend", "extra_repr", "float", "forward", "get_buffer", "get_extra_state",
            "get_parameter", "get_submodule", "half", "insert", "load_state_dict", "modules",
            "mtia", "named_buffers", "named_children", "named_modules", "named_parameters",
            "parameters", "pop", "register_buffer", "register_module", "register_parameter",
            "requires_grad_", "set_extra_state", "share_memory", "state_dict", "to", "to_empty",
            "train", "training", "type", "xpu", "zero_grad",
        }
    ),
    names=frozenset({"Callable", "F", "Fraction", "OrderedDict", "Tensor", "nn", "torch"}),
)  # fmt: skip


def expression(text: str, *, numbers: str = "") -> Callable[[Node], Expr]:
    """A rule for an op that is one expression: `{0}` and on are its tensors in the op's order,
    `{name}` its literals. `numbers` are the tensors that may be Python numbers: "1", "all"."""
    atom = not re.search(r"\}\s(\*\*|//|<<|>>|[<>=!]=|[-+*/%@&|^<>])\s|^[-~]", text)
    names = re.findall(r"\{([a-z]\w*)\}", text)

    def rule(node: Node) -> Expr:
        inputs = [value for _, value in node.operands()]
        allowed = range(len(inputs)) if numbers == "all" else map(int, numbers.split())
        literals = {name: node.args[name] for name in names}
        return Expr(text, inputs, literals, atom, _numbers(inputs, list(allowed)))

    return rule


def _numbers(inputs: list[Value], allowed: list[int]) -> frozenset[int]:
    """Those of the allowed operands that may be numbers: never all of them, since at least one
    has to be a tensor, of the type that the result has."""
    found = {i for i in allowed if i < len(inputs) and inputs[i].scalar is not None}
    tensors = [i for i in allowed if i < len(inputs) and i not in found]
    if not tensors or not _keeps_shape(inputs, found, tensors):
        return frozenset()
    types = {inputs[i].dtype for i in (*found, *tensors)}
    return frozenset(found) if len(types) == 1 else frozenset()


def _keeps_shape(inputs: list[Value], numbers: set[int], tensors: list[int]) -> bool:
    """Whether the result has the same rank without the numbers' axes of size 1."""
    if any(inputs[i].shape is None for i in tensors):
        return all(inputs[i].shape == () for i in numbers)
    rank = max(len(inputs[i].shape or ()) for i in tensors)
    return all(len(inputs[i].shape or ()) <= rank for i in numbers)


class Draft:
    """An expression while it is put together: each method gives the text that stands for an
    operand or a literal in the expression's own text."""

    def __init__(self) -> None:
        self._inputs: list[Value] = []
        self._literals: dict[str, Any] = {}
        self._numbers: set[int] = set()

    def tensor(self, value: Value) -> str:
        """A tensor."""
        if value not in self._inputs:
            self._inputs.append(value)
        return f"{{{self._inputs.index(value)}}}"

    def tensors(self, *values: Value | None) -> str:
        """Tensors as arguments of a call; None as None."""
        return ", ".join("None" if value is None else self.tensor(value) for value in values)

    def number(self, value: Value) -> str:
        """A tensor of one element, as a Python number."""
        text = self.tensor(value)
        if not is_number(value):
            return f"{text}.item()"
        self._numbers.add(self._inputs.index(value))
        return text

    def scalar(self, value: Value) -> str:
        """A tensor that is written as a number when it is a constant of one element."""
        return self.number(value) if is_number(value) else self.tensor(value)

    def literal(self, item: Any, name: str = "value") -> str:
        """A literal; `name` is what a parameter is called that takes its place."""
        name = unique(name, self._literals)
        self._literals[name] = item
        return f"{{{name}}}"

    def each(self, items: Iterable[Any], name: str) -> str:
        """Literals as arguments of a call, one by one."""
        return ", ".join([self.literal(item, name) for item in items])

    def sizes(self, argument: Any, name: str = "sizes") -> str:
        """Sizes, as a tuple or a list."""
        if not isinstance(argument, Value):
            return self.literal(tuple(argument), name)
        if argument.is_constant:
            return self.literal(tuple(map(int, argument.array().reshape(-1))), name)
        return f"{self.tensor(argument)}.tolist()"

    def done(self, text: str, *, atom: bool = True, targets: str = "") -> Expr:
        """The expression."""
        numbers = frozenset(self._numbers)
        return Expr(text, self._inputs, self._literals, atom, numbers, targets)


def known_sizes(argument: Any, reason: str) -> tuple[Any, ...]:
    """Sizes as a tuple; Unsupported, with the reason, when only the run knows them."""
    if isinstance(argument, Value) and argument.is_constant:
        return tuple(map(int, argument.array().reshape(-1)))
    if not isinstance(argument, tuple):
        raise Unsupported(reason)
    return argument


def module(ctor: str, function: str, **kwargs: str) -> Callable[[Node], Layer]:
    """A rule for a layer without weights: its class with the arguments pytorch=ours, and the
    function that does the same."""
    write = expression(function)

    def rule(node: Node) -> Layer:
        given = {theirs: node.args[mine] for theirs, mine in kwargs.items()}
        return Layer(ctor, [node.x], given, function=write(node))

    return rule


def rows(table: Mapping[str, str], *, numbers: str = "") -> None:
    """Registers a rule for each op of a table of expressions."""
    for op, text in table.items():
        pytorch.write(op)(expression(text, numbers=numbers))


def rank_of(value: Value) -> int:
    """The number of axes; Unsupported when it isn't known."""
    if value.shape is None:
        raise Unsupported("the rank of its input isn't known")
    return len(value.shape)


def only(condition: bool, reason: str) -> None:
    """Refuses a node, with the reason, unless a condition holds."""
    if not condition:
        raise Unsupported(reason)


def constant_of(node: Node, name: str) -> Value:
    """A tensor argument that must be a constant, because it becomes a layer's weight."""
    value: Value = node.args[name]  # type: ignore[assignment]
    only(value.is_constant, f"its {name} isn't a constant")
    return value


def plain(items: tuple[int, ...]) -> int | tuple[int, ...]:
    """A tuple of equal numbers as that number, as PyTorch's layers take it."""
    return items[0] if len(set(items)) == 1 else items


def axes_of(node: Node) -> None:
    """Refuses a spatial op whose axes are in another order than PyTorch's."""
    only(node.axes == AXES[node.op], f"its axes are {node.axes}, PyTorch's are {AXES[node.op]}")


def derived(
    value: Value,
    shape: tuple[int, ...],
    change: Callable[[np.ndarray], np.ndarray],
    dtype: DType | None = None,
) -> Value:
    """A constant made from another one; it is computed only when it is written."""
    assert value.data is not None
    tensor = Derived(value.data, shape, change, dtype)
    return Value(value.name, TensorType(tensor.dtype, shape), data=tensor)


@dataclass(frozen=True, eq=False)
class Derived:
    """A constant that is computed from another one each time it is read."""

    source: Tensor
    shape: tuple[int, ...]
    change: Callable[[np.ndarray], np.ndarray]
    dtype_: DType | None = None

    @property
    def dtype(self) -> DType:
        """The type of an element: the source's, unless another one was given."""
        return self.dtype_ or self.source.dtype

    def numpy(self) -> np.ndarray:
        """The elements."""
        return self.change(self.source.numpy())

    def permuted(self, permutation: Sequence[int]) -> Derived:
        """The same with its axes in another order."""
        return self.with_axes(permutation)

    def with_axes(self, axes: Sequence[int | None]) -> Derived:
        """The same with other axes of size 1."""
        kept = [axis for axis in axes if axis is not None]
        order = [*kept, *(axis for axis in range(len(self.shape)) if axis not in kept)]
        shape = tuple(1 if axis is None else self.shape[axis] for axis in axes)
        change = self.change

        def changed(array: np.ndarray) -> np.ndarray:
            return change(array).transpose(order).reshape(shape)

        return Derived(self.source, shape, changed, self.dtype_)
