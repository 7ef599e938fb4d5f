"""Layers that apply another one: to each step of time, or with weights that training normalises."""

from __future__ import annotations

from adapters.tensorflow.config import Call
from adapters.tensorflow.dialect import tensorflow
from adapters.tensorflow.reading import rank, size_of
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk import dialect
from ir_hub.sdk.dialect import TRAINS_WITHOUT
from ir_hub.sdk.errors import BadModel

NAMES = ("TimeDistributed", "SpectralNormalization")
_JOIN, _PART, _NOTE = "TimeDistributed.join", "TimeDistributed.part", "SpectralNormalization.note"
# Layers that go over the last axis or each element, and so need no step of its own.
_ANY_RANK = ("Dense", "Activation", "Dropout", "ReLU", "LeakyReLU", "ELU", "Embedding", "Rescaling")


def opened(call: Call) -> tuple[Call, str, str]:
    """The call of the layer in a wrapper, and the kinds of the nodes before and after it, "" for
    none. That after it gets what the layer gives, and what the wrapper was called with.

    Raises:
        BadModel: there is no layer in it.
    """
    layer = call.layer["config"].get("layer")
    if not isinstance(layer, dict):
        raise BadModel(f"{call.layer.get('name')} ({call.layer['class_name']}) has no layer in it")
    inner = Call(layer, call.number, call.args, call.kwargs, call.needs, call.results)
    if call.layer["class_name"] == "SpectralNormalization":
        return inner, _NOTE, ""
    if layer.get("class_name") in _ANY_RANK:
        inner.kwargs = {}  # such layers have no use for a mask
        return inner, "", ""
    return inner, _JOIN, _PART


@tensorflow.read(_NOTE)
def _(call: dialect.Call, b: Builder) -> Value:
    b.note(TRAINS_WITHOUT)
    return b.identity(call.inputs[0])  # type: ignore[no-any-return]


@tensorflow.read(_JOIN)
def _(call: dialect.Call, b: Builder) -> Value:
    """(batch, steps, ...) as (batch * steps, ...)."""
    x = call.inputs[0]
    assert x is not None
    sizes = tuple(size_of(x, axis) for axis in range(2, rank(x)))
    return b.reshape(x, (-1, *sizes))  # type: ignore[no-any-return]


@tensorflow.read(_PART)
def _(call: dialect.Call, b: Builder) -> Value:
    """(batch * steps, ...) as (batch, steps, ...), with as many steps as the second input has."""
    y, x = call.inputs
    assert y is not None
    assert x is not None
    sizes = tuple(size_of(y, axis) for axis in range(1, rank(y)))
    return b.reshape(y, (-1, size_of(x, 1), *sizes))  # type: ignore[no-any-return]
