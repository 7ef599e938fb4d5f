"""Services are found again, and what only looks like one isn't taken for it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
import pytest

from ir_hub.cli.local import LocalServices, ServiceError
from ir_hub.hub.settings import load
from tests.cli.conftest import HOME, Irhub


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
