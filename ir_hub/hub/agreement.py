"""Compares two models' outputs element by element; nothing is sorted, cut off or averaged away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import numpy as np

from ir_hub.hub.provenance import Origin
from ir_hub.ir.types import DType
from ir_hub.sdk.tolerance import least_scale, tolerance
from irhub.hub.v1 import hub_pb2

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Output:
    """What the source gives for one of its outputs, and how others are measured by it: the error
    that they may have, and the scale that it is relative to at least."""

    name: str
    array: Array
    dtype: DType
    tolerance: float
    least_scale: float


def outputs_of(source: Arrays, origins: Sequence[Origin] = ()) -> list[Output]:
    """The source's outputs; `origins` says what they come from, as far as that is known."""
    found = []
    for (name, array), origin in zip(
        source.items(), chain(origins, repeat(Origin())), strict=False
    ):
        dtype = DType.of(array.dtype)
        allowed, least = tolerance(dtype), least_scale(origin.op, dtype)
        if allowed and origin.half is not None:
            allowed = max(allowed, tolerance(origin.half))
        found.append(Output(name, array, dtype, allowed, least))
    return found


def compare_outputs(
    source: Sequence[Output], target: Arrays, run: int, inputs: Sequence[str]
) -> list[hub_pb2.OutputComparison]:
    """One entry an output of the source; outputs belong together by their place, as names can
    differ. `inputs` says what the models were run with."""
    others = list(target.values())
    found = []
    for place, output in enumerate(source):
        entry = hub_pb2.OutputComparison(
            run=run,
            output=output.name,
            shape=output.array.shape,
            data_type=output.dtype.value,
            tolerance=output.tolerance,
            argmax_agreement=1.0,
            inputs=inputs,
        )
        if len(others) == len(source):
            _compare(output, others[place], entry)
        else:
            entry.reason = f"the source has {len(source)} outputs, the target {len(others)}"
        found.append(entry)
    return found


def doubts(source: Sequence[Output]) -> list[str]:
    """What makes the source's outputs a weak proof, a line each."""
    found = []
    for output in source:
        name, array, least = output.name, output.array, output.least_scale
        if array.size == 0:
            found.append(f"output {name} has no elements: that it agrees proves nothing")
        elif array.size > 1 and bool(np.all(array == array.flat[0])):
            value = "zero" if not array.flat[0] else "the same"
            found.append(f"every element of output {name} is {value}: that it agrees proves little")
        elif least and float(np.max(np.abs(_wide(array)))) < least:
            found.append(
                f"output {name} is 0 but for rounding: give inputs that it is more for, with "
                "--check-inputs"
            )
        elif array.dtype.kind not in "OUSb" and (lost := _share_of_nan(array)) > 0.5:
            found.append(f"{lost:.0%} of output {name} is NaN: that it agrees proves little")
    return found


def _compare(output: Output, target: Array, entry: hub_pb2.OutputComparison) -> None:
    source, theirs = output.array, DType.of(target.dtype).value
    if source.shape != target.shape:
        entry.reason = f"the target's shape is {list(target.shape)}"
    elif theirs != entry.data_type:
        entry.reason = f"the target's elements are {theirs}"
    elif source.dtype.kind in "OUS":
        _compare_texts(source, target, entry)
    else:
        _compare_numbers(_wide(source), _wide(target), entry, output.least_scale)


def _compare_texts(source: Array, target: Array, entry: hub_pb2.OutputComparison) -> None:
    differing = int(np.count_nonzero(source != target))
    entry.max_error = float(differing > 0)
    entry.equal = not differing
    if differing:
        entry.reason = f"{differing} of {source.size} texts differ"


def _compare_numbers(
    source: Array, target: Array, entry: hub_pb2.OutputComparison, least: float
) -> None:
    finite = np.isfinite(source)
    if not np.array_equal(_unusual(source), _unusual(target), equal_nan=True):
        differing = int(np.count_nonzero(finite != np.isfinite(target)))
        entry.max_error = float("inf")
        entry.reason = f"NaN or infinity in other places: {differing} elements of {source.size}"
        return
    entry.max_error = _relative_error(source[finite], target[finite], least)
    entry.argmax_agreement = _argmax_agreement(source, target)
    entry.equal = entry.max_error <= entry.tolerance
    if not entry.equal:
        where = np.unravel_index(_worst(source, target, finite), source.shape)
        at = ", ".join(map(str, where))
        entry.reason = (
            f"at [{at}] the source has {source[where]:.6g}, the target {target[where]:.6g}"
        )


def _wide(array: Array) -> Array:
    """The array in a type that differences of any two elements fit."""
    if array.dtype.kind == "c":
        return array.astype(np.complex128)
    # The long double tells any two 64-bit integers apart; float64 doesn't.
    is_long = array.dtype.kind in "iu" and array.dtype.itemsize == 8
    return array.astype(np.longdouble if is_long else np.float64)


def _unusual(array: Array) -> Array:
    """Zero where an element is finite; else what it is."""
    return np.where(np.isfinite(array), 0, array)


def _relative_error(source: Array, target: Array, least: float) -> float:
    """The greatest difference, relative to the source's greatest value, or to the least scale if
    that is greater; absolute if both are 0."""
    if source.size == 0:
        return 0.0
    scale = max(float(np.max(np.abs(source))), least)
    return float(np.max(np.abs(source - target))) / (scale or 1.0)


def error_between(reference: Array, other: Array, least: float) -> float:
    """The greatest difference of two arrays of one shape, relative to the first one's greatest
    value, or to the least scale; infinite where only one of them is."""
    a, b = _wide(reference), _wide(other)
    if a.shape != b.shape or not np.array_equal(_unusual(a), _unusual(b), equal_nan=True):
        return float("inf")
    finite = np.isfinite(a)
    return _relative_error(a[finite], b[finite], least)


def _worst(source: Array, target: Array, finite: Array) -> int:
    with np.errstate(invalid="ignore"):
        return int(np.argmax(np.where(finite, np.abs(source - target), -1)))


def _argmax_agreement(source: Array, target: Array) -> float:
    if source.ndim == 0 or source.size == 0 or source.dtype.kind == "c":
        return 1.0
    return float(np.mean(np.argmax(source, -1) == np.argmax(target, -1)))


def _share_of_nan(array: Array) -> float:
    return float(np.mean(np.isnan(_wide(array))))
