"""What Gluon code looks like, and the short forms that most of its rows are written in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.mxnet.dialect import mxnet
from ir_hub.codegen.derived import derived
from ir_hub.codegen.draft import Draft, expression
from ir_hub.codegen.spelling import Expr, Style
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import known_sizes, only

# MXNet's own operators know these element types.
TYPES = (DType.BOOL, DType.INT8, DType.UINT8, DType.INT32, DType.INT64, DType.FLOAT16,
         DType.FLOAT32, DType.FLOAT64)  # fmt: skip

# fmt: off
RESERVED = frozenset({
    "F", "add", "apply", "cast", "collect_params", "export", "forward", "hybrid_forward",
    "hybridize", "infer_shape", "infer_type", "initialize", "kwargs", "load_parameters",
    "load_params", "name", "name_scope", "optimize_for", "params", "prefix", "register_child",
    "register_forward_hook", "register_forward_pre_hook", "register_op_hook", "save_parameters",
    "save_params", "summary",
})
# fmt: on

STYLE = Style(
    base="HybridBlock",
    forward="hybrid_forward",
    sequential="nn.HybridSequential",
    named="",
    parameter='self.{name} = self.params.get("{name}", shape={shape}{dtype})',
    buffer='self.{name} = self.params.get("{name}", shape={shape}{dtype}, grad_req="null")',
    dtypes={dtype.value: f'"{dtype.value}"' for dtype in TYPES},
    reserved=RESERVED,
    names=frozenset({"F", "GroupNorm", "HybridBlock", "RMSNorm", "mx", "nn", "np", "rnn"}),
)


def rows(table: Mapping[str, str], *, numbers: str = "") -> None:
    """Registers a rule for each op of a table of expressions."""
    for op, text in table.items():
        mxnet.write(op)(tensors(text, numbers=numbers))


def tensors(text: str, *, numbers: str = "") -> Any:
    """As `expression`; a constant without axes, which MXNet doesn't have, gets one."""
    write = expression(text, numbers=numbers)

    def rule(node: Node) -> Expr:
        made = write(node)
        inputs = [v if i in made.numbers else with_axis(v) for i, v in enumerate(made.inputs)]
        return Expr(made.text, inputs, made.literals, made.numbers, made.targets)

    return rule


def with_axis(value: Value) -> Value:
    """A constant without axes as one with an axis of size 1; every other value as it is."""
    if not value.is_constant or value.shape != ():
        return value
    return derived(value, (1,), lambda array: array.reshape(1))


class GluonDraft(Draft):
    """A draft whose tensors all have axes."""

    def tensor(self, value: Value) -> str:
        """A tensor."""
        return super().tensor(with_axis(value))

    def scalar(self, value: Value) -> str:
        """A tensor that is written as a number when it is a constant of one element."""
        if value.scalar is None:
            return self.tensor(value)
        if value.shape != ():  # one with axes might be taken for a weight
            value = derived(value, (), lambda array: array.reshape(()))
        text = Draft.tensor(self, value)
        self._numbers.add(self._inputs.index(value))
        return text


def leading(text: str, count: int) -> str:
    """Code of a tensor with so many axes of size 1 before its own."""
    for _ in range(count):
        text = f"F.expand_dims({text}, axis=0)"
    return text


class OpenSize(Unsupported):
    """What MXNet could say if a size were a number."""


def known(condition: Any, reason: str) -> None:
    """Refuses to write a node, with the reason, which an open size is, unless a condition holds."""
    if not condition:
        raise OpenSize(reason)


def in_order(node: Node) -> None:
    """Refuses a spatial op whose axes are in another order than MXNet's."""
    wanted = mxnet.axes[node.op]
    only(node.axes == wanted, f"its axes are {node.axes}, MXNet's are {wanted}")


def whole_sizes(argument: Any, what: str) -> tuple[int, ...]:
    """Sizes that are all numbers; Unsupported when one is open."""
    sizes = known_sizes(argument, f"{what} is computed")
    known(all(isinstance(size, int) for size in sizes), f"{what} has open sizes: {sizes}")
    return sizes


def is_computed(*values: Value | None) -> None:
    """Refuses products of what MXNet has no matrix products of on a CPU."""
    types = {value.dtype for value in values if value is not None}
    only(types <= {DType.FLOAT32} or types <= {DType.FLOAT64}, "MXNet multiplies matrices of "
         f"float32 or of float64 only, not {', '.join(sorted(map(repr, types)))}")  # fmt: skip


def is_vector(value: Value | None, size: int) -> bool:
    """Whether a value is left out, or a constant that is a layer's vector of that size."""
    return value is None or (value.is_constant and value.shape == (size,))


def dtype_name(value: Value) -> str:
    """The name of a value's type."""
    only(value.dtype is not None, "the type of its elements isn't known")
    assert value.dtype is not None
    return value.dtype.value
