"""The other commands: inspect, explain, recover, adapters, services, store and settings."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import Irhub
from tests.services.processes import command


def test_inspect(irhub: Irhub, gelu: Path) -> None:
    done = irhub("inspect", gelu)
    assert done.returncode == 0, done.stderr
    assert "%x[N, 8]" in done.stdout
    assert "144" in done.stdout
    figures = json.loads(irhub("inspect", gelu, "--json", "--recover").stdout)
    assert figures["ops"] == {"gelu": 1, "linear": 1}
    text = irhub("inspect", gelu, "--text").stdout
    assert text.splitlines()[-1] == "outputs %y"


def test_inspect_needs_a_model(irhub: Irhub, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ir"
    broken.write_bytes(b"nothing")
    done = irhub("inspect", broken)
    assert (done.returncode, done.stdout) == (3, "")


def test_explain(irhub: Irhub, gelu: Path) -> None:
    done = irhub("explain", gelu)
    assert done.returncode == 0, done.stderr


def test_recover(irhub: Irhub, gelu: Path, tmp_path: Path) -> None:
    done = irhub("recover", gelu, "-o", tmp_path / "r.ir")
    assert done.returncode == 0, done.stderr
    assert "1 gelu, 1 linear" in done.stdout
    assert irhub("recover", gelu, "-o", tmp_path / "r.txt").returncode == 2


def test_adapters(irhub: Irhub, onnx_file: Path) -> None:
    done = irhub("adapters")
    assert done.returncode == 0, done.stderr
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("onnx")]
    assert "onnx (.onnx)" in row
    assert "running" in row
    found = {each["name"]: each for each in json.loads(irhub("adapters", "--json").stdout)}
    assert [(f["name"], f["suffixes"]) for f in found["onnx"]["reads"]] == [("onnx", [".onnx"])]
    assert "onnxruntime" in found["onnx"]["version"]
    assert "conv" in found["onnx"]["ops"]


def test_install_knows_its_names(irhub: Irhub) -> None:
    done = irhub("adapters", "install", "cobol")
    assert done.returncode == 2
    assert "onnx" in done.stderr


def test_up_status_down(tmp_path: Path) -> None:
    irhub = Irhub(tmp_path, environ={"IRHUB_WORKER_BYTES": str(1 << 30)})
    assert "nothing is running" in irhub("status").stdout
    try:
        assert irhub("up", "onnx").returncode == 0
        rows = irhub("status").stdout.splitlines()
        assert [row.split()[0] for row in rows[1:]] == ["hub", "onnx"]
        assert all(row.split()[-1] == "yes" for row in rows[1:])
        service = json.loads((tmp_path / "run" / "onnx.json").read_text())
        assert f"--memory-limit={1 << 30}" in command(psutil.Process(service["pid"]))
    finally:
        done = irhub("down")
    assert done.stdout.strip() == "stopped hub, onnx"
    assert "nothing is running" in irhub("status").stdout


def test_store(irhub: Irhub, gelu: Path) -> None:
    assert str(irhub.folder / "store") in irhub("store", "info").stdout
    done = irhub("store", "prune", "--to", "100TB")
    assert done.stdout.startswith("removed 0 blobs")
    assert irhub("store", "prune", "--to", "much").returncode == 2


def test_config_names_its_file(irhub: Irhub, tmp_path: Path) -> None:
    assert "config.toml" in irhub("config").stdout
    own = Irhub(tmp_path, home=tmp_path)
    (tmp_path / "config.toml").write_text("workers = 7\n")
    assert "7" in own("config").stdout
    (tmp_path / "config.toml").write_text("wrokers = 7\n")
    done = own("config")
    assert done.returncode == 2
    assert "wrokers" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["convert"], ["adapters"], ["store"], ["recover"]])
def test_help_teaches(irhub: Irhub, arguments: list[str]) -> None:
    done = irhub(*arguments, "--help")
    assert done.returncode == 0
    assert "irhub" in done.stdout


def test_help_of_convert_has_examples_and_exit_codes(irhub: Irhub) -> None:
    said = " ".join(irhub("convert", "--help").stdout.split())
    assert "irhub convert resnet50.onnx --to pytorch" in said
    assert "5 source and result differ" in said
