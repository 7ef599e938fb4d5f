"""A case of ONNX's backend tests as the hub would hand it to a target: IR, inputs, outputs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ir_hub.blobs.store import LocalStore
from ir_hub.environments import python_of
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.tensors import Arrays, read_arrays, write_arrays
from irhub.adapter.v1 import adapter_pb2

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".irhub"
_LIST = "cases.json"


@dataclass(frozen=True)
class BackendCase:
    """A case; `said` is why it can't be read, and then there is no model. `runs` are the inputs and
    the outputs expected of them, `rtol` and `atol` what the suite allows them to differ by."""

    name: str
    rtol: float
    atol: float
    said: str = ""
    model: Blob | None = None
    runs: tuple[tuple[Blob, Blob], ...] = ()


class Cases:
    """A folder with all cases: `tests.backend.write` writes it."""

    def __init__(self, folder: Path) -> None:
        self.store = LocalStore(folder / "store")
        self._list = folder / _LIST

    def save(self, cases: Iterable[BackendCase]) -> None:
        """Writes the list, last of all."""
        self._list.write_text(json.dumps([asdict(case) for case in cases]))

    def load(self) -> list[BackendCase]:
        """All the cases."""
        return list(map(_case, json.loads(self._list.read_text())))

    def put_arrays(self, arrays: Arrays) -> Blob:
        """Stores tensors by name, in their order."""
        result = adapter_pb2.RunResult(outputs=write_arrays(arrays, self.store))
        return self.store.put_bytes(result.SerializeToString())

    def model(self, case: BackendCase) -> Model:
        """A case's model, after the hub's passes that don't depend on the target."""
        assert case.model is not None
        return load_model(self.store.open(case.model), self.store)

    def arrays(self, blob: Blob) -> Arrays:
        """The tensors of a run."""
        result = adapter_pb2.RunResult.FromString(bytes(self.store.open(blob)))
        return read_arrays(result.outputs, self.store)


def opened(folder: Path) -> Cases:
    """The cases in a folder; the environment of the ONNX adapter writes them if it has none."""
    if not (folder / _LIST).exists():
        command = [python_of("onnx", HOME), "-W", "ignore", "-m", "tests.backend.write", folder]
        subprocess.run(command, cwd=ROOT, check=True)
    return Cases(folder)


def _case(entry: dict[str, Any]) -> BackendCase:
    model = entry["model"] and Blob(**entry["model"])
    runs = tuple((Blob(**given), Blob(**wanted)) for given, wanted in entry["runs"])
    return BackendCase(**{**entry, "model": model, "runs": runs})
