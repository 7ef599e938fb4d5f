"""Runs a model with MXNet: a symbol bound to its arrays, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mxnet as mx
import numpy as np

from adapters.mxnet.files import Loaded, graph_of, load
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files
from ir_hub.sdk.errors import BadRequest, RunFailed

Array = np.ndarray[Any, Any]


def run(files: Files, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The outputs by name.

    Raises:
        BadRequest: the inputs aren't the model's.
        RunFailed: MXNet refused.
    """
    loaded = load(files)
    if sorted(loaded.inputs) != sorted(inputs):
        raise BadRequest(f"the model's inputs are {loaded.inputs}, not {sorted(inputs)}")
    try:
        found = _executed(loaded, files, inputs)
        return {name: to_numpy(array) for name, array in found.items()}
    except (mx.MXNetError, ValueError, TypeError) as error:
        said = str(error).strip().splitlines()
        reason = next((line for line in said if "Error" in line), said[-1] if said else "")
        raise RunFailed(f"MXNet can't run the model: {reason.strip()[:500]}") from error


def _executed(loaded: Loaded, files: Files, inputs: Mapping[str, Array]) -> dict[str, Any]:
    symbol = mx.sym.load_json(_text_of(files))
    given = {name: to_mxnet(array) for name, array in inputs.items()}
    given |= {name: to_mxnet(tensor.numpy()) for name, tensor in loaded.arrays.items()}
    if loaded.labels:
        given |= _labels(symbol, loaded.labels, given)
    states = set(symbol.list_auxiliary_states())
    executor = symbol.bind(
        mx.cpu(),
        args={name: array for name, array in given.items() if name not in states},
        aux_states={name: array for name, array in given.items() if name in states},
        grad_req="null",
    )
    outputs = executor.forward(is_train=False)
    return dict(zip(_unique(symbol.list_outputs()), outputs, strict=True))


def _text_of(files: Files) -> str:
    return bytes(files.open_blob(graph_of(files).blob)).decode("utf-8")


def _labels(symbol: Any, labels: list[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Zeros for what the losses compare with."""
    shapes, _, _ = symbol.infer_shape_partial(**{name: a.shape for name, a in given.items()})
    known = dict(zip(symbol.list_arguments(), shapes, strict=True))
    return {name: mx.nd.zeros(known[name] or (1,)) for name in labels}


def _unique(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        while name in found:
            name += "_"
        found.append(name)
    return found


def to_mxnet(array: Array) -> Any:
    """An array as MXNet's, of the same type.

    Raises:
        BadRequest: MXNet has no such tensors.
    """
    dtype = DType.of(array.dtype)
    if dtype not in TYPES:
        raise BadRequest(f"MXNet has no tensors of {dtype.value}")
    if array.ndim == 0 or 0 in array.shape:
        raise BadRequest(f"MXNet has no tensors of shape {list(array.shape)}")
    return mx.nd.array(np.ascontiguousarray(array), dtype=TYPES[dtype])


def to_numpy(array: Any) -> Array:
    """MXNet's array as NumPy's."""
    found: Array = array.asnumpy()
    return found


# MXNet's own operators know these element types.
TYPES = {
    dtype: dtype.numpy
    for dtype in (DType.BOOL, DType.INT8, DType.UINT8, DType.INT32, DType.INT64, DType.FLOAT16,
                  DType.FLOAT32, DType.FLOAT64)
}  # fmt: skip
