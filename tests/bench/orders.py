"""Gives orders to the process of another converter."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.matrix.services import HOME

ROOT = Path(__file__).parents[2]


class Peer:
    """Another converter's process, which does what it is told, an order at a time.

    `module` is the file of `tests.bench.peers` that it runs, in the environment of that name.
    """

    def __init__(self, module: str, environment: str) -> None:
        self._module = module
        python = HOME / "envs" / environment / "bin" / "python"
        self.process = subprocess.Popen(
            [python, "-m", f"tests.bench.peers.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            text=True,
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.terminate()
        self.process.wait()

    def write(self, seed: int, folder: Path) -> list[Path]:
        """Have the network written to a new folder, with weights that follow from the seed."""
        folder.mkdir()
        return [Path(file) for file in self._do("write", seed=seed, folder=str(folder))]

    def convert(self, files: list[Path], into: Path) -> dict[str, float]:
        """Have files converted into a folder; seconds by converter, and by part of its work."""
        into.mkdir(exist_ok=True)
        answer: dict[str, float] = self._do("convert", files=list(map(str, files)), into=str(into))
        return answer

    def _do(self, order: str, **said: Any) -> Any:
        """Carry out an order; `RuntimeError` when the process has ended over it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps({"order": order, **said}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"the process of tests.bench.peers.{self._module} has ended at the order "
                f"{order!r}: {said}"
            )
        return json.loads(line)
