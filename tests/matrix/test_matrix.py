"""The part of the matrix that is quick: a network from each framework that has code of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.matrix import document
from tests.matrix.cells import FRAMEWORKS, Cell, Found, Matrix, cells_of
from tests.matrix.services import running
from tests.models.networks import NETWORKS

SMALL = ("lenet", "two_in_two_out", "unet")
CELLS = [cell for network in SMALL for cell in cells_of(network)]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """A hub with all adapters."""
    with running(tmp_path_factory.mktemp("services"), FRAMEWORKS) as services:
        yield Matrix(services)


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: f"{c.network}-{c.source}-{c.target}")
def test_is_right(cell: Cell, matrix: Matrix) -> None:
    """Both sides agree, by their own frameworks' runs at two batches."""
    assert matrix.measure(cell).reason == ""


def test_each_small_network_starts_elsewhere() -> None:
    assert len({cell.native for cell in CELLS}) == len(SMALL)


def test_cells_start_where_a_network_is_native() -> None:
    """So that what is converted further was proven before."""
    for name, network in NETWORKS.items():
        sources = list(dict.fromkeys(cell.source for cell in cells_of(name)))
        assert set(sources[: len(network.natives)]) == set(network.natives)
        assert sorted(sources) == sorted(FRAMEWORKS)


def test_a_refusal_is_told_with_its_reason() -> None:
    cells = list(cells_of("lenet"))
    found = {cell: Found(1.25, 3e-7) for cell in cells}
    found[cells[1]] = Found(0.5, reason="emit UNSUPPORTED: relu6: why")
    found[cells[2]] = Found(0.5, 1e-3, reason="its error 1e-03 is more than 1e-05")
    text = document.text(found, ["onnx 1"])
    assert "Right: 14 of 16; the greatest error of these is 3.0e-07." in text
    assert "| LeNet | **MXNet** | 3e-07, 1.2 s | refused | 1e-03, 0.5 s wrong | 3e-07" in text
    assert "- LeNet, MXNet to PyTorch: emit UNSUPPORTED: relu6: why" in text
