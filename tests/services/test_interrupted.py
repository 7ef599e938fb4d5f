"""Real conversions during which something dies, stops or fills up: what is said, what is left."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.client import HubClient
from irhub.hub.v1 import hub_pb2
from tests.cli.conftest import Irhub
from tests.services.onnx_bytes import graph, model, node
from tests.services.processes import command, eventually

State, Stage = hub_pb2.Conversion, hub_pb2.Stage
COUNT = 3000  # nodes: every stage takes long enough to be interrupted
_number = itertools.count(1)


@pytest.fixture
def long_model(tmp_path: Path) -> Path:
    """A model of many nodes that nobody has converted yet."""
    name = f"v{next(_number)}_"
    nodes = [node("Sin", [f"{name}{i}"], [f"{name}{i + 1}"], f"n{i}") for i in range(COUNT)]
    path = tmp_path / "long.onnx"
    path.write_bytes(model(graph(nodes, {f"{name}0": [2, 3]}, [f"{name}{COUNT}"])))
    return path


def pid_of(irhub: Irhub, service: str) -> int:
    return int(json.loads((irhub.folder / "run" / f"{service}.json").read_text())["pid"])


def client_of(irhub: Irhub) -> HubClient:
    said = json.loads((irhub.folder / "run" / "hub.json").read_text())
    return HubClient(said["address"], LocalStore(irhub.folder / "store"))


def workers(irhub: Irhub, service: str) -> list[psutil.Process]:
    children = psutil.Process(pid_of(irhub, service)).children()
    return [child for child in children if "spawn_main" in command(child)]


def begin(hub: HubClient, path: Path) -> str:
    """Begins a conversion to PyTorch; its name."""
    spec = hub_pb2.ConversionSpec(files=hub.upload([path]), target="pytorch", skip_check=True)
    return hub.create(spec).name


def at_work(hub: HubClient, stage: str) -> Callable[[], bool]:
    """Whether a worker is in the midst of a stage of the newest conversion."""

    def holds() -> bool:
        stages = {each.name: each.state for each in next(hub.list()).stages}
        jobs = (hub.store.root / "scratch").glob("*/*/work")
        return stages.get(stage) == Stage.STATE_RUNNING and any(jobs)

    return holds


def ended(hub: HubClient, name: str) -> hub_pb2.Conversion:
    return list(hub.watch(name))[-1]


@pytest.mark.parametrize(
    ("service", "stage", "number"),
    [("hub", "recover", signal.SIGKILL), ("pytorch", "emit", signal.SIGSEGV)],
)
def test_a_worker_that_dies_costs_one_conversion(
    irhub: Irhub, long_model: Path, service: str, stage: str, number: signal.Signals
) -> None:
    with client_of(irhub) as hub:
        name = begin(hub, long_model)
        assert eventually(at_work(hub, stage), 20)
        for worker in workers(irhub, service):
            worker.send_signal(number)
        done = ended(hub, name)
        assert done.state == State.STATE_FAILED
        assert (done.failure.stage, done.failure.reason) == (stage, "WORKER_CRASHED")
        assert done.failure.metadata["signal"] == number.name
        assert f"the worker process died ({number.name})" in done.failure.message
        assert not done.files
        assert ended(hub, begin(hub, long_model)).state == State.STATE_SUCCEEDED
        assert eventually(lambda: not list((hub.store.root / "scratch").glob("*/*")))


def test_a_cancelled_conversion_stops_the_hubs_own_work(irhub: Irhub, long_model: Path) -> None:
    with client_of(irhub) as hub:
        name = begin(hub, long_model)
        assert eventually(at_work(hub, "recover"), 20)
        begun = time.monotonic()
        assert hub.cancel(name).state == State.STATE_CANCELLED
        assert eventually(lambda: not list((hub.store.root / "scratch").glob("*/*")), 2)
        assert time.monotonic() - begun < 2
        assert ended(hub, begin(hub, long_model)).state == State.STATE_SUCCEEDED


@pytest.mark.parametrize("way", ["down", "killed"])
def test_a_hub_that_goes_away_goes_on_where_it_was(
    irhub: Irhub, long_model: Path, way: str
) -> None:
    irhub.environ["IRHUB_DRAIN_SECONDS"] = "0.1"
    assert irhub("down").returncode == 0
    assert irhub("up", "onnx", "pytorch").returncode == 0
    out = long_model.with_name("out")
    with client_of(irhub) as hub:
        before = {conversion.name for conversion in hub.list()}
        process = irhub.start("convert", long_model, "--to", "pytorch", "-o", out)
        assert eventually(lambda: {each.name for each in hub.list()} > before, 60)
        name = next(hub.list()).name
        assert eventually(at_work(hub, "recover"), 20)
        if way == "down":
            assert irhub("down").returncode == 0
        else:
            os.kill(pid_of(irhub, "hub"), signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 6, said
    assert "Traceback" not in said
    assert [path.name for path in long_model.parent.iterdir()] == [long_model.name]
    assert irhub("up", "onnx", "pytorch").returncode == 0
    with client_of(irhub) as hub:
        assert ended(hub, name).state == State.STATE_SUCCEEDED
    done = irhub("convert", long_model, "--to", "pytorch", "-o", out)
    assert done.returncode == 0, done.stderr
    assert "known already" in done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a file system in memory here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_to_be_full(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    store = {"IRHUB_STORE": str(small_disk / "store")}
    irhub = Irhub(tmp_path / "home", environ=store)
    source, out = tmp_path / "m.onnx", tmp_path / "out"
    with ExitStack() as stack:
        assert irhub("up", "onnx", "pytorch").returncode == 0
        stack.callback(irhub, "down")
        rest = small_disk / "rest"
        source.write_bytes(model(graph([node("Sin", ["x"], ["y"])], {"x": [2, 3]}, ["y"])))
        rest.write_bytes(bytes(shutil.disk_usage(small_disk).free - 8192))
        done = irhub("convert", source, "--to", "pytorch", "-o", out)
        assert done.returncode == 6, done.stderr
        assert "is full (the disk)" in done.stderr
        assert not out.exists()
        rest.unlink()
        done = irhub("convert", source, "--to", "pytorch", "-o", out)
        assert done.returncode == 0, done.stderr
