"""What the tests of the blob store share: a store, services over it, processes that use it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ir_hub.blobs import LocalStore
from ir_hub.blobs.uploads import Limits
from tests.blobs.servers import Serve, Server

Start = Callable[[str, Path], "subprocess.Popen[str]"]
ServeApart = Callable[[Path, int], "tuple[subprocess.Popen[str], int]"]

_OPEN_STORE = """
import sys
from pathlib import Path
from ir_hub.blobs import LocalStore
store = LocalStore(Path(sys.argv[1]))
"""


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@contextmanager
def _python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def start() -> Iterator[Start]:
    """Runs code in a process of its own, with `store` open on the given folder."""
    with _python() as run:
        yield lambda code, root: run("-c", _OPEN_STORE + code, str(root))


@pytest.fixture
def serve_apart() -> Iterator[ServeApart]:
    """Serves a folder on a port (0: any) from a process of its own; the process and its port."""

    def serve(root: Path, port: int = 0) -> tuple[subprocess.Popen[str], int]:
        process = run("-m", "tests.blobs.servers", str(root), str(port))
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    with _python() as run:
        yield serve


@contextmanager
def _servers() -> Iterator[Serve]:
    running: list[Server] = []

    def serve(store: LocalStore, limits: Limits) -> Server:
        running.append(Server(store, limits))
        return running[-1]

    yield serve
    for server in running:
        server.stop()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a store until the test ends."""
    with _servers() as serve:
        yield serve


@pytest.fixture(scope="module")
def serve_module() -> Iterator[Serve]:
    """Serves a store until the module's tests have ended."""
    with _servers() as serve:
        yield serve
