"""PyTorch's table, and the short forms that most of its rows are written in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ir_hub.codegen.spelling import Expr, Layer, Style
from ir_hub.ir.graph import Node, Value
from ir_hub.sdk.dialect import Dialect, Unsupported

AXES = {
    "conv": "NC*,OI*->NC*",
    "conv_transpose": "NC*,IO*->NC*",
    **dict.fromkeys(
        ("max_pool", "avg_pool", "global_avg_pool", "global_max_pool", "max_pool_indices"),
        "NC*->NC*",
    ),
}

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
        "T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda"
        " double dump_patches eval extra_repr float forward get_buffer get_extra_state"
        " get_parameter get_submodule half load_state_dict modules mtia named_buffers"
        " named_children named_modules named_parameters parameters register_buffer"
        " register_module register_parameter requires_grad_ set_extra_state share_memory"
        " state_dict to to_empty train training type xpu zero_grad".split()
    ),
    names=frozenset({"F", "OrderedDict", "nn", "torch"}),
)  # fmt: skip


def expression(text: str, *, numbers: str = "") -> Any:
    """A rule for an op that is one expression: `{0}` and on are its tensors in the op's order,
    `{name}` its literals. `numbers` are the tensors that may be Python numbers: "1", "all"."""
    atom = not re.search(r"\}\s(\*\*|//|<<|>>|[<>=!]=|[-+*/%@&|^<>])\s|^[-~]", text)
    names = re.findall(r"\{\*?([a-z]\w*)\}", text)

    def rule(node: Node) -> Expr:
        inputs = [value for _, value in node.operands()]
        allowed = range(len(inputs)) if numbers == "all" else map(int, numbers.split())
        literals = {name: node.args[name] for name in names}
        return Expr(text, inputs, literals, atom, _numbers(inputs, allowed))

    return rule


def _numbers(inputs: list[Value], allowed: Any) -> frozenset[int]:
    """Those of the allowed operands that may be numbers: never all of them, since at least one
    has to be a tensor, of the type that the result has."""
    found = {i for i in allowed if i < len(inputs) and inputs[i].scalar is not None}
    tensors = [i for i in range(len(inputs)) if i not in found]
    if not tensors or not _keeps_shape(inputs, found, tensors):
        return frozenset()
    return frozenset(found)


def _keeps_shape(inputs: list[Value], numbers: set[int], tensors: list[int]) -> bool:
    """Whether the result has the same rank without the numbers' axes of size 1."""
    ranks = [len(inputs[i].shape or ()) for i in tensors if inputs[i].shape is not None]
    return all(len(inputs[i].shape or ()) <= max(ranks, default=0) for i in numbers)


def module(ctor: str, function: str, **kwargs: str) -> Any:
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
