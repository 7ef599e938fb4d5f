"""Gives orders to the process of the other converter."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.matrix.services import HOME

ROOT = Path(__file__).parents[2]


class Peer:
    """The other converter's process, which does what it is told, an order at a time."""

    def __init__(self) -> None:
        python = HOME / "envs" / "bench" / "bin" / "python"
        self.process = subprocess.Popen(
            [python, "-m", "tests.bench.peer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
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

    def do(self, order: str, **said: Any) -> dict[str, float]:
        """Carry out an order; `RuntimeError` when the process has ended over it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps({"order": order, **said}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"onnx2pytorch's process has ended at the order {order!r}: {said}")
        answer: dict[str, float] = json.loads(line)
        return answer
