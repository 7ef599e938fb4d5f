"""The hub and adapters, started by `irhub up` for as long as a test needs them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ir_hub.blobs import LocalStore
from ir_hub.client import HubClient
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2

HOME = Path(__file__).parents[2] / ".irhub"
_IRHUB = Path(sys.executable).with_name("irhub")


@dataclass(frozen=True)
class Services:
    """A hub's client, the folder of its files, and the process ids of it and of each adapter."""

    hub: HubClient
    folder: Path
    processes: Mapping[str, int]

    def upload(self, *paths: Path) -> list[adapter_pb2.File]:
        """A model's files as the hub takes them."""
        return self.hub.upload(paths)

    def convert(self, spec: hub_pb2.ConversionSpec) -> hub_pb2.Conversion:
        """The conversion when it has ended, whatever came of it."""
        *_, ended = self.hub.watch(self.hub.create(spec).name)
        return ended

    def command(self, *arguments: str | Path) -> str:
        """What `irhub` with these arguments prints; it uses this hub."""
        return irhub(self.folder, *arguments)


@contextlib.contextmanager
def running(folder: Path, frameworks: Sequence[str]) -> Iterator[Services]:
    """Start a hub and the adapters of these frameworks, and stop them at the end.

    They run in the environments of this checkout; what they write is in `folder`.
    """
    try:
        irhub(folder, "up", *frameworks)
        found = [json.loads(file.read_text()) for file in (folder / "run").glob("*.json")]
        processes = {service["name"]: int(service["pid"]) for service in found}
        address = next(service["address"] for service in found if service["name"] == "hub")
        with HubClient(address, LocalStore(folder / "store")) as hub:
            yield Services(hub, folder, processes)
    finally:
        irhub(folder, "down")


def irhub(folder: Path, *arguments: str | Path) -> str:
    """What the `irhub` command prints; `RuntimeError` when it fails."""
    files = {"STORE": "store", "DATABASE": "hub.sqlite", "RUN": "run"}
    said = {f"IRHUB_{name}": str(folder / file) for name, file in files.items()}
    environ = os.environ | said | {"IRHUB_HOME": str(HOME)}
    done = subprocess.run([_IRHUB, *arguments], env=environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"irhub {' '.join(map(str, arguments))} failed: {done.stderr}")
    return done.stdout
