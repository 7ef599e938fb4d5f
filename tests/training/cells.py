"""The cells of the training tests: a source framework, a target and a network each."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ir_hub.cli.arguments import input_types
from irhub.hub.v1 import hub_pb2
from irhub.ir.v1 import ir_pb2
from tests.matrix.cells import reason_of
from tests.matrix.services import HOME, Services
from tests.training.files import GRADIENTS, WEIGHTS

SIDES = {"pytorch": "in_pytorch", "tensorflow": "in_keras", "mxnet": "in_mxnet"}
FRAMEWORKS = tuple(SIDES)  # those whose models hold what training needs
TOLERANCE = 1e-4  # of each gradient's and statistic's scale
NETWORKS = ("conv", "separable", "lstm", "gru", "attention", "embedding")

_AT_ONCE = 2  # processes that import a framework
_FILES = {
    "pytorch": ("{}.pt2",),
    "tensorflow": ("{}.keras",),
    "mxnet": ("{}-symbol.json", "{}-0000.params"),
}
# A symbol doesn't say what it takes.
_SHAPES = {
    "conv": "N,3,8,6",
    "separable": "N,4,7,5",
    "lstm": "7,N,5",
    "gru": "7,N,5",
    "attention": "N,5,8",
    "embedding": "N,7:int32",
}


@dataclass(frozen=True, order=True)
class Cell:
    """A network that goes from a framework to one."""

    network: str
    source: str
    target: str


@dataclass(frozen=True)
class Found:
    """The greatest error of each gradient and running statistic, relative to its scale; `reason`
    says why there are none."""

    gradients: Mapping[str, float] = field(default_factory=dict)
    statistics: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    def faults(self) -> list[str]:
        """What isn't as the source has it."""
        errors = {**self.gradients, **self.statistics}
        far = [f"{k} is off by {e:.1e}" for k, e in errors.items() if not e <= TOLERANCE]
        return [self.reason, *far] if self.reason else far


def measure(services: Services, folder: Path, cells: Sequence[Cell]) -> dict[Cell, Found]:
    """Write the sources into a folder, convert them, and take a step with each."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda source: _write(folder, source, cells), FRAMEWORKS))
        found = {cell: Found(reason=_convert(services, folder, cell)) for cell in cells}
        converted = [cell for cell in cells if not found[cell].reason]
        for steps in pool.map(lambda target: _steps(folder, target, converted), FRAMEWORKS):
            found |= steps
    return found


def _write(folder: Path, source: str, cells: Sequence[Cell]) -> None:
    """Write the networks that come from a framework."""
    names = sorted({cell.network for cell in cells if cell.source == source})
    if names:
        _run(source, "write", folder / source, *names)


def _steps(folder: Path, target: str, cells: Sequence[Cell]) -> dict[Cell, Found]:
    """What a step of each cell with this target gave."""
    places = {str(_place(folder, cell)): cell for cell in cells if cell.target == target}
    steps = json.loads(_run(target, "step", *places)) if places else {}
    return {places[place]: Found(**step) for place, step in steps.items()}


def _place(folder: Path, cell: Cell) -> Path:
    return folder / f"to_{cell.target}" / cell.source / cell.network


def _convert(services: Services, folder: Path, cell: Cell) -> str:
    """Convert a network with its weights, and with a step's; why that can't be, if it can't."""
    source, place = folder / cell.source / cell.network, _place(folder, cell)
    for name in (WEIGHTS, GRADIENTS):
        files = services.upload(*(source / each.format(name) for each in _FILES[cell.source]))
        spec = hub_pb2.ConversionSpec(
            files=files,
            source=cell.source,
            target=cell.target,
            inputs=_inputs(cell),
            skip_check=name == GRADIENTS,  # its numbers are no network's
        )
        conversion = services.convert(spec)
        if conversion.state != hub_pb2.Conversion.STATE_SUCCEEDED:
            return reason_of(conversion.failure)
        services.hub.download(conversion.files, place / name)
    for file in ("step.npz", "dropouts.json"):
        shutil.copy(source / file, place)
    codes = {(place / name / "model.py").read_text() for name in (WEIGHTS, GRADIENTS)}
    return "" if len(codes) == 1 else "its code depends on the values of its weights"


def _inputs(cell: Cell) -> dict[str, ir_pb2.TensorType]:
    return input_types([f"data={_SHAPES[cell.network]}"]) if cell.source == "mxnet" else {}


def _run(framework: str, *arguments: str | Path) -> str:
    """What a framework's side of the tests prints, run in its environment."""
    python = HOME / "envs" / framework / "bin" / "python"
    command = [python, "-m", f"tests.training.{SIDES[framework]}", *arguments]
    done = subprocess.run(command, cwd=HOME.parent, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{SIDES[framework]} {arguments[0]} failed: {done.stderr}")
    return done.stdout
