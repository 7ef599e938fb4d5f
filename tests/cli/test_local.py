"""Services are found again, and what only looks like one isn't taken for it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from ir_hub.cli.local import LocalServices, ServiceError
from ir_hub.hub.settings import load
from tests.cli.conftest import HOME, Irhub
from tests.services.processes import command, eventually


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalServices:
    for name in [name for name in os.environ if name.startswith("IRHUB_")]:
        monkeypatch.delenv(name)
    run, store, database = (tmp_path / name for name in ("run", "store", "hub.sqlite"))
    run.mkdir()
    return LocalServices(load(home=HOME, run=run, store=store, database=database))


def note(folder: Path, **said: object) -> None:
    service = {
        "name": "hub",
        "kind": "hub",
        "address": "127.0.0.1:1",
        "pid": os.getpid(),
        "began": psutil.Process().create_time(),
        "store": "",
        "code": "",
    }
    (folder / "run" / "hub.json").write_text(json.dumps(service | said))


def test_a_living_process_is_found(local: LocalServices, tmp_path: Path) -> None:
    note(tmp_path)
    assert list(local.running()) == ["hub"]


def test_a_process_id_that_is_used_again_is_not(local: LocalServices, tmp_path: Path) -> None:
    note(tmp_path, began=1.0)
    assert local.running() == {}
    assert local.stop() == []
    assert psutil.Process().is_running()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "hub"}', "\0"])
def test_a_broken_file_is_not(local: LocalServices, tmp_path: Path, content: str) -> None:
    (tmp_path / "run" / "hub.json").write_text(content)
    assert local.running() == {}


def test_a_service_that_cannot_start_says_why(local: LocalServices, tmp_path: Path) -> None:
    (tmp_path / "hub.sqlite").mkdir()
    with pytest.raises(ServiceError, match="can't be used as the hub's database"):
        local.ensure([])
    assert local.running() == {}


def test_what_was_begun_beside_a_service_that_cannot_start_is_ended(
    local: LocalServices, tmp_path: Path
) -> None:
    # Services are started in the run folder, where this is found before the adapter's own code.
    broken = tmp_path / "run" / "adapters" / "onnx"
    broken.mkdir(parents=True)
    (broken.parent / "__init__.py").touch()
    (broken / "__main__.py").write_text("import sys\nsys.exit('broken on purpose')\n")
    with pytest.raises(ServiceError, match="onnx can't start: broken on purpose"):
        local.ensure(["onnx"])
    assert local.running() == {}
    assert [child for child in psutil.Process().children() if "ir_hub.hub" in command(child)] == []
    shutil.rmtree(broken.parent)
    try:
        local.ensure(["onnx"])
        assert list(local.running()) == ["hub", "onnx"]
    finally:
        local.stop()


def test_a_stopped_service_that_nobody_reaped_is_not_waited_for(
    local: LocalServices, tmp_path: Path
) -> None:
    # A shell that becomes a program that never asks what became of its child.
    forgetful = ["sh", "-c", "sleep 600 & echo $!; exec sleep 600"]
    with subprocess.Popen(forgetful, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        service = psutil.Process(int(starter.stdout.readline()))
        assert eventually(lambda: psutil.Process(starter.pid).name() == "sleep")
        note(tmp_path, pid=service.pid, began=service.create_time())
        begun = time.monotonic()
        try:
            assert local.stop() == ["hub"]
            assert time.monotonic() - begun < 5
            assert service.status() == psutil.STATUS_ZOMBIE
        finally:
            starter.kill()


def test_a_service_that_does_not_stop_is_killed(
    local: LocalServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ir_hub.cli.local._STOP_SECONDS", 0.5)
    deaf = ["sh", "-c", "trap '' TERM; echo ready; while true; do sleep 0.1; done"]
    with subprocess.Popen(deaf, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n"
        note(tmp_path, pid=service.pid, began=psutil.Process(service.pid).create_time())
        assert local.stop() == ["hub"]
        assert service.wait(5) == -signal.SIGKILL


def test_two_commands_start_services_once(tmp_path: Path, gelu: Path) -> None:
    irhub = Irhub(tmp_path)
    try:
        both = [
            irhub.start("convert", gelu, "--to", "ir", "-o", tmp_path / f"{n}.ir") for n in (1, 2)
        ]
        said = [process.communicate(timeout=120) for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        assert irhub("down").stdout == "stopped hub\n"
    finally:
        irhub("down")
