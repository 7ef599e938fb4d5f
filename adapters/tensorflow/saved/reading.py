"""How rules that read TensorFlow's own ops are written: as functions with the op's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from adapters.tensorflow.dialect import tensorflow
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported
from ir_hub.sdk.operands import agree

Rule = TypeVar("Rule", bound=Callable[..., Any])

PREFIX = "tf."  # before the op's name; layers of Keras have none
SHAPES, DTYPES = "irhub shapes", "irhub dtypes"  # what the file says of the results
# How it is computed, or how many tensors it reads: it doesn't change what is computed. Types
# needn't be asked for either: those of the results are compared.
_SILENT = frozenset({
    "N", "bad_indices_policy", "grad_a", "grad_b", "grad_x", "grad_y", "use_cudnn_on_gpu",
    "validate_indices",
})  # fmt: skip


def op(*names: str) -> Callable[[Rule], Rule]:
    """Registers a rule that reads the ops of these names, "AddV2". It is called with a builder,
    the op's tensors, and those attributes by name that it asks for; attributes that are missing in
    the file have the op's own defaults. It returns the value of each result."""

    def register(rule: Rule) -> Rule:
        tensorflow.read(*(f"{PREFIX}{name}" for name in names))(_Reader(rule).read)
        return rule

    return register


class _Reader:
    """Calls a rule with a node's arguments, and compares what it made with what the file says."""

    def __init__(self, rule: Callable[..., Any]) -> None:
        self.rule = rule
        params = inspect.signature(rule).parameters.values()
        self.asked = {p.name for p in params if p.kind is p.KEYWORD_ONLY}

    def read(self, call: Call, b: Builder) -> Any:
        attrs = dict(call.attrs)
        shapes, dtypes = attrs.pop(SHAPES, ()), attrs.pop(DTYPES, ())
        strange = sorted(
            name
            for name, value in attrs.items()
            if name not in self.asked | _SILENT and not isinstance(value, DType | None)
        )
        if strange:
            said = ", ".join(f"{name} = {str(attrs[name])[:60]}" for name in strange)
            raise Unsupported(f"{call.type} with {said}")
        if any(value is None or value.type is None for value in call.inputs):
            raise Unsupported(f"{call.type} of a value whose type isn't known")
        found = self.rule(b, *call.inputs, **{name: attrs.get(name) for name in self.asked})
        results = list(found) if isinstance(found, tuple | list) else [found]
        for i, value in enumerate(results):
            dtype = dtypes[i] if i < len(dtypes) else None
            agree(call.type, value, dtype, shapes[i] if i < len(shapes) else None)
        return results


def same(table: Mapping[str, str]) -> None:
    """Registers ops that ours say alike, with as many tensors: ours by theirs."""

    def rule_for(ours: str) -> Callable[..., Any]:
        return lambda b, *tensors: b.call(ours, *tensors)

    for theirs, ours in table.items():
        op(theirs)(rule_for(ours))
