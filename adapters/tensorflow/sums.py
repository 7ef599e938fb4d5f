"""Where Keras adds along another axis than it should.

On TensorFlow it takes a second summand of one axis for the bias of the channels, wherever its size
is that of the first one's second or last axis: (3, 4, 4) + (1, 4, 1) adds along the last one.
"""

from __future__ import annotations

from ir_hub.ir.types import Shape


def taken_for_bias(x: Shape | None, y: Shape | None) -> bool:
    """Whether `x + y` may come out wrong, for some size that isn't known."""
    if x is None or y is None:
        return True
    if len(x) < 2:
        return False
    large = [a for a, size in enumerate(y) if isinstance(size, int) and size != 1]
    single = [a for a, size in enumerate(y) if size != 1 and set(large) <= {a}]
    return any(_goes_wrong(x, y, axis) for axis in single)


def _goes_wrong(x: Shape, y: Shape, axis: int) -> bool:
    """Whether it may where only this axis of y isn't 1."""
    place, last = axis - len(y) + len(x), len(x) - 1
    if x[last] == y[axis]:
        return place != last
    open_last = not isinstance(x[last], int) or not isinstance(y[axis], int)
    if open_last and place != last:
        return True
    second = x[1] == y[axis] or not isinstance(x[1], int) or not isinstance(y[axis], int)
    return second and place != 1
