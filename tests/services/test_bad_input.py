"""Models that are broken, hostile or only odd, through the command and the real services."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.client import HubClient
from ir_hub.environments import python_of
from irhub.hub.v1 import hub_pb2
from tests.cli.conftest import HOME, Irhub
from tests.services.onnx_bytes import Body, external, graph, model, node, tensor

WEIGHT = tensor("w", np.array([1, -2, 3], np.float32))
_number = itertools.count(1)


def one(operation: bytes, *weights: bytes, output: str = "y", **said: object) -> bytes:
    """A model of one node that reads x, of which the batch is open."""
    return model(graph([operation], {"x": ["n", 3]}, [output], weights), **said)


def outside(**said: str) -> bytes:
    """A model whose weight lies in another file."""
    return one(node("Mul", ["x", "w"], ["y"]), external("w", [3], **said))


def nested(depth: int) -> bytes:
    """Conditions within conditions."""
    leaf = body = Body(graph([node("Relu", ["x"], ["z"])], {}, ["z"]))
    for _ in range(depth):
        choice = node("If", ["c"], ["z"], then_branch=body, else_branch=leaf)
        body = Body(graph([choice], {}, ["z"]))
    nodes = [node("ReduceSum", ["x"], ["s"], keepdims=0), node("Greater", ["s", "k"], ["c"])]
    last = node("If", ["c"], ["y"], then_branch=body, else_branch=leaf)
    return model(graph([*nodes, last], {"x": [3]}, ["y"], [tensor("k", np.zeros((), np.float32))]))


MUL = one(node("Mul", ["x", "w"], ["y"], "scale"), WEIGHT)
UNKNOWN = model(
    graph(
        [
            node("Frob", ["x"], ["a"], "first"),
            node("Relu", ["a"], ["b"], "known"),
            node("Twist", ["b"], ["y"], "second"),
        ],
        {"x": [3]},
        ["y"],
    )
)
CYCLE = model(
    graph([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])], {"x": [3]}, ["b"])
)
CUSTOM = node("Fancy", ["x"], ["y"], "one", domain="com.example")
STEERING = node("\x1b[2J[bold]Frob[/]\r", ["x"], ["y"])
BAD, UNSUPPORTED, USAGE = 3, 4, 2


@dataclass(frozen=True)
class Case:
    """A file, the exit code that it leads to, and what is said then."""

    content: bytes
    code: int
    said: str
    name: str = "model.onnx"


CASES = {
    "no bytes": Case(b"", BAD, "not a whole ONNX model: it has no IR version"),
    "other bytes": Case(bytes(range(256)), BAD, "is not an ONNX model"),
    "a web page": Case(b"<!DOCTYPE html><html></html>", BAD, "is not an ONNX model"),
    "an archive": Case(b"PK\x03\x04" + bytes(100), BAD, "is not an ONNX model"),
    "cut off": Case(MUL[:-40], BAD, r"model.onnx is cut off: \d+ bytes are missing"),
    "unknown ops": Case(UNKNOWN, UNSUPPORTED, r"- first \(Frob\).*\n.*- second \(Twist\)"),
    "custom op": Case(
        one(CUSTOM, domains=["com.example"]), UNSUPPORTED, "no rule reads com.example::Fancy"
    ),
    "undeclared domain": Case(one(CUSTOM), BAD, "domain 'com.example', of whose op set"),
    "missing data": Case(
        outside(location="w.bin"), BAD, "file 'w.bin', which was not given .* give it along"
    ),
    "data above": Case(outside(location="../w.bin"), BAD, "outside its own folder"),
    "data below and above": Case(outside(location="a/../../w.bin"), BAD, "outside its own"),
    "data anywhere": Case(outside(location="/etc/hostname"), BAD, "outside its own folder"),
    "data on a share": Case(outside(location="\\\\host\\w.bin"), BAD, "outside its own folder"),
    "a cycle": Case(CYCLE, BAD, "node Add reads b, which nothing before it .* cycle"),
    "too deep": Case(nested(150), BAD, "nested more than 100 deep"),
    "colours and escapes": Case(
        one(STEERING), UNSUPPORTED, r"no rule reads \\x1b\[2J\[bold\]Frob\[/\]\\r"
    ),
    "a line end in the name": Case(MUL, USAGE, "can't name a file", "a\nb.onnx"),
    "an escape in the name": Case(MUL, USAGE, r"'a\\x1b\[31m.onnx' can't", "a\x1b[31m.onnx"),
    "a name that isn't text": Case(MUL, USAGE, "can't name a file", os.fsdecode(b"a\xff.onnx")),
    "a folder's mark in the name": Case(MUL, USAGE, "can't name a file", "a\\b.onnx"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_refused(irhub: Irhub, tmp_path: Path, case: Case) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(12))  # what "../w.bin" would find
    source = folder / case.name
    source.write_bytes(case.content)
    done = irhub("convert", source, "--to", "pytorch", "-o", folder / "out")
    assert (done.returncode, done.stdout) == (case.code, ""), done.stderr
    assert re.search(case.said, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.replace("\n", "").isprintable()
    assert [path.name for path in folder.iterdir()] == [case.name]
    assert_works(irhub)


def running(irhub: Irhub) -> dict[str, int]:
    """The processes of the services, by name."""
    notes = [json.loads(path.read_text()) for path in (irhub.folder / "run").glob("*.json")]
    return {said["name"]: said["pid"] for said in notes if psutil.pid_exists(said["pid"])}


def client_of(irhub: Irhub) -> HubClient:
    said = json.loads((irhub.folder / "run" / "hub.json").read_text())
    return HubClient(said["address"], LocalStore(irhub.folder / "store"))


def assert_works(irhub: Irhub) -> None:
    """Converts a model that nobody has converted yet."""
    weight = tensor("w", np.array([next(_number), 2, 3], np.float32))
    with client_of(irhub) as hub:
        path = irhub.folder / "good.onnx"
        path.write_bytes(one(node("Mul", ["x", "w"], ["y"]), weight))
        name = hub.create(hub_pb2.ConversionSpec(files=hub.upload([path]), target="pytorch")).name
        done = list(hub.watch(name))[-1]
        assert done.state == hub_pb2.Conversion.STATE_SUCCEEDED, done.failure
        assert done.comparison.equal


@pytest.mark.parametrize("kind", ["folder", "empty folder.onnx", "pipe.onnx"])
def test_what_is_no_file_is_refused(irhub: Irhub, tmp_path: Path, kind: str) -> None:
    source = tmp_path / kind
    if kind.startswith("pipe"):
        os.mkfifo(source)
    else:
        source.mkdir()
    done = irhub("convert", source, "--to", "pytorch", "-o", tmp_path / "out")
    assert (done.returncode, "Traceback" in done.stderr) == (USAGE, False), done.stderr
    assert not (tmp_path / "out").exists()


def test_files_of_different_folders_are_refused(irhub: Irhub, tmp_path: Path) -> None:
    for name in ("a/m.onnx", "b/w.bin"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(outside(location="../b/w.bin"))
    files = (tmp_path / "a" / "m.onnx", tmp_path / "b" / "w.bin")
    done = irhub("convert", *files, "--to", "pytorch", "-o", tmp_path / "out")
    assert (done.returncode, "Traceback" in done.stderr) == (USAGE, False), done.stderr
    assert "put a model's files into one folder" in done.stderr


NAN = tensor("w", np.array([np.nan, 1, -1], np.float32))
ODD = {
    "no nodes": (model(graph([], {"x": ["n", 3]}, ["x"])), "model.onnx"),
    "weights that are no numbers": (one(node("Mul", ["x", "w"], ["y"]), NAN), "model.onnx"),
    "deep": (nested(20), "model.onnx"),
    "a shell's words": (MUL, "a b $(touch pwned) `id` 'q\".onnx"),
    "a flag": (MUL, "--to.onnx"),
    "other alphabets": (MUL, "modèle_模型.ONNX"),
    "brackets": (MUL, "[red]x[bold].onnx"),
    "a long name": (MUL, "n" * 250 + ".onnx"),
}


@pytest.mark.parametrize(("content", "name"), ODD.values(), ids=ODD)
def test_odd_but_converted(irhub: Irhub, tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    done = irhub("convert", tmp_path / name, "--to", "pytorch", "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["comparison"]["equal"] is True
    assert {path.name for path in tmp_path.iterdir()} == {name, "out"}


def test_nan_is_compared_by_place(irhub: Irhub, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(one(node("Mul", ["x", "w"], ["y"]), NAN))
    done = irhub("convert", tmp_path / "m.onnx", "--to", "pytorch", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    code = "import model, torch; print(model.load()(torch.ones(2, 3)).isnan().sum(0).tolist())"
    assert run_there(tmp_path / "out", code) == "[2, 0, 0]\n"


def run_there(folder: Path, code: str) -> str:
    """What code prints that is run in a folder, by the Python that has PyTorch."""
    command = [python_of("pytorch", HOME), "-c", code]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def hostile(text: str) -> bytes:
    """A model that says a text wherever a file can say one."""
    scopes = {
        "pkg.torch.onnx.name_scopes": repr(["", text, f"{text}.{text}", "mul"]),
        "pkg.torch.onnx.class_hierarchy": repr([text, text, text, "Mul"]),
    }
    weight = tensor(f"{text}w", np.array([1, -2, 3], np.float32))
    nodes = [
        node("Mul", [text, f"{text}w"], [f"{text}y"], text, metadata=scopes),
        node("Add", [f"{text}y", f"{text}w"], [f"{text}z"], f"/{text}/{text}/Add"),
    ]
    inside = graph(nodes, {text: [text, 3]}, [f"{text}z"], [weight], name=text)
    return model(inside, producer=text, metadata={text: text}, domains=[text])


@pytest.mark.parametrize(
    "form",
    ['x"); {} #', '"""\n{}\n"""', "{}", "\\\n{}", "x}}{{{}}}"],
)
def test_names_never_become_code(irhub: Irhub, tmp_path: Path, form: str) -> None:
    trace = tmp_path / "trace"
    text = form.format(f"__import__('os').mkdir({str(trace)!r})")
    (tmp_path / "m.onnx").write_bytes(hostile(text))
    done = irhub("convert", tmp_path / "m.onnx", "--to", "pytorch", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    code = "import model, torch; print(model.load()(torch.ones(1, 3)).tolist())"
    assert run_there(tmp_path / "out", code) == "[[2.0, -4.0, 6.0]]\n"
    written = (tmp_path / "out" / "model.py").read_text()
    assert "__import__(" not in written.partition('"""\n')[2]
    assert not trace.exists()


@pytest.mark.parametrize("kind", ["constant_of_shape", "expand", "range"])
def test_constants_too_large_to_compute_are_left_alone(
    irhub: Irhub, tmp_path: Path, kind: str
) -> None:
    sizes = tensor("s", np.array([100_000, 100_000, 3], np.int64))
    step = tensor("step", np.array(next(_number), np.float32))
    ends = [tensor(f"r{i}", np.array(n, np.int64)) for i, n in enumerate((0, 25 * 10**9, 1))]
    large, weights = {
        "constant_of_shape": ([node("ConstantOfShape", ["s"], ["b"])], [sizes]),
        "expand": ([node("Expand", ["step", "s"], ["b"])], [sizes]),
        "range": (
            [node("Range", ["r0", "r1", "r2"], ["i"]), node("Cast", ["i"], ["b"], to=1)],
            ends,
        ),
    }[kind]
    nodes = [*large, node("ReduceMax", ["b"], ["r"], keepdims=0), node("Add", ["x", "r"], ["t"])]
    nodes.append(node("Add", ["t", "step"], ["y"]))
    source = tmp_path / "m.onnx"
    source.write_bytes(model(graph(nodes, {"x": [3]}, ["y"], [*weights, step])))
    begun = time.monotonic()
    done = irhub("convert", source, "--to", "pytorch", "-o", tmp_path / "out", "--no-check")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 30
    assert max(map(peak_bytes, workers(irhub, "hub"))) < 1 << 30
    assert max(map(peak_bytes, workers(irhub, "pytorch"))) < 2 << 30


def workers(irhub: Irhub, service: str) -> list[psutil.Process]:
    """The worker processes of a service."""
    children = psutil.Process(running(irhub)[service]).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def peak_bytes(process: psutil.Process) -> int:
    """The most memory that a process has had."""
    with suppress(psutil.NoSuchProcess):
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) << 10
    return 0


def test_many_nodes(irhub: Irhub, tmp_path: Path) -> None:
    count = 5000
    nodes = [node("Sin", [f"v{i}"], [f"v{i + 1}"], f"n{i}") for i in range(count)]
    (tmp_path / "m.onnx").write_bytes(model(graph(nodes, {"v0": [2, 3]}, [f"v{count}"])))
    done = irhub("convert", tmp_path / "m.onnx", "--to", "pytorch", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
