"""The hub and adapters, started as the command starts them, for as long as a test needs them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ir_hub.blobs import LocalStore
from ir_hub.cli.local import LocalServices
from ir_hub.client import HubClient
from ir_hub.hub.settings import Settings, load
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2

HOME = Path(__file__).parents[2] / ".irhub"


@dataclass(frozen=True)
class Services:
    """A hub's client, its settings, and the process ids of the hub and of each adapter."""

    hub: HubClient
    settings: Settings
    processes: Mapping[str, int]

    def upload(self, *paths: Path) -> list[adapter_pb2.File]:
        """A model's files as the hub takes them."""
        return self.hub.upload(paths)

    def convert(self, spec: hub_pb2.ConversionSpec) -> hub_pb2.Conversion:
        """The conversion when it has ended, whatever came of it."""
        *_, ended = self.hub.watch(self.hub.create(spec).name)
        return ended


@contextlib.contextmanager
def running(folder: Path, frameworks: Sequence[str]) -> Iterator[Services]:
    """Start a hub and the adapters of these frameworks, and stop them at the end.

    They run in the environments of this checkout; what they write is in `folder`.
    """
    settings = load(
        home=HOME, store=folder / "store", database=folder / "hub.sqlite", run=folder / "run"
    )
    local = LocalServices(settings)
    try:
        address = local.ensure(frameworks).address
        processes = {service.name: service.pid for service in local.running().values()}
        with HubClient(address, LocalStore(settings.store)) as hub:
            yield Services(hub, settings, processes)
    finally:
        local.stop()
