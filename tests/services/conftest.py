"""Services to test, each stopped at the end of what it was started for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Irhub
from tests.services.processes import Service, start

Start = Callable[..., Service]


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[Start]:
    """Starts a module as a service, with the given flags."""
    services: list[Service] = []

    def run(module: str, *flags: str) -> Service:
        folder = tmp_path / str(len(services))
        folder.mkdir()
        services.append(start(module, folder, *flags))
        return services[-1]

    yield run
    for service in services:
        service.process.terminate()
        service.process.wait(10)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The toy adapter's service."""
    service = start("tests.services.toy.adapter", tmp_path_factory.mktemp("toy"))
    yield service
    service.process.terminate()
    service.process.wait(10)


@pytest.fixture(scope="module")
def irhub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Irhub]:
    """The command, with services that stay up between the tests."""
    command = Irhub(tmp_path_factory.mktemp("irhub"))
    done = command("up", "onnx", "pytorch")
    assert done.returncode == 0, done.stderr
    yield command
    command("down")
