"""Whatever a graph and its scopes look like, the code that is written of them computes the same."""

from __future__ import annotations

import copy

from hypothesis import HealthCheck, given, settings

from adapters.pytorch.tests.random_blocks import repeated
from adapters.pytorch.tests.random_graphs import models
from adapters.pytorch.tests.written import check
from ir_hub.ir.graph import Model
from ir_hub.recover.structure import structure

RANDOM = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@RANDOM
@given(models())
def test_scopes_of_any_shape(model: Model) -> None:
    check(model, 1, 3)


@RANDOM
@given(repeated(scoped=True))
def test_blocks_of_one_class(model: Model) -> None:
    check(model, 2)


@RANDOM
@given(repeated(scoped=False))
def test_blocks_that_were_found(model: Model) -> None:
    before = copy.deepcopy(model)
    structure(model)
    assert [node.op for node in model.graph.nodes] == [node.op for node in before.graph.nodes]
    check(model, 2)
