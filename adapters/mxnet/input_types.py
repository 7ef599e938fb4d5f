"""The types of a model's inputs, as far as its files tell them."""

from __future__ import annotations

import re

from adapters.mxnet.attributes import dtype as dtype_of
from adapters.mxnet.attributes import integers
from adapters.mxnet.files import Loaded
from adapters.mxnet.params import DTYPES
from ir_hub.ir.dims import Dim
from ir_hub.ir.dims import Symbol as Size
from ir_hub.ir.dims import symbol as size_named
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.source import symbol_name

# Ops whose result has the shape of their first operand.
_LIKE_ITS_INPUT = frozenset({
    "Activation", "BatchNorm", "Cast", "Dropout", "LRN", "_copy", "_div_scalar", "_minus_scalar",
    "_mul_scalar", "_plus_scalar", "amp_cast", "cast", "clip", "identity", "relu",
})  # fmt: skip
_CHANNELS_FIRST = ("None", "NCW", "NCHW", "NCDHW")


def said_type(loaded: Loaded, index: int, sizes: dict[str, Size]) -> TensorType:
    """What the file says of the type of an input, a variable: a size of 0 is open, no shape is
    any. Open sizes are added to `sizes`."""
    node = loaded.symbol.nodes[index]
    dtype, said = DType.FLOAT32, node.attrs.get("__dtype__", "")
    if said.isdigit() and int(said) < len(DTYPES):
        dtype = DTYPES[int(said)]
    elif said and not said.lstrip("-").isdigit():
        dtype = _or_float(said)
    shape = node.attrs.get("__shape__")
    try:
        given = integers(shape, "__shape__") if shape else ()
    except Unsupported:
        given = ()
    given = given or _convolved(loaded, index)
    if not given:
        return TensorType(dtype)
    return TensorType(dtype, tuple(_size(s, node.name, i, sizes) for i, s in enumerate(given)))


def _convolved(loaded: Loaded, index: int) -> tuple[int | None, ...]:
    """The shape of what a convolution is done with: its weight has as many axes, and says how many
    channels there are. None is an open size; () if there is no convolution."""
    nodes = loaded.symbol.nodes
    alike = {index}
    for place, node in enumerate(nodes):
        first = node.inputs[0][0] if node.inputs else -1
        if first not in alike:
            continue
        if node.op in _LIKE_ITS_INPUT:
            alike.add(place)
        elif node.op == "Convolution" and node.attrs.get("layout", "None") in _CHANNELS_FIRST:
            weight = next((loaded.arrays.get(nodes[i].name) for i, _ in node.inputs[1:2]), None)
            groups = re.fullmatch("[0-9]{1,6}", node.attrs.get("num_group", "1"))
            if weight is not None and len(weight.shape) > 2 and groups:
                channels = weight.shape[1] * int(groups[0])
                return None, channels, *[None] * (len(weight.shape) - 2)
    return ()


def _or_float(text: str) -> DType:
    try:
        return dtype_of(text, "__dtype__")
    except Unsupported:
        return DType.FLOAT32


def _size(said: int | None, name: str, axis: int, sizes: dict[str, Size]) -> Dim:
    if said:
        return said
    called = symbol_name(f"{name}_{axis}", sizes)
    sizes[called] = Size(called, min=1)
    return size_named(called)
