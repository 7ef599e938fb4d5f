"""Settles whether two models differ by rounding alone, where they differ by more than usual.

Some models amplify rounding: the last bit of an early layer becomes the fourth digit of a result,
in any framework. Then neither side is right, and the model in float64 says by how much each is off.
Only if both are off about equally is their difference rounding: a model that was misread is
computed exactly by one side and not at all by the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir_hub.hub.agreement import Arrays, Output, error_between
from ir_hub.ir.graph import Model
from ir_hub.simplify.precise import in_float64
from ir_hub.simplify.reference import RunError, run
from irhub.hub.v1 import hub_pb2

LARGEST_ERROR = 1e-3  # Beyond this nothing is called rounding: approximations begin there.
ALIKE = 8.0  # How many times as far off one side may be as the other.
LIMIT_BYTES = 4 << 30
QUANTISING = frozenset({"quantize_linear", "dynamic_quantize_linear", "qlinear_conv",
                        "qlinear_matmul", "round"})  # fmt: skip


def settle(
    model: Model,
    given: Arrays,
    source: Sequence[Output],
    target: Arrays,
    found: Sequence[hub_pb2.OutputComparison],
) -> list[str]:
    """Turns differences that are rounding into agreement, in `found` itself; says so, a line each.

    The model is widened in place.
    """
    unsettled = [i for i, entry in enumerate(found) if _may_be_rounding(entry)]
    if not unsettled:
        return _of_steps(model, found)
    try:
        exact = run(in_float64(model), _wide(given), limit_bytes=LIMIT_BYTES)
    except (RunError, ValueError) as error:
        return [f"whether the difference is rounding could not be told: {error}"]
    targets = list(target.values())
    return [_settled(found[i], exact[i], source[i], targets[i]) for i in unsettled]


def _of_steps(model: Model, found: Sequence[hub_pb2.OutputComparison]) -> list[str]:
    """What to think of differences in a model that quantises."""
    steps = sum(node.op in QUANTISING for node in model.graph.walk())
    if not steps or all(entry.equal for entry in found):
        return []
    return [
        f"the model rounds to whole steps in {steps} places: where source and target fall on other "
        "sides of one, they differ by a step from there on. "
        "--allow-mismatch delivers the result, to be judged by its accuracy"
    ]


def _may_be_rounding(entry: hub_pb2.OutputComparison) -> bool:
    return not entry.equal and 0 < entry.tolerance < entry.max_error <= LARGEST_ERROR


def _wide(arrays: Arrays) -> Arrays:
    return {
        name: array.astype(np.float64) if array.dtype.kind not in "biuOUSc" else array
        for name, array in arrays.items()
    }


def _settled(
    entry: hub_pb2.OutputComparison, exact: np.ndarray, source: Output, target: np.ndarray
) -> str:
    sides = source.array, target
    off = [error_between(exact, side, source.least_scale) for side in sides]
    said = (
        f"output {entry.output} of run {entry.run}: the two differ by {entry.max_error:.2g}; "
        f"from the model in float64 the source is off by {off[0]:.2g}, the target by {off[1]:.2g}"
    )
    if max(off) > LARGEST_ERROR or max(off) > ALIKE * min(off):
        return f"{said}: that is not rounding"
    entry.equal = True
    entry.tolerance = max(off[0] + off[1], entry.max_error)
    entry.reason = ""
    return f"{said}: the model amplifies rounding, and either is as right as the other"
