"""The networks as ONNX files, made when they are first needed: making one takes seconds."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".irhub"


def onnx_file(name: str) -> Path:
    """The file of a network, exported unless one that this very code made is there."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    digest.update((ROOT / "tests" / "requirements-pytorch.lock").read_bytes())
    file = HOME / "models" / digest.hexdigest()[:12] / f"{name}.onnx"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        python = HOME / "envs" / "pytorch" / "bin" / "python"
        command: list[str | Path] = [python, "-m", "tests.models", name, "-o", partial]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"exporting {name} failed: {done.stderr}")
        partial.replace(file)
    return file
