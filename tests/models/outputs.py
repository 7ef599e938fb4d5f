"""Whether a model's outputs tell anything: they must be finite, and move with the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

MOVES = 1e-2  # how far outputs must move between two inputs, relative to their scale


def check_outputs(one: Sequence[Any], other: Sequence[Any]) -> None:
    """Raise `AssertionError` unless the outputs for two inputs, as arrays, tell something."""
    for first, second in zip(map(np.asarray, one), map(np.asarray, other), strict=True):
        assert np.isfinite(first).all(), "the parameters give infinite outputs"
        moved = np.abs(first - second).max() / np.abs(first).max()
        assert moved > MOVES, f"an output moves by {moved:.1e} of its scale: it would tell nothing"
