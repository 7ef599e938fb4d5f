"""Writes the golden files anew: `python -m adapters.pytorch.tests.golden`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from adapters.pytorch.emit import save
from adapters.pytorch.tests.golden import FOLDER, MODELS

if __name__ == "__main__":
    for name, build in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            save(build(), Path(folder), lambda *_: None)
            (FOLDER / f"{name}.py").write_text(Path(folder, "model.py").read_text("utf-8"), "utf-8")
