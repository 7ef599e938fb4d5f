"""What takes, drops or splits an axis goes before a transpose."""

import numpy as np
import pytest

from ir_hub.ir.dims import symbol
from ir_hub.recover.rules.moves import split_axes
from tests.rules.spelled import ops_of, recovered

N = symbol("N")


def test_heads_are_split_off_in_one_step():
    """As PyTorch's MultiheadAttention does it: joined with the batch, turned, and parted again."""

    def spelling(b, x):
        joined = b.transpose(b.reshape(x, (7, 2 * N, 4)), perm=(1, 0, 2))
        return b.reshape(joined, (N, 2, 7, 4))

    graph = recovered(spelling, (7, N, 8))
    assert ops_of(graph) == ["reshape", "transpose"]
    assert graph.nodes[1].perm == (1, 2, 0, 3)


def test_queries_keys_and_values_are_taken_from_where_they_are():
    def spelling(b, x):
        grown = b.unsqueeze(b.reshape(x, (7, N, 3, 8)), (0,))
        parts = b.squeeze(b.transpose(grown, perm=(3, 1, 2, 0, 4)), (3,))
        first, last = (b.term(b.constant(np.int64(place))) for place in (0, 2))
        return b.gather(parts, first, axis=0), b.gather(parts, last, axis=0)

    graph = recovered(spelling, (7, N, 24))
    assert ops_of(graph) == ["reshape", "gather", "gather"]
    assert [node.axis for node in graph.nodes[1:]] == [2, 2]


def test_an_axis_that_was_elsewhere():
    def spelling(b, x):
        turned = b.transpose(x, perm=(2, 0, 1))
        return b.gather(turned, b.term(b.constant(np.int64(1))), axis=1)

    graph = recovered(spelling, (3, 4, 5))
    assert ops_of(graph) == ["gather", "transpose"]
    assert (graph.nodes[0].axis, graph.nodes[1].perm) == (0, (1, 0))


def test_a_reshape_that_joins_what_a_transpose_parted_stays():
    spelling = lambda b, x: b.reshape(b.transpose(x, perm=(1, 0, 2)), (12, 5))  # noqa: E731
    assert ops_of(recovered(spelling, (3, 4, 5))) == ["transpose", "reshape"]


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ((6, 5), (2, 3, 5), [(2, 3), (5,)]),
        ((2 * N, 4), (N, 2, 4), [(N, 2), (4,)]),
        ((6, 5), (3, 10), None),
        ((6, 5), (6, 5, 1), None),
        ((1, 6), (6,), None),
        ((6, 5), (1, 6, 5), None),
        ((6, 5), (2, 1, 3, 5), None),
    ],
)
def test_what_only_splits(before, after, parts):
    assert split_axes(before, after) == parts
