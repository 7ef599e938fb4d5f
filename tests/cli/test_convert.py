"""`irhub convert` from without: what it writes, what it says, how it ends."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.client import HubClient
from irhub.hub.v1 import hub_pb2
from tests.cli.conftest import Irhub
from tests.services.hubs import start_hub
from tests.services.processes import eventually, start


def test_to_ir_and_to_onnx_and_back(irhub: Irhub, onnx_file: Path, tmp_path: Path) -> None:
    done = irhub("convert", onnx_file, "--to", "ir", "-o", tmp_path / "back.ir")
    assert done.returncode == 0, done.stderr
    assert "equal in 2 runs" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["back.ir"]


def test_folder_has_files_and_report(irhub: Irhub, gelu: Path, tmp_path: Path) -> None:
    done = irhub("convert", gelu, "--to", "onnx", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"model.onnx", "report.json"} <= names
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["state"] == "succeeded"
    assert report["summary"]["recovered"] == {"gelu": 1, "linear": 1}


def test_default_output_is_named_after_source_and_target(
    irhub: Irhub, gelu: Path, tmp_path: Path
) -> None:
    assert irhub("convert", gelu, "--to", "ir", cwd=tmp_path).returncode == 0
    assert irhub("convert", gelu, "--to", "onnx", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gelu-onnx", "gelu.ir"]


def test_json_is_all_of_stdout(irhub: Irhub, gelu: Path, tmp_path: Path) -> None:
    done = irhub("convert", gelu, "--to", "ir", "-o", tmp_path / "r.ir", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["comparison"]["equal"] is True
    assert done.stderr == ""


def test_second_time_is_known(irhub: Irhub, gelu: Path, tmp_path: Path) -> None:
    irhub("convert", gelu, "--to", "ir", "-o", tmp_path / "1.ir")
    done = irhub("convert", gelu, "--to", "ir", "-o", tmp_path / "2.ir")
    assert "known from an earlier conversion" in done.stdout
    assert (tmp_path / "1.ir").read_bytes() == (tmp_path / "2.ir").read_bytes()


def test_given_inputs(irhub: Irhub, gelu: Path, tmp_path: Path, npz: Callable[..., Path]) -> None:
    inputs = npz(x=np.ones((5, 8), np.float32))
    flags = ("--to", "ir", "-o", tmp_path / "r.ir", "--check-inputs", inputs, "--json")
    done = irhub("convert", gelu, *flags)
    (output,) = json.loads(done.stdout)["comparison"]["outputs"]
    assert output["inputs"] == ["x: float32[5, 8]"]


def test_given_inputs_that_do_not_fit(
    irhub: Irhub, gelu: Path, tmp_path: Path, npz: Callable[..., Path]
) -> None:
    inputs = npz(wrong=np.ones((5, 8), np.float32))
    done = irhub("convert", gelu, "--to", "ir", "-o", tmp_path / "r.ir", "--check-inputs", inputs)
    assert done.returncode == 3
    assert "wrong" in done.stderr
    assert not (tmp_path / "r.ir").exists()


def test_occupied_output_is_left_alone(irhub: Irhub, gelu: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    for flags in ((), ("--force",)):
        done = irhub("convert", gelu, "--to", "onnx", "-o", out, *flags)
        assert done.returncode == 2
        assert str(out) in done.stderr
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_force_replaces_an_earlier_conversion(irhub: Irhub, gelu: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert irhub("convert", gelu, "--to", "onnx", "-o", out).returncode == 0
    (out / "left over").write_text("")
    assert irhub("convert", gelu, "--to", "onnx", "-o", out).returncode == 2
    assert irhub("convert", gelu, "--to", "onnx", "-o", out, "--force").returncode == 0
    assert not (out / "left over").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["nowhere.onnx", "--to", "ir"], 2, "doesn't exist"),
        (["{gelu}", "--to", "cobol"], 2, "--to 'cobol': there is "),
        (["{gelu}", "--to", "ir", "--from", "cobol"], 2, "--from 'cobol'"),
        (["{gelu}", "--to", "ir", "--input", "x"], 2, "name=shape"),
        (["{gelu}", "--to", "ir", "--input", "x=1xx3"], 2, "'1xx3' is no shape"),
        (["{gelu}", "--to", "ir", "--input", "x=1x3:quux"], 2, "'quux' is no element type"),
        (["{gelu}", "--to", "ir", "--input", "x=1x3"], 2, "An IR says the types"),
        (["{gelu}", "--to", "onnx", "--option", "depth=1"], 2, "there is: opset"),
        (["{gelu}", "--to", "onnx", "--opset", "3"], 2, "'3' isn't one of"),
        (["{text}", "--to", "ir"], 2, "Nothing reads files like 'notes.txt'"),
        (["{pickle}", "--to", "ir"], 2, "write it by torch.export.save("),
        (["{broken}", "--to", "ir"], 3, "parse failed"),
        (["{gelu}"], 2, "--to"),
    ],
)
def test_what_can_be_wrong(
    irhub: Irhub, gelu: Path, tmp_path: Path, flags: list[str], code: int, said: str
) -> None:
    files = {"gelu": gelu, "text": tmp_path / "notes.txt", "broken": tmp_path / "broken.onnx"}
    files["pickle"] = tmp_path / "net.pth"
    files["pickle"].write_bytes(b"PK")
    files["text"].write_text("notes")
    files["broken"].write_bytes(b"\xff" * 100)
    before = sorted(tmp_path.iterdir())
    done = irhub("convert", *(flag.format(**files) for flag in flags), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_missing_environment_says_how_to_get_it(gelu: Path, tmp_path: Path) -> None:
    done = Irhub(tmp_path, home=tmp_path / "home")("convert", gelu, "--to", "onnx")
    assert done.returncode == 6
    assert "irhub adapters install onnx" in done.stderr
    assert not (tmp_path / "run").exists()


def test_ctrl_c_cancels(irhub: Irhub, gelu: Path, tmp_path: Path) -> None:
    assert irhub("up", "onnx").returncode == 0
    said = json.loads((irhub.folder / "run" / "hub.json").read_text())
    stopped = psutil.Process(said["pid"]).children(recursive=True)
    for worker in stopped:
        worker.suspend()
    process = irhub.start("convert", gelu, "--to", "onnx", "-o", tmp_path / "out", "--opset", "22")
    with HubClient(said["address"], LocalStore(irhub.folder / "store")) as client:
        running = hub_pb2.Conversion.STATE_RUNNING
        assert eventually(lambda: next(client.list()).state == running, 20)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
        assert (process.returncode, words.splitlines()[-1]) == (7, "error: Cancelled.")
        assert next(client.list()).state == hub_pb2.Conversion.STATE_CANCELLED
    assert not list(tmp_path.iterdir())
    for worker in stopped:
        with suppress(psutil.NoSuchProcess):
            worker.resume()


def test_services_that_were_killed_are_started_again(
    irhub: Irhub, gelu: Path, tmp_path: Path
) -> None:
    assert irhub("up", "onnx").returncode == 0
    for name in ("hub", "onnx"):
        said = json.loads((irhub.folder / "run" / f"{name}.json").read_text())
        psutil.Process(said["pid"]).kill()
    done = irhub("convert", gelu, "--to", "onnx", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Irhub]:
    """The command, with a hub that was started by others, and adapters that irhub doesn't know."""
    modules = {"toy": "toy.adapter", "misbehaving": "misbehaving", "liar": "liar"}
    services = {
        name: start(f"tests.services.{module}", tmp_path_factory.mktemp(name))
        for name, module in modules.items()
    }
    addresses = ",".join(f"{name}={service.address}" for name, service in services.items())
    hub = start_hub(tmp_path_factory.mktemp("hub"), f"--adapters={addresses}")
    yield Irhub(tmp_path_factory.mktemp("client"), environ={"IRHUB_HUB": hub.client.address})
    hub.stop()
    for service in services.values():
        service.process.terminate()
        service.process.wait(10)


@pytest.mark.parametrize(
    ("name", "content", "flags", "code", "said"),
    [
        ("m.toy", "relu", ["--to", "toy"], 0, ""),
        ("m.toy", "relu", ["--to", "liar"], 5, "compare failed: The converted model doesn't"),
        ("m.toy", "relu", ["--to", "liar", "--allow-mismatch"], 0, "DELIVERED DESPITE"),
        ("m.toy", "relu", ["--to", "liar", "--no-check"], 0, ""),
        ("m.toy", "swirl 3", ["--to", "ir"], 4, "no rule reads swirl"),
        ("m.toy", "relu", ["--to", "keras"], 2, "no adapter for 'keras'"),
        ("m.deed", "kill", ["--to", "ir"], 6, "SIGKILL"),
        ("m.xyz", "relu", ["--to", "ir"], 2, "No adapter reads"),
        ("m.xyz", "relu", ["--to", "ir", "--from", "toy"], 0, ""),
        ("m.toy", "relu", ["--to", "toy", "--option", "a=b"], 2, "there is: none"),
    ],
)
def test_a_hub_elsewhere(
    elsewhere: Irhub,
    tmp_path: Path,
    name: str,
    content: str,
    flags: list[str],
    code: int,
    said: str,
) -> None:
    (tmp_path / name).write_text(content)
    out = tmp_path / "out"
    inputs = ("--input", "x=N,4")
    done = elsewhere("convert", tmp_path / name, "-o", out, *inputs, *flags)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert said in done.stderr
    assert out.exists() == (code == 0)
    assert {path.name for path in tmp_path.iterdir()} <= {name, "out"}
