"""The networks as files, made when they are first needed: making one takes seconds."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".irhub"

# torch.onnx is in PyTorch's environment.
_ENVIRONMENTS = {"onnx": "pytorch"}
ENDINGS = {
    "mxnet": ("-symbol.json", "-0000.params"),
    "onnx": (".onnx",),
    "pytorch": (".pt2",),
    "tensorflow": (".keras",),
}


def onnx_file(name: str) -> Path:
    """One of torchvision's networks, as PyTorch's ONNX exporter writes it."""
    (file,) = files("onnx", name)
    return file


def files(framework: str, name: str) -> list[Path]:
    """The files of a network, the model itself first.

    They are written by the framework, unless those that this very code made are there.
    """
    environment = _ENVIRONMENTS.get(framework, framework)
    folder = HOME / "models" / _digest(framework) / framework / name
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        python = HOME / "envs" / environment / "bin" / "python"
        command = [python, "-m", "tests.models", framework, name, "-o", partial]
        quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{framework} can't make {name}: {done.stderr}")
        partial.replace(folder)
    return [folder / f"{name}{ending}" for ending in ENDINGS[framework]]


def _digest(framework: str) -> str:
    """Of all that the files follow from."""
    environment = _ENVIRONMENTS.get(framework, framework)
    shared = ("networks.py", "outputs.py", "telling.py", "vision.py", "vision_ops.py")
    own = ("exported_networks.py", "models.py")
    sources = [
        Path(__file__).with_name(f"in_{framework}.py"),
        *(Path(__file__).with_name(name) for name in shared),
        *(ROOT / "adapters" / environment / "tests" / name for name in own),
        ROOT / "tests" / f"requirements-{environment}.lock",
    ]
    digest = hashlib.sha256()
    for source in filter(Path.exists, sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
