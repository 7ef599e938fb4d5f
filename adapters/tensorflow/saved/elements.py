"""TensorFlow's element types, constants and attributes as data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, tensor_pb2, types_pb2
from tensorflow.python.framework import tensor_util

from ir_hub.ir.types import DType
from ir_hub.sdk.errors import BadModel

Array = np.ndarray[Any, Any]
_LARGEST = 1 << 28  # elements of a constant that the file says with fewer
_NAMES = {member.value for member in DType}


def dtype_or_none(number: int) -> DType | None:
    """A type by its number in a file; None for one that no tensor of ours has."""
    try:
        name = tf.dtypes.as_dtype(number).name
    except TypeError:
        return None
    return DType(name) if name in _NAMES else None


def dtype_of(number: int, where: str) -> DType:
    """A type by its number in a file.

    Raises:
        BadModel: no tensor of ours has it.
    """
    found = dtype_or_none(number)
    if found is None:
        known = number in types_pb2.DataType.values()
        name = types_pb2.DataType.Name(number) if known else f"number {number}"
        raise BadModel(f"{where} is of the type {name}, which isn't read")
    return found


def constant_of(proto: tensor_pb2.TensorProto, where: str) -> Array:
    """The elements of a constant in a graph.

    Raises:
        BadModel: it makes no sense.
    """
    dtype = dtype_of(proto.dtype, where)
    shape = shape_of(proto.tensor_shape)
    if shape is None or None in shape or math.prod(shape) > _LARGEST:  # type: ignore[arg-type]
        raise BadModel(f"{where} says that its shape is {shape}")
    try:
        found = np.asarray(tensor_util.MakeNdarray(proto))
    except (ValueError, TypeError, IndexError) as error:
        raise BadModel(f"{where} can't be read: {str(error)[:200]}") from error
    if dtype is DType.STRING:
        return np.array(
            [text.decode("utf-8", "replace") for text in found.reshape(-1).tolist()], object
        ).reshape(found.shape)
    return found.astype(dtype.numpy, copy=False)


def shape_of(proto: Any) -> tuple[int | None, ...] | None:
    """Sizes in a file, None for one that is open; None for an unknown rank."""
    if proto.unknown_rank:
        return None
    return tuple(int(dim.size) if dim.size >= 0 else None for dim in proto.dim)


def attribute_of(proto: attr_value_pb2.AttrValue) -> Any:
    """An attribute: numbers, texts, tuples of them, types, shapes; a function by its name."""
    kind = proto.WhichOneof("value")
    if kind == "s":
        return proto.s.decode("utf-8", "replace")
    if kind == "f":
        return _shortest(proto.f)
    if kind == "type":
        return dtype_or_none(proto.type)
    if kind == "shape":
        return shape_of(proto.shape)
    if kind == "func":
        return proto.func.name
    if kind == "list":
        return _items(proto.list)
    return getattr(proto, kind) if kind in ("i", "b", "tensor") else None


def _items(proto: Any) -> tuple[Any, ...]:
    if proto.s:
        return tuple(text.decode("utf-8", "replace") for text in proto.s)
    if proto.f:
        return tuple(map(_shortest, proto.f))
    if proto.type:
        return tuple(map(dtype_or_none, proto.type))
    if proto.shape:
        return tuple(map(shape_of, proto.shape))
    return tuple(proto.i) or tuple(proto.b)


def _shortest(value: float) -> float:
    """The number with the fewest digits that is the same float32: 0.001, not 0.0010000000475."""
    return float(str(np.float32(value)))
