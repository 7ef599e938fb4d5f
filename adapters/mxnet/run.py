"""Runs a model with MXNet: a symbol bound to its arrays, on the CPU."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import mxnet as mx
import numpy as np

from adapters.mxnet.files import Loaded, graph_of, load
from adapters.mxnet.symbol import LOSSES, VARIABLE
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
    symbol = mx.sym.load_json(_without_labels(files))
    given = {name: to_mxnet(array) for name, array in inputs.items()}
    given |= {name: to_mxnet(tensor.numpy()) for name, tensor in loaded.arrays.items()}
    given |= _labels(symbol, given)
    # Not an executor: that fuses convolutions with what follows them, in some graphs wrongly.
    op = mx.nd.CachedOp(symbol)
    found = op(*(given[name] for name in symbol.list_inputs()))
    outputs = found if isinstance(found, list) else [found]
    return dict(zip(_unique(symbol.list_outputs()), outputs, strict=True))


def _without_labels(files: Files) -> str:
    """The graph, each of whose losses has a label of its own, whatever made it before."""
    graph = json.loads(bytes(files.open_blob(graph_of(files).blob)))
    nodes = graph["nodes"]
    for place, node in enumerate(list(nodes)):
        if node["op"] in LOSSES and len(node["inputs"]) == 2:
            node["inputs"][1] = [len(nodes), 0, 0][: len(node["inputs"][0])]
            nodes.append({"op": VARIABLE, "name": f"{node['name']}_label_{place}", "inputs": []})
    return json.dumps(graph, ensure_ascii=False)  # MXNet reads no \u escapes


def _labels(symbol: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Zeros for what the losses compare with: all that is still missing."""
    names = symbol.list_arguments()
    if set(names) <= given.keys():
        return {}
    shapes, _, _ = symbol.infer_shape_partial(**{name: a.shape for name, a in given.items()})
    known = dict(zip(names, shapes, strict=True))
    return {name: mx.nd.zeros(shape or (1,)) for name, shape in known.items() if name not in given}


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
