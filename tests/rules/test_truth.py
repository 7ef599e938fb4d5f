"""Logic with what is always true leaves the rest; with what isn't it stays."""

import numpy as np
import pytest

from ir_hub.ir.dims import symbol
from ir_hub.ir.types import DType
from tests.rules.spelled import ops_of, recovered

N = symbol("N")


def filled(b, *shape, value):
    return b.constant_of_shape(shape, value=value, dtype=DType.BOOL)


@pytest.mark.parametrize(("op", "value"), [("logical_and", True), ("logical_or", False)])
def test_neutral_truth_goes(op, value):
    spelling = lambda b, x: b.call(op, filled(b, N, 4, value=value), b.greater(x, 0.0))  # noqa: E731
    assert ops_of(recovered(spelling, (N, 4))) == ["greater"]


def test_mask_in_the_shape_of_the_scores():
    """As Keras begins the causal mask: ones of all images, and one triangle."""

    def spelling(b, x):
        triangle = b.term(b.constant(np.tri(4, dtype=np.bool_)))
        return b.where(b.logical_and(filled(b, N, 4, 4, value=True), triangle), x, -1e9)

    assert ops_of(recovered(spelling, (N, 4, 4))) == ["where"]


@pytest.mark.parametrize(("op", "value"), [("logical_and", False), ("logical_or", True)])
def test_what_decides_stays(op, value):
    spelling = lambda b, x: b.call(op, filled(b, N, 4, value=value), b.greater(x, 0.0))  # noqa: E731
    assert op in ops_of(recovered(spelling, (N, 4)))
