"""Element types by the names that Keras has for them."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.dialect import DTYPES
from ir_hub.ir.types import DType
from ir_hub.sdk.errors import BadModel


def dtype_named(name: Any, where: str) -> DType:
    """The type of that name; a policy of Keras is the type that it computes in.

    Raises:
        BadModel: Keras has no such type.
    """
    if isinstance(name, dict):
        name = (name.get("config") or {}).get("name")
    if name == "string":
        return DType.STRING
    if name not in DTYPES:
        raise BadModel(f"{where} is of the type {name!r}, which Keras doesn't have")
    return DType(name)
