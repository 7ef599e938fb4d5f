"""The command as its users run it: a process of its own, on a home that the tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.hub import bundle
from ir_hub.ir import serde
from ir_hub.ops.op import OPSET
from tests.services.hubs import gelu_model

ROOT = Path(__file__).parents[2]
HOME = Path(os.environ.get("IRHUB_HOME", ROOT / ".irhub"))

Done = subprocess.CompletedProcess[str]


@dataclass
class Irhub:
    """Runs the command; its services and its store are in a folder of their own."""

    folder: Path
    home: Path = HOME
    environ: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, cwd: Path | None = None) -> Done:
        """Runs it to its end."""
        return subprocess.run(
            self.command(arguments),
            env=self.env(),
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            timeout=240,
        )

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Runs it in the background."""
        return subprocess.Popen(
            self.command(arguments),
            env=self.env(),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, arguments: Sequence[str | Path]) -> list[str | Path]:
        """The command line."""
        return [Path(sys.executable).with_name("irhub"), *arguments]

    def env(self) -> dict[str, str]:
        """Its environment."""
        own = {
            "IRHUB_HOME": str(self.home),
            "IRHUB_RUN": str(self.folder / "run"),
            "IRHUB_STORE": str(self.folder / "store"),
            "IRHUB_DATABASE": str(self.folder / "hub.sqlite"),
            "COLUMNS": "200",
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("IRHUB_")}
        return inherited | own | self.environ


@pytest.fixture(scope="session")
def irhub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Irhub]:
    """The command, with services that stay up between the tests."""
    command = Irhub(tmp_path_factory.mktemp("irhub"))
    yield command
    command("down")


@pytest.fixture(scope="session")
def gelu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in an .ir file: a linear layer and a GELU, both spelled out."""
    folder = tmp_path_factory.mktemp("gelu")
    store = LocalStore(folder / "store")
    model = gelu_model()
    blob = store.put_bytes(serde.dump_bytes(model, store.put_bytes, OPSET))
    bundle.write(
        serde.load_bytes(bytes(store.open(blob)), store.open, OPSET), store, folder / "gelu.ir"
    )
    return folder / "gelu.ir"


@pytest.fixture(scope="session")
def onnx_file(irhub: Irhub, gelu: Path) -> Path:
    """The same model as ONNX, where GELU is one node and nothing needs recovering."""
    target = gelu.with_suffix(".onnx")
    done = irhub("convert", gelu, "--to", "onnx", "-o", target)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def npz(tmp_path: Path) -> Callable[..., Path]:
    """Writes arrays into a file."""

    def write(**arrays: np.ndarray) -> Path:
        path = tmp_path / "inputs.npz"
        np.savez(path, **arrays)
        return path

    return write
