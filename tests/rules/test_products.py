"""Dense layers and products that sources write around other shapes come back; others stay."""

import pytest

from ir_hub.ir.dims import symbol
from tests.rules.spelled import ops_of, recovered, weights

N = symbol("N")


def tensordot(b, x, bias=True):
    y = b.matmul(b.reshape(x, (-1, 4)), weights(b, 4, 5))
    y = b.reshape(y, (x.value.shape[0], 7, 5))
    return y + weights(b, 5) if bias else y


@pytest.mark.parametrize("batch", [3, N], ids=["static", "dynamic"])
@pytest.mark.parametrize("bias", [True, False])
def test_dense_layer_of_rows_comes_back(batch, bias):
    (node,) = recovered(lambda b, x: tensordot(b, x, bias), (batch, 7, 4)).nodes
    assert (node.op, node.bias is not None) == ("linear", bias)


def test_rows_in_another_shape_have_it_before():
    def spelling(b, x):
        return b.reshape(b.matmul(b.reshape(x, (-1, 4)), weights(b, 4, 5)), (7, 3, 5))

    assert ops_of(recovered(spelling, (3, 7, 4))) == ["reshape", "linear"]


@pytest.mark.parametrize("batch", [3, N], ids=["static", "dynamic"])
def test_bias_of_heads_comes_back(batch):
    def spelling(b, x):
        heads = b.reshape(b.matmul(x, weights(b, 4, 6)), (batch, 7, 2, 3))
        return heads + weights(b, 2, 3)

    first, last = recovered(spelling, (batch, 7, 4)).nodes
    assert (first.op, first.bias.shape, last.op) == ("linear", (6,), "reshape")


def test_one_bias_for_all_heads_stays():
    def spelling(b, x):
        return b.reshape(b.matmul(x, weights(b, 4, 6)), (3, 7, 2, 3)) + weights(b, 3)

    assert ops_of(recovered(spelling, (3, 7, 4))) == ["linear", "reshape", "add"]


def test_attention_by_einsum_comes_back():
    """As Keras writes it: heads behind positions."""

    def spelling(b, q, k, v):
        scores = b.einsum((q, k), equation="btnh,bsnh->bnts") * 0.25
        return b.einsum((b.softmax(scores), v), equation="bnts,bsnh->btnh")

    graph = recovered(spelling, (2, 5, 3, 4), (2, 6, 3, 4), (2, 6, 3, 4))
    assert [op for op in ops_of(graph) if op != "transpose"] == ["attention"]


@pytest.mark.parametrize(
    ("equation", "right", "is_product"),
    [
        ("bij,bkj->bik", (2, 5, 4), True),
        ("bij,bjk->kbi", (2, 4, 5), True),
        ("bij,bjk->bi", (2, 4, 5), False),
        ("bij,bij->b", (2, 3, 4), False),
        ("bij,bkl->bijkl", (2, 5, 6), False),
        ("bij,bijk->bik", (2, 3, 4, 5), False),
    ],
)
def test_einsum_of_two_stacks(equation, right, is_product):
    spelling = lambda b, x, y: b.einsum((x, y), equation=equation)  # noqa: E731
    assert ("matmul" in ops_of(recovered(spelling, (2, 3, 4), right))) is is_product


@pytest.mark.parametrize(
    ("equation", "shape", "weight", "ops"),
    [
        ("abc,cd->abd", (N, 5, 4), (4, 6), ["linear"]),
        ("abc,cde->abde", (N, 5, 4), (4, 2, 3), ["linear", "reshape"]),
        ("abcd,cde->abe", (N, 5, 2, 3), (2, 3, 4), ["reshape", "linear"]),
        ("abc,dc->abd", (N, 5, 4), (6, 4), ["einsum"]),
        ("abc,bd->adc", (3, 5, 4), (5, 6), ["einsum"]),
        ("abc,bcd->abd", (3, 5, 4), (5, 4, 6), ["matmul"]),
    ],
)
def test_einsum_with_a_weight(equation, shape, weight, ops):
    """The last axes of x summed with the first ones of a weight: a dense layer."""
    spelling = lambda b, x: b.einsum((x, weights(b, *weight)), equation=equation)  # noqa: E731
    found = [op for op in ops_of(recovered(spelling, shape)) if op != "transpose"]
    assert found == ops


def test_heads_by_einsum_with_a_bias():
    def spelling(b, x):
        return b.einsum((x, weights(b, 4, 2, 3)), equation="btm,mnh->btnh") + weights(b, 2, 3)

    first, last = recovered(spelling, (N, 7, 4)).nodes
    assert (first.op, first.bias.shape, last.op) == ("linear", (6,), "reshape")
