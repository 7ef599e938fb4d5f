"""Opens `.pt2` files: the exported program as JSON and its weights where they lie. Nothing in the
file is evaluated or unpickled; `torch.export.load` would do both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.pytorch.archive import Archive
from adapters.pytorch.payloads import Payloads
from adapters.pytorch.regions import inlined
from ir_hub.ir.tensor import Tensor
from ir_hub.sdk.adapter import Files
from ir_hub.sdk.errors import BadModel

MAJOR = 8  # of the schema of exported programs that is read
_OLD = ("serialized_exported_program.json", "serialized_state_dict.pt")


@dataclass(frozen=True)
class Program:
    """An opened file: the program as its JSON says it, regions put in their places, and its tensors
    by graph name."""

    json: Mapping[str, Any]
    weights: Payloads
    constants: Payloads

    @property
    def graph(self) -> Mapping[str, Any]:
        """The graph: inputs, outputs, nodes, and what is known of each value."""
        found: Mapping[str, Any] = self.json["graph_module"]["graph"]
        return found

    @property
    def signature(self) -> Mapping[str, Any]:
        """What each input and output of the graph is."""
        found: Mapping[str, Any] = self.json["graph_module"]["signature"]
        return found

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name in the module: a weight, or a constant."""
        return (self.weights if name in self.weights else self.constants).tensor(name)


def load(files: Files) -> Program:
    """Opens a `.pt2` file.

    Raises:
        BadModel: it isn't one, is damaged, or of another version.
    """
    archive = Archive(files)
    name = files.main.name
    if all(any(m == old or m.endswith(f"/{old}") for m in _names(archive)) for old in _OLD):
        raise BadModel(
            f"{name} was saved by an older PyTorch, with pickled weights, which are never loaded: "
            "load it there and save it again with PyTorch 2.8 or newer"
        )
    models = [m[len("models/") : -len(".json")] for m in archive.members if _is_model(m)]
    if len(models) != 1:
        said = f"the programs {', '.join(models)}; one is read" if models else "no exported program"
        raise BadModel(f"{name} has {said}: save the model with torch.export.save")
    if bytes(archive.read("byteorder")).strip() != b"little":
        raise BadModel(f"{name} was saved on a machine with another order of bytes")
    program = archive.json(f"models/{models[0]}.json")
    _check(program, name)
    module = program["graph_module"]
    module["graph"] = inlined(module["graph"])
    weights, constants = (Payloads(archive, kind, models[0]) for kind in ("weights", "constants"))
    return Program(program, weights, constants)


def _names(archive: Archive) -> list[str]:
    return [member.info.filename for member in archive.members.values()]


def _is_model(member: str) -> bool:
    return member.startswith("models/") and member.endswith(".json")


def _check(program: Any, name: str) -> None:
    try:
        version = program["schema_version"]
        major, minor = version["major"], version["minor"]
        graph, signature = program["graph_module"]["graph"], program["graph_module"]["signature"]
        lists = [graph[key] for key in ("nodes", "inputs", "outputs")]
        lists += [signature["input_specs"], signature["output_specs"]]
        tables = [graph["tensor_values"], graph["sym_int_values"], program["range_constraints"]]
    except (KeyError, TypeError) as error:
        raise BadModel(f"{name} is no exported program: it lacks {error}") from error
    if major != MAJOR:
        raise BadModel(
            f"{name} is written in version {major}.{minor} of torch.export's schema; "
            f"{MAJOR}.x is read"
        )
    if not all(isinstance(item, list) for item in lists) or not all(
        isinstance(item, dict) for item in tables
    ):
        raise BadModel(f"{name} is no exported program: its parts aren't what they should be")
