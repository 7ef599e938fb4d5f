"""Many conversions at once, by real adapters: all end well, and take no more memory than a few."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from ir_hub.blobs import LocalStore
from ir_hub.blobs.wire import blob_to_proto
from ir_hub.client import HubClient
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2
from tests.cli.conftest import Irhub
from tests.services.onnx_bytes import graph, model, node

MANY, FEW = 30, 3
MIB = 1 << 20


class Peak:
    """Watches how much memory services and their workers take together, in bytes."""

    def __init__(self, folder: Path) -> None:
        said = [json.loads(path.read_text()) for path in (folder / "run").glob("*.json")]
        self._services = [psutil.Process(service["pid"]) for service in said]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.size = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            self.size = max(self.size, self._used())

    def _used(self) -> int:
        size = 0
        for service in self._services:
            for process in (service, *service.children(recursive=True)):
                with suppress(psutil.Error):
                    # What several share counts once: a child between fork and exec has no own.
                    size += process.memory_full_info().pss
        return size


def onnx_file(hub: HubClient, number: int) -> adapter_pb2.File:
    """A small model that is like no other number's."""
    names = ["a", *(f"b{i}" for i in range(number)), "y"]
    nodes = [node("Relu", [a], [b]) for a, b in itertools.pairwise(names)]
    content = model(graph([node("Sin", ["x"], ["a"]), *nodes], {"x": [2, 3]}, ["y"]))
    return adapter_pb2.File(name="model.onnx", blob=blob_to_proto(hub.store.put_bytes(content)))


def convert_all(hub: HubClient, numbers: Sequence[int]) -> list[hub_pb2.Conversion]:
    specs = [
        hub_pb2.ConversionSpec(files=[onnx_file(hub, number)], target="pytorch")
        for number in numbers
    ]
    names = [hub.create(spec).name for spec in specs]
    return [list(hub.watch(name))[-1] for name in names]


def test_many_conversions_at_once_take_no_more_memory_than_few(irhub: Irhub) -> None:
    said = json.loads((irhub.folder / "run" / "hub.json").read_text())
    with HubClient(said["address"], LocalStore(irhub.folder / "store")) as hub:
        with Peak(irhub.folder) as few:
            convert_all(hub, range(FEW))
        with Peak(irhub.folder) as many:
            done = convert_all(hub, range(FEW, FEW + MANY))
    print(f"peak memory: {few.size / MIB:.0f} MiB with {FEW}, {many.size / MIB:.0f} with {MANY}")
    failures = [each.failure for each in done if each.state != hub_pb2.Conversion.STATE_SUCCEEDED]
    assert not failures
    assert all(each.comparison.equal for each in done)
    assert not any(stage.cached for each in done for stage in each.stages)
    assert many.size < 1.5 * few.size
