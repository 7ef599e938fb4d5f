"""Each small Keras model, from its file through the hub to each framework.

Run by `make models`; some of them in every test run, by tests/services.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matrix.keras_probes import PROBES, TARGETS, check_conversion, write_probes
from tests.matrix.services import Services, running


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with every probe's file."""
    folder = tmp_path_factory.mktemp("probes")
    write_probes(folder)
    return folder


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A hub with the four adapters."""
    with running(tmp_path_factory.mktemp("services"), TARGETS) as started:
        yield started


def test_every_probe_is_listed(probes: Path) -> None:
    assert sorted(file.stem for file in probes.iterdir()) == sorted(PROBES)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", PROBES)
def test_probe(name: str, target: str, probes: Path, services: Services) -> None:
    check_conversion(services, probes / f"{name}.keras", target)
