"""Types of what need not fit: a branch that these sizes never take may contradict them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Argument, Value
from ir_hub.ir.types import TensorType
from ir_hub.ops.op import Op


def types_at_any_size(
    op: Op, args: Mapping[str, Argument], fresh: Callable[[], Dim]
) -> list[TensorType | None]:
    """The results' types if nothing were known of the operands but how many axes they have."""
    args = {name: _of_any_size(argument, fresh) for name, argument in args.items()}
    try:
        return op.infer(args, fresh)
    except ValueError:
        return [None] * op.result_count(args)


def _of_any_size(argument: Argument, fresh: Callable[[], Dim]) -> Argument:
    if isinstance(argument, Value) and argument.shape is not None and not argument.is_constant:
        assert argument.type is not None
        sizes = tuple(fresh() for _ in argument.shape)
        return Value(argument.name, argument.type.with_shape(sizes))
    if isinstance(argument, tuple) and argument and isinstance(argument[0], Value):
        return tuple(_of_any_size(item, fresh) for item in argument)  # type: ignore[return-value]
    return argument
