"""Models to and from the protobuf of `irhub.ir.v1`; only the files `serde*` know it."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import DecodeError

from ir_hub.ir.errors import BadIR
from ir_hub.ir.graph import Model
from ir_hub.ir.pack import Put
from ir_hub.ir.serde_read import load
from ir_hub.ir.serde_write import dump
from ir_hub.ir.tensor import Blob
from irhub.ir.v1 import ir_pb2

__all__ = ["dump", "dump_bytes", "load", "load_bytes"]


def dump_bytes(model: Model, put: Put, opset: int) -> bytes:
    """A model as bytes, the same for the same model; see `dump`."""
    return dump(model, put, opset).SerializeToString(deterministic=True)


def load_bytes(data: bytes, open_blob: Callable[[Blob], memoryview], opset: int) -> Model:
    """A model from its bytes; see `load`. Raises BadIR when they aren't one."""
    try:
        proto = ir_pb2.Model.FromString(data)
    except DecodeError as error:
        raise BadIR(f"{len(data)} bytes are no irhub.ir.v1.Model: {error}") from error
    return load(proto, open_blob, opset)
