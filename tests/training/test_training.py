"""Generated code trains as its source does; `make training` has all networks and pairs."""

from __future__ import annotations

import pytest

from tests.matrix.services import running
from tests.training.cells import FRAMEWORKS, Cell, Found, measure

CELLS = [
    Cell("conv", "pytorch", "tensorflow"),
    Cell("conv", "tensorflow", "mxnet"),
    Cell("conv", "mxnet", "pytorch"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[Cell, Found]:
    """What a step of each cell gave."""
    folder = tmp_path_factory.mktemp("training")
    with running(folder / "services", FRAMEWORKS) as services:
        return measure(services, folder, CELLS)


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: f"{c.source}-{c.target}")
def test_trains_as_its_source(cell: Cell, found: dict[Cell, Found]) -> None:
    step = found[cell]
    assert step.faults() == []
    assert len(step.gradients) == 5
    assert len(step.statistics) == 2


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (Found({"weight": 2e-4}), "weight is off by 2.0e-04"),
        (Found(statistics={"var": float("nan")}), "var is off by nan"),
        (Found(reason="emit failed"), "emit failed"),
    ],
)
def test_faults_are_told(step: Found, fault: str) -> None:
    assert step.faults() == [fault]
