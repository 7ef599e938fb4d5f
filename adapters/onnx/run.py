"""Runs .onnx files with ONNX Runtime on the CPU."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import onnxruntime

from adapters.onnx.elements import TO_ONNX
from ir_hub.ir.tensor import byte_size, decode, encode
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files
from ir_hub.sdk.errors import BadModel, BadRequest, RunFailed

Array = np.ndarray[Any, Any]
_LEVELS = {"none": "ORT_DISABLE_ALL", "basic": "ORT_ENABLE_BASIC", "all": "ORT_ENABLE_ALL"}
_FROM_ONNX = {number: dtype for dtype, number in TO_ONNX.items()}
_FATAL_ONLY = 4  # of ONNX Runtime's severities: errors are raised too
_TEXTS = "OUST"  # the kinds of NumPy arrays that hold texts


def run(
    files: Files,
    inputs: Mapping[str, Array],
    scratch: Path,
    threads: int = 1,
    optimize: str = "none",
) -> dict[str, Array]:
    """The outputs by name, in the model's order. `scratch` is an empty folder.

    Raises:
        BadModel: ONNX Runtime can't open the model.
        BadRequest: an input is missing, unknown, or of another type.
        RunFailed: ONNX Runtime refused to run it.
    """
    path = files.main.path if len(files.files) == 1 else _placed(files, scratch)
    return run_session(open_session(str(path), threads, optimize), inputs)


def _placed(files: Files, scratch: Path) -> Path:
    """The files under their own names in one folder, where ONNX Runtime looks for them; it follows
    no symbolic links out of it. Returns the model's path."""
    for file in files.files:
        name = PurePosixPath(file.name)
        if name.is_absolute() or ".." in name.parts:
            raise BadModel(f"the file {file.name!r} is outside the model's folder")
        target = scratch / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file.path, target)
        except OSError:  # another file system, or one without links
            shutil.copyfile(file.path, target)
    return scratch / files.main.name


def open_session(model: str | bytes, threads: int, optimize: str) -> Any:
    """A session on a file or on its bytes. Without rewriting, what is compared is the model as it
    is written: fusions change rounding, and folding may hide an operator that doesn't run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = _FATAL_ONLY
    level = getattr(onnxruntime.GraphOptimizationLevel, _LEVELS[optimize])
    options.graph_optimization_level = level
    try:
        return onnxruntime.InferenceSession(
            model, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its exceptions have no common base but Exception
        raise BadModel(f"ONNX Runtime can't open the model: {_first_line(error)}") from error


def run_session(session: Any, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Runs a session once."""
    wanted = {item.name: item for item in session.get_inputs()}
    missing = ", ".join(wanted.keys() - inputs.keys())
    unknown = ", ".join(inputs.keys() - wanted.keys())
    if missing or unknown:
        has = ", ".join(wanted)
        raise BadRequest(f"missing inputs: {missing or 'none'}; unknown: {unknown or 'none'}; "
                         f"the model's inputs are {has}")  # fmt: skip
    names = [item.name for item in session.get_outputs()]
    try:
        if any(array.dtype.kind in _TEXTS for array in inputs.values()):
            found = session.run(names, dict(inputs))
        else:
            feeds = {name: _to_runtime(array) for name, array in inputs.items()}
            values = session.run_with_ort_values(names, feeds)
            found = [_from_runtime(value) for value in values]
        return dict(zip(names, found, strict=True))
    except Exception as error:  # see open_session
        raise RunFailed(f"ONNX Runtime refused to run the model: {_first_line(error)}") from error


def _to_runtime(array: Array) -> Any:
    dtype = DType.of(array.dtype)
    if array.dtype.isbuiltin == 1:
        contiguous = np.ascontiguousarray(array).reshape(array.shape)
        return onnxruntime.OrtValue.ortvalue_from_numpy(contiguous)
    value = onnxruntime.OrtValue.ortvalue_from_shape_and_type(array.shape, TO_ONNX[dtype])
    content = encode(array)  # elements of less than a byte are packed
    ctypes.memmove(value.data_ptr(), content, len(content))
    return value


def _from_runtime(value: Any) -> Array:
    """ONNX Runtime knows no NumPy type for narrow elements, so those are read from its memory."""
    dtype = _FROM_ONNX.get(value.element_type()) if value.is_tensor() else None
    if dtype is None or dtype.numpy.isbuiltin == 1:
        return value.numpy()  # type: ignore[no-any-return]
    shape = tuple(value.shape())
    size = byte_size(dtype, shape)
    memory = (ctypes.c_uint8 * size).from_address(value.data_ptr()) if size else b""
    return decode(bytes(memory), dtype, shape)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:500] if str(error).strip() else repr(error)
