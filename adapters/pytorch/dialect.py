"""PyTorch's table, and the short forms that most of its rows are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ir_hub.codegen.draft import Draft as BaseDraft
from ir_hub.codegen.draft import expression
from ir_hub.codegen.spelling import Layer, Style
from ir_hub.codegen.steps import is_number
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.dialect import Dialect
from ir_hub.sdk.operands import only

AXES = {
    "conv": "NC*,OI*->NC*",
    "conv_integer": "NC*,OI*->NC*",
    "conv_transpose": "NC*,IO*->NC*",
    "resize": "NC*->NC*",
    **dict.fromkeys(
        (
            "max_pool",
            "avg_pool",
            "lp_pool",
            "global_avg_pool",
            "global_max_pool",
            "global_lp_pool",
            "batch_norm",
            "group_norm",
            "instance_norm",
            "lrn",
            "depth_to_space",
            "space_to_depth",
            "grid_sample",
        ),
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
    absent="nn.Identity()",
    listed="nn.ModuleList",
)  # fmt: skip


class Draft(BaseDraft):
    """An expression of PyTorch's while it is put together."""

    def number(self, value: Value) -> str:
        """A tensor of one element, as a Python number."""
        return self.scalar(value) if is_number(value) else f"{self.tensor(value)}.item()"

    def sizes(self, argument: Any, name: str = "sizes") -> str:
        """Sizes, as a tuple or a list."""
        if not isinstance(argument, Value):
            return self.literal(tuple(argument), name)
        if argument.is_constant:
            return self.literal(tuple(map(int, argument.array().reshape(-1))), name)
        return f"{self.tensor(argument)}.tolist()"


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


def constant_of(node: Node, name: str) -> Value:
    """A tensor argument that must be a constant, because it becomes a layer's weight."""
    value: Value = node.args[name]  # type: ignore[assignment]
    only(value.is_constant, f"its {name} isn't a constant")
    return value
