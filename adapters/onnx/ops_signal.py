"""ONNX's ops on signals."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import dtype_of_number, only, table
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

_WINDOWS = {
    "HannWindow": "hann_window",
    "HammingWindow": "hamming_window",
    "BlackmanWindow": "blackman_window",
}
_BY_OP = {ours: theirs for theirs, ours in _WINDOWS.items()}


@table.read("STFT", since=17)
def stft(call: Call, b: Builder) -> Any:
    only(call, "onesided")
    return b.stft(*call.inputs, onesided=bool(call.attrs.get("onesided", 1)))


@table.write("stft", since=17)
def write_stft(node: Node, emitter: Any) -> Any:
    step, length = emitter.single(node.frame_step), emitter.single(node.frame_length)
    return emitter.node(
        "STFT", [node.signal, step, node.window, length], {"onesided": node.onesided}
    )


@table.read("DFT", since=17)
def dft_by_attribute(call: Call, b: Builder) -> Any:
    only(call, "axis", "inverse", "onesided")
    return _dft(call, int(call.attrs.get("axis", 1)), b)


@table.read("DFT", since=20)
def dft(call: Call, b: Builder) -> Any:
    only(call, "inverse", "onesided")
    axis = call.input(2)
    if axis is not None and not axis.is_constant:
        raise Unsupported("DFT along an axis that is computed")
    return _dft(call, -2 if axis is None else int(axis.array().reshape(())), b)


def _dft(call: Call, axis: int, b: Builder) -> Any:
    literals = {name: bool(call.attrs.get(name, 0)) for name in ("inverse", "onesided")}
    return b.dft(call.inputs[0], call.input(1), axis=axis, **literals)


@table.write("dft", since=20)
def write_dft(node: Node, emitter: Any) -> Any:
    length = emitter.single(node.dft_length)
    axis = emitter.scalar(node.axis, DType.INT64)
    attributes = {"inverse": node.inverse, "onesided": node.onesided}
    return emitter.node("DFT", [node.x, length, axis], attributes)


@table.read(*_WINDOWS, since=17)
def window(call: Call, b: Builder) -> Any:
    only(call, "periodic", "output_datatype")
    return b.call(
        _WINDOWS[call.type],
        call.inputs[0],
        periodic=bool(call.attrs.get("periodic", 1)),
        output_dtype=dtype_of_number(call.attrs.get("output_datatype", 1)),
    )


@table.write(*_BY_OP, since=17)
def write_window(node: Node, emitter: Any) -> Any:
    attributes = {"periodic": node.periodic, "output_datatype": node.output_dtype}
    return emitter.node(_BY_OP[node.op], [emitter.single(node.size)], attributes)


@table.read("MelWeightMatrix", since=17)
def mel_weight_matrix(call: Call, b: Builder) -> Any:
    only(call, "output_datatype")
    dtype = dtype_of_number(call.attrs.get("output_datatype", 1))
    return b.mel_weight_matrix(*call.inputs, output_dtype=dtype)


@table.write("mel_weight_matrix", since=17)
def write_mel_weight_matrix(node: Node, emitter: Any) -> Any:
    dtype = node.sample_rate.dtype
    counts = [emitter.single(node.num_mel_bins, dtype), emitter.single(node.dft_length, dtype)]
    edges = [node.sample_rate, node.lower_edge_hertz, node.upper_edge_hertz]
    return emitter.node(
        "MelWeightMatrix", [*counts, *edges], {"output_datatype": node.output_dtype}
    )
