"""ONNX's op table: empty here, filled by the `ops_*.py` files, all of them read by `ops.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.onnx.elements import dtype_of
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Dialect, Unsupported

CONV = "NC*,OI*->NC*"
CONV_TRANSPOSE = "NC*,IO*->NC*"
WINDOW = "NC*->NC*"

table = Dialect(
    "onnx",
    axes={
        "conv": CONV,
        "conv_integer": CONV,
        "conv_transpose": CONV_TRANSPOSE,
        "max_pool": WINDOW,
        "avg_pool": WINDOW,
        "lp_pool": WINDOW,
        "global_avg_pool": WINDOW,
        "global_max_pool": WINDOW,
        "global_lp_pool": WINDOW,
        "resize": WINDOW,
        "batch_norm": WINDOW,
        "group_norm": WINDOW,
        "instance_norm": WINDOW,
        "lrn": WINDOW,
        "depth_to_space": WINDOW,
        "space_to_depth": WINDOW,
        "grid_sample": WINDOW,
    },
    unread={
        "ai.onnx.ml::": "it is of a classical model, which networks' frameworks have no ops for",
        "com.microsoft": "it is ONNX Runtime's own; give the model as it was before ONNX Runtime "
        "optimised or quantised it",
    },
)


def rank_of(value: Value | None, what: str) -> int:
    """The rank of an operand; Unsupported when only the run knows it."""
    if value is None or value.type is None or value.type.shape is None:
        raise Unsupported(f"the rank of {what} isn't known: give the model's input shapes")
    return len(value.type.shape)


def constant_of(value: Value | None, what: str) -> Any:
    """The elements of an operand as nested lists; Unsupported when only the run knows them."""
    if value is None or not value.is_constant:
        raise Unsupported(f"{what} is computed; only a constant can be read")
    return value.array().tolist()


def expect(call: Call, **expected: Any) -> None:
    """Refuses a node whose attributes, where it has them, aren't the only ones that can be read."""
    for name, value in expected.items():
        if call.attrs.get(name, value) != value:
            raise Unsupported(f"{call.type} with {name}={call.attrs[name]!r}")


def only(call: Call, *names: str) -> None:
    """Refuses a node that has attributes other than these."""
    strange = ", ".join(name for name in call.attrs if name not in names)
    if strange:
        raise Unsupported(f"{call.type} has the attribute {strange}")


def dtype_of_number(number: int) -> DType:
    """An attribute that is an element type."""
    return dtype_of(number, "an attribute")


def folded(
    items: tuple[Value | None, ...], combine: Callable[[Any, Any], Value], b: Builder
) -> Value:
    """Several operands combined two by two, from the first on; a lone one passes through."""
    present = [item for item in items if item is not None]
    result = present[0]
    for item in present[1:]:
        result = combine(result, item)
    return result if len(present) > 1 else b.identity(result)
