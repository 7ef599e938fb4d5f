"""MXNet's table, how its nodes are read, and what its code looks like."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from adapters.mxnet import attributes
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ir.tensor import BlobTensor
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Dialect, Unsupported

CONV, CONV_TRANSPOSE, WINDOW = "NC*,OI*->NC*", "NC*,IO*->NC*", "NC*->NC*"

mxnet = Dialect(
    "mxnet",
    {
        "conv": CONV,
        "conv_transpose": CONV_TRANSPOSE,
        **dict.fromkeys(
            ("max_pool", "avg_pool", "global_avg_pool", "global_max_pool", "resize", "grid_sample"),
            WINDOW,
        ),
    },
)

# Attributes that change how fast something is computed, or how it is trained, and not what.
_IGNORED = frozenset({
    "ctx_group", "cudnn_algo_verbose", "cudnn_algo_fwd", "cudnn_algo_bwd_data", "lr_mult",
    "cudnn_algo_bwd_filter", "cudnn_off", "cudnn_tune", "ctx", "force_mirroring", "mirror_stage",
    "wd_mult", "workspace", "weight_lr_mult", "bias_lr_mult", "weight_wd_mult", "bias_wd_mult",
})  # fmt: skip


class Reading:
    """A node of a symbol while it is read: its operands, its attributes by name and kind. What
    isn't asked for is refused at the end, so that nothing in a file is overlooked."""

    def __init__(self, call: Call) -> None:
        self.type = call.type
        self.call = call
        self.asked: set[str] = set()

    @property
    def operands(self) -> tuple[Value, ...]:
        """All operands, none of which may have been left out."""
        if any(value is None for value in self.call.inputs):
            raise Unsupported(f"{self.type} reads zeros of an unknown batch")
        return tuple(value for value in self.call.inputs if value is not None)

    @property
    def x(self) -> Value:
        """The first operand."""
        return self.operand(0)

    def operand(self, index: int) -> Value:
        """An operand that has to be there."""
        value = self.call.input(index)
        if value is None:
            raise Unsupported(f"{self.type} has no operand {index}")
        return value

    def rank(self, index: int = 0) -> int:
        """The number of axes of an operand."""
        return len(self.shape(index))

    def shape(self, index: int = 0) -> tuple[Dim, ...]:
        """The sizes of an operand, which may have symbols."""
        shape = self.operand(index).shape
        if shape is None:
            raise Unsupported(
                f"{self.type} needs the rank of its operand {index}: give the shapes of the "
                "model's inputs, which MXNet's files don't hold"
            )
        return shape

    def _given(self, name: str, default: Any, parse: Callable[[str, str], Any]) -> Any:
        self.asked.add(name)
        text = self.call.attrs.get(name)
        return default if text is None or text == "None" else parse(text, name)

    def integer(self, name: str, default: int | None = None) -> Any:
        """A whole number."""
        return self._given(name, default, attributes.integer)

    def number(self, name: str, default: float | None = None) -> Any:
        """A number."""
        return self._given(name, default, attributes.number)

    def flag(self, name: str, default: bool = False) -> bool:
        """A truth value."""
        return bool(self._given(name, default, attributes.boolean))

    def integers(self, name: str, default: Any = ()) -> Any:
        """Several whole numbers, some of them perhaps None."""
        return self._given(name, default, attributes.integers)

    def numbers(self, name: str, default: tuple[float, ...]) -> tuple[float, ...]:
        """Several numbers."""
        found: tuple[float, ...] = self._given(name, default, attributes.numbers)
        return found

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        return str(self._given(name, default, lambda text, _: text))

    def dtype(self, name: str, default: DType | None = None) -> Any:
        """An element type."""
        return self._given(name, default, attributes.dtype)

    def axis(self, name: str, default: int, index: int = 0) -> int:
        """An axis of an operand, counted from the first; as it is where the rank isn't known."""
        axis: int = self.integer(name, default)
        shape = self.operand(index).shape
        return axis + len(shape) if axis < 0 and shape is not None else axis

    def bound(self, name: str, default: int, rank: int) -> int:
        """A place between the axes of a tensor, counted from the first."""
        place: int = self.integer(name, default)
        return place + rank if place < 0 else place

    def only(self, condition: bool, reason: str) -> None:
        """Refuses the node, with the reason, unless a condition holds."""
        if not condition:
            raise Unsupported(f"{self.type}: {reason}")

    def agree(self, name: str, weight: Value, axis: int, times: int = 1) -> None:
        """Refuses weights of another size than the node says; sizes may be left out.

        Raises:
            ValueError: they contradict each other.
        """
        said, shape = self.integer(name), weight.shape
        if said is None or shape is None or axis >= len(shape):
            return
        if shape[axis] * times != said:
            raise ValueError(f"it says {name}={said}, and its weight has the shape {list(shape)}")

    def unread(self) -> list[str]:
        """The attributes that were not asked for."""
        names = self.call.attrs.keys() - self.asked - _IGNORED
        return sorted(name for name in names if not re.fullmatch(r"__\w+__", name))


Rule = Callable[[Reading, Builder], Any]


def reads(*types: str) -> Callable[[Rule], Rule]:
    """Registers how nodes of these types become ours."""

    def register(rule: Rule) -> Rule:
        @functools.wraps(rule)
        def checked(call: Call, b: Builder) -> Any:
            node = Reading(call)
            found = rule(node, b)
            strange = ", ".join(f"{name}={call.attrs[name][:100]!r}" for name in node.unread())
            if strange:
                raise Unsupported(f"{call.type} with {strange}")
            return found

        mxnet.read(*types)(checked)
        return rule

    return register


def reshaped(value: Value, shape: tuple[int, ...]) -> Value:
    """A constant in another shape; of one that lies in a file no byte is moved."""
    assert value.data is not None
    assert math.prod(shape) == math.prod(value.data.shape)
    if isinstance(value.data, BlobTensor) and not value.data.permutation:
        data = replace(value.data, stored_shape=shape)
        return Value(value.name, TensorType(data.dtype, shape), data=data)
    from ir_hub.ir.graph import constant

    return constant(value.data.numpy().reshape(shape), value.name)
