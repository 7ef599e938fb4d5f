"""A toy adapter that stops in a stage as long as a gate is closed: a file in the folder GATES."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ir_hub.sdk.serve import serve
from tests.services.toy.adapter import ToyAdapter

FOLDER = "GATES"


class Gates:
    """The gates of a folder, by stage: parse, emit and run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def close(self, stage: str) -> None:
        """Has whoever comes to the stage wait there."""
        (self._folder / stage).touch()

    def open(self) -> None:
        """Lets everybody through, now and later."""
        for path in self._folder.iterdir():
            path.unlink()

    def waiting(self, stage: str) -> int | None:
        """The process id of the worker that waits at a closed gate."""
        path = self._folder / f"{stage}.reached"
        text = path.read_text() if path.exists() else ""
        return int(text) if text else None

    def enter(self, stage: str) -> None:
        """Waits at the gate of a stage until it is open."""
        gate = self._folder / stage
        if gate.exists():
            (self._folder / f"{stage}.reached").write_text(str(os.getpid()))
        while gate.exists():
            time.sleep(0.01)


class GatedAdapter(ToyAdapter):
    """The toy with gates; in the midst of emit half a file lies there already."""

    framework = "gated"

    def walk(self, loaded, files, inputs, work):
        gates().enter("parse")
        return super().walk(loaded, files, inputs, work)

    def save(self, model, format_name, folder, work):
        (folder / "model.toy").write_text("half a")
        gates().enter("emit")
        return super().save(model, format_name, folder, work)

    def run(self, files, inputs, work):
        gates().enter("run")
        return super().run(files, inputs, work)


def gates() -> Gates:
    return Gates(Path(os.environ[FOLDER]))


if __name__ == "__main__":
    serve(GatedAdapter())
