"""Whatever is killed, in whatever stage: a conversion ends well or says why, and leaves nothing."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from irhub.hub.v1 import hub_pb2
from tests.services.gated import FOLDER, Gates
from tests.services.hubs import Hub, State, rows, start_hub
from tests.services.processes import command, eventually, start

STAGES = {"parse": "parse", "emit": "emit", "compare": "run"}  # and what the adapter calls them
VICTIMS = ("hub", "adapter front", "adapter worker")
WORKERS = 2 + 1  # the hub's and the adapter's
_number = itertools.count(1)


class System:
    """A hub and an adapter with gates, each of which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gates = Gates(folder / "gates")
        (folder / "gates").mkdir()
        (folder / "adapter").mkdir()
        self.adapter = start("tests.services.gated", folder / "adapter")
        self.hub = self._hub()

    def _hub(self) -> Hub:
        return start_hub(self.folder / "hub", f"--adapters=gated={self.adapter.address}")

    def spec(self) -> hub_pb2.ConversionSpec:
        """A conversion that nobody has asked for yet."""
        file = self.hub.put(f"leaky 0.{next(_number)}\ntanh".encode(), "model.toy")
        return hub_pb2.ConversionSpec(files=[file], target="gated", inputs={"x": rows()})

    def begin(self, spec: hub_pb2.ConversionSpec, stage: str) -> tuple[str, psutil.Process]:
        """Begins a conversion; its name, and the worker that has come to the stage's gate."""
        gate = STAGES[stage]
        self.gates.open()
        self.gates.close(gate)
        name = self.hub.client.create(spec).name
        assert eventually(lambda: self.gates.waiting(gate) is not None, 60)
        return name, psutil.Process(self.gates.waiting(gate))

    def kill(self, victim: str, worker: psutil.Process) -> list[psutil.Process]:
        """Kills with -9, as the system does when it is out of memory; the processes that have to
        end with it, all that the victim had started among them."""
        if victim == "adapter worker":
            worker.kill()
            return [worker]
        process = self.hub.process if victim == "hub" else self.adapter.process
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait(10)
        return [worker, *family]

    def mend(self) -> None:
        """Starts again what was killed."""
        if self.adapter.process.poll() is not None:
            address = f"--address={self.adapter.address}"
            self.adapter = start("tests.services.gated", self.folder / "adapter", address)
        if self.hub.process.poll() is not None:
            self.hub = self._hub()

    def stores(self) -> list[Path]:
        return [self.folder / "hub" / "store", self.adapter.store.root]

    def stop(self) -> None:
        self.gates.open()
        self.hub.stop()
        self.adapter.process.terminate()
        self.adapter.process.wait(10)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER, str(folder / "gates"))
        system = System(folder)
        yield system
        system.stop()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_kill_costs_at_most_one_conversion(system: System, victim: str, stage: str) -> None:
    spec = system.spec()
    name, worker = system.begin(spec, stage)
    _, alive = psutil.wait_procs(system.kill(victim, worker), timeout=10)
    assert not alive, "somebody works on without a caller"
    system.gates.open()
    system.mend()

    ended = list(system.hub.client.watch(name))[-1]
    failure = (ended.failure.stage, ended.failure.reason)
    wanted = {
        "hub": ("", ""),
        "adapter front": (stage, "UNAVAILABLE"),
        "adapter worker": (stage, "WORKER_CRASHED"),
    }
    assert failure == wanted[victim], ended.failure
    said = ended.failure.metadata
    assert said.get("signal") == ("SIGKILL" if victim == "adapter worker" else None)
    assert said.get("adapter") == (None if victim == "hub" else "gated")
    assert bool(ended.files) == (victim == "hub")
    check_what_follows(system, spec)


@pytest.mark.parametrize("stage", STAGES)
def test_a_cancelled_conversion_stops_its_work(system: System, stage: str) -> None:
    spec = system.spec()
    name, worker = system.begin(spec, stage)
    begun = time.monotonic()
    assert system.hub.client.cancel(name).state == State.STATE_CANCELLED
    _, alive = psutil.wait_procs([worker], timeout=5)
    assert not alive
    print(f"cancelled in {stage}: stopped after {time.monotonic() - begun:.2f} s")
    system.gates.open()
    check_what_follows(system, spec)


def check_what_follows(system: System, spec: hub_pb2.ConversionSpec) -> None:
    """The same conversion works, then it is known, and nothing half-done lies anywhere."""
    done = system.hub.convert(spec)
    assert done.state == State.STATE_SUCCEEDED, done.failure
    assert done.comparison.equal
    again = system.hub.convert(spec)
    assert all(each.cached for each in again.stages)
    assert again.files == done.files
    for store in system.stores():
        assert eventually(lambda store=store: not list((store / "scratch").glob("*/*")))
        for path in (store / "blobs").rglob("*"):
            assert path.is_dir() or hashlib.sha256(path.read_bytes()).hexdigest() in path.name
    assert eventually(lambda: len(workers_of(system)) == WORKERS)


def workers_of(system: System) -> list[psutil.Process]:
    """The workers of its hub and of its adapter."""
    parents = (system.hub.process.pid, system.adapter.process.pid)
    return [
        child
        for parent in parents
        for child in psutil.Process(parent).children(recursive=True)
        if "spawn_main" in command(child)
    ]
