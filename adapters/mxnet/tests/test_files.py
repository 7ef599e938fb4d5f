"""What isn't a whole model is refused, and the message says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from adapters.mxnet.files import load
from adapters.mxnet.tests.models import ADAPTER, told
from adapters.mxnet.walk import walk
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel, BadRequest, UnsupportedNodes
from ir_hub.sdk.subject import InProcess

TYPES = {"data": TensorType(DType.FLOAT32, (2, 3, 8, 9))}
ROOT = Path(__file__).parents[3]
ENVIRONMENT = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'protos' / 'python'}"}
WEIGHT, BIAS = np.ones((4, 3, 3, 3), np.float32), np.ones(4, np.float32)


def graph(*more: dict[str, Any]) -> dict[str, Any]:
    """A convolution, and nodes behind it."""
    nodes = [
        {"op": "null", "name": "data", "inputs": []},
        {"op": "null", "name": "conv_weight", "inputs": []},
        {"op": "null", "name": "conv_bias", "inputs": []},
        {
            "op": "Convolution",
            "name": "conv",
            "attrs": {"kernel": "(3, 3)", "num_filter": "4"},
            "inputs": [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
        },
        *more,
    ]
    return {"nodes": nodes, "arg_nodes": [0, 1, 2], "heads": [[len(nodes) - 1, 0, 0]]}


def params(folder: Path, **arrays: np.ndarray[Any, Any]) -> bytes:
    path = folder / "m.params"
    mx.nd.save(str(path), {f"arg:{name}": mx.nd.array(a) for name, a in arrays.items()})
    return path.read_bytes()


def parse(folder: Path, contents: Mapping[str, bytes], types: Any = None) -> Any:
    subject = InProcess(ADAPTER, folder / "store")
    return subject.parse(told(subject, contents), TYPES if types is None else types)


def whole(folder: Path, symbol: Any = None, **arrays: np.ndarray[Any, Any]) -> dict[str, bytes]:
    given = arrays or {"conv_weight": WEIGHT, "conv_bias": BIAS}
    text = json.dumps(symbol or graph()).encode()
    return {"m-symbol.json": text, "m.params": params(folder, **given)}


def test_whole(tmp_path: Path) -> None:
    parse(tmp_path, whole(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an MXNet symbol"),
        (b"<!DOCTYPE html>", "is not an MXNet symbol"),
        (b"\x80\x04pickled", "is not an MXNet symbol"),
        (b"PK\x03\x04" + bytes(9), "is not an MXNet symbol"),
        (b"\x12\x01" + bytes(20), "is a .params file under another name"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"[1, 2]", "it has no list of nodes"),
        (b'{"nodes": []}', "has no list of heads"),
        (b'{"nodes": [], "heads": []}', "has no results"),
        (b'{"nodes": [3], "heads": [[0, 0]]}', "node 0 has no op or no name"),
        (b'{"nodes": [{"op": "relu", "name": "r", "inputs": [[0, 0]]}], "heads": [[0, 0]]}',
         "reads node 0, which isn't before it"),
        (b'{"nodes": [{"op": "relu", "name": "r", "inputs": [[-1, 0]]}], "heads": [[0, 0]]}',
         "which is no result of a node"),
        (b'{"nodes": [{"op": "null", "name": "x", "inputs": []}], "heads": [[0, 1099511627776]]}',
         "which has no so many"),
        (b'{"nodes": [{"op": "relu", "name": "r", "attrs": {"a": 1}, "inputs": []}],'
         b' "heads": [[0, 0]]}', "attributes that aren't texts"),
        (b"[" * 100_000, "is not an MXNet symbol"),
    ],
)  # fmt: skip
def test_no_symbol(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=message):
        parse(tmp_path, {"m-symbol.json": content})


def test_truncated_symbol(tmp_path: Path) -> None:
    files = whole(tmp_path)
    text = files["m-symbol.json"]
    for end in range(1, len(text) - 1, 37):
        with pytest.raises(BadModel, match="is cut off or broken"):
            parse(tmp_path, {**files, "m-symbol.json": text[:end]})


def test_truncated_params(tmp_path: Path) -> None:
    files = whole(tmp_path)
    with pytest.raises(BadModel, match=r"m\.params is cut off"):
        parse(tmp_path, {**files, "m.params": files["m.params"][:-9]})


def test_only_a_pickle(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="which is never opened here"):
        parse(tmp_path, {**whole(tmp_path), "m.params": b"\x80\x04\x95" + bytes(20)})


def test_missing_params(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"1 weights .* have no array: conv_bias") as caught:
        parse(tmp_path, whole(tmp_path, conv_weight=WEIGHT))
    assert [problem.subject for problem in caught.value.problems] == ["conv_bias"]


def test_a_graph_alone(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"give it too, a file such as m-0000\.params"):
        parse(tmp_path, {"m-symbol.json": json.dumps(graph()).encode()})


def test_params_alone(tmp_path: Path) -> None:
    content = params(tmp_path, conv_weight=WEIGHT)
    with pytest.raises(BadModel, match=r"weights alone: give the graph too, .* m-symbol\.json"):
        parse(tmp_path, {"m-0007.params": content})


def test_params_first(tmp_path: Path) -> None:
    files = whole(tmp_path)
    parse(tmp_path, {name: files[name] for name in ("m.params", "m-symbol.json")})


def test_reading_needs_no_mxnet(tmp_path: Path) -> None:
    for name, content in whole(tmp_path).items():
        (tmp_path / name).write_bytes(content)
    script = (
        "import sys; from pathlib import Path\n"
        "from adapters.mxnet.adapter import MXNetAdapter\n"
        "from ir_hub.ir.types import DType, TensorType\n"
        "from ir_hub.sdk.client import NamedBlob\n"
        "from ir_hub.sdk.subject import InProcess\n"
        "subject = InProcess(MXNetAdapter(), Path('read'))\n"
        "files = [NamedBlob(name, subject.store.put_bytes(Path(name).read_bytes()))\n"
        "         for name in ('m-symbol.json', 'm.params')]\n"
        "subject.parse(files, {'data': TensorType(DType.FLOAT32, (2, 3, 8, 9))})\n"
        "assert 'mxnet' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=ENVIRONMENT, check=True)


def test_extra_params(tmp_path: Path) -> None:
    """They change nothing that is computed; a person is told."""
    files = whole(tmp_path, conv_weight=WEIGHT, conv_bias=BIAS, fc_weight=BIAS)
    subject = InProcess(ADAPTER, tmp_path / "store")
    sources = tuple(SourceFile(f.name, Path(f.name), f.blob) for f in told(subject, files))
    graph = walk(load(Files(sources, subject.store.open)), {})
    assert sorted(graph.constants) == ["conv_bias", "conv_weight"]
    assert graph.notes == ["1 arrays are left out, the graph has no such names: fc_weight"]


@pytest.mark.parametrize("shape", [(4, 5, 3, 3), (4, 3, 3), (4, 3, 3, 12)])
def test_weights_of_another_shape(shape: tuple[int, ...], tmp_path: Path) -> None:
    files = whole(tmp_path, conv_weight=np.ones(shape, np.float32), conv_bias=BIAS)
    with pytest.raises(BadModel, match=r"node conv \(Convolution\)"):
        parse(tmp_path, files)


def test_sizes_that_the_graph_says_otherwise(tmp_path: Path) -> None:
    symbol = graph()
    symbol["nodes"][3]["attrs"]["num_filter"] = "5"
    with pytest.raises(BadModel, match=r"node conv \(Convolution\).*num_filter=5"):
        parse(tmp_path, whole(tmp_path, symbol))


def test_all_unsupported_nodes_are_listed(tmp_path: Path) -> None:
    more = [
        {"op": "Custom", "name": "mine", "attrs": {"op_type": "x"}, "inputs": [[3, 0, 0]]},
        {"op": "Activation", "name": "act", "attrs": {"act_type": "odd"}, "inputs": [[4, 0, 0]]},
        {"op": "relu", "name": "r", "attrs": {"strange": "1"}, "inputs": [[5, 0, 0]]},
    ]
    with pytest.raises(UnsupportedNodes) as caught:
        parse(tmp_path, whole(tmp_path, graph(*more)))
    found = {problem.subject: problem.description for problem in caught.value.problems}
    assert list(found) == ["mine (Custom)", "act (Activation)", "r (relu)"]
    assert "no rule reads Custom" in found["mine (Custom)"]
    assert "act_type='odd'" in found["act (Activation)"]
    assert "strange='1'" in found["r (relu)"]


@pytest.mark.parametrize("text", ["__import__('os').system('true')", "(1,", "(3, x)", "9" * 5000])
def test_attributes_are_data(text: str, tmp_path: Path) -> None:
    symbol = graph()
    symbol["nodes"][3]["attrs"]["kernel"] = text
    with pytest.raises(UnsupportedNodes, match="kernel="):
        parse(tmp_path, whole(tmp_path, symbol))


def test_unknown_input(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="has no input image; its inputs are data"):
        parse(tmp_path, whole(tmp_path), {"image": TYPES["data"]})


def test_shapes_are_asked_for(tmp_path: Path) -> None:
    nodes = [
        {"op": "null", "name": "data", "inputs": []},
        {"op": "Reshape", "name": "r", "attrs": {"shape": "(-3, 0)"}, "inputs": [[0, 0, 0]]},
    ]
    content = json.dumps({"nodes": nodes, "heads": [[1, 0, 0]]}).encode()
    with pytest.raises(UnsupportedNodes, match="give the shapes of the model's inputs"):
        parse(tmp_path, {"m-symbol.json": content}, {})


def old(symbol: dict[str, Any], key: str = "param") -> dict[str, Any]:
    """As older versions of MXNet wrote it: pairs for inputs, statistics left out."""
    for node in symbol["nodes"]:
        node[key] = node.pop("attrs", {})
        node["inputs"] = [entry[:2] for entry in node["inputs"]]
        node["backward_source_id"] = -1
    return {**symbol, "heads": [entry[:2] for entry in symbol["heads"]]}


@pytest.mark.parametrize("key", ["param", "attr", "attrs"])
def test_spellings_of_attributes(key: str, tmp_path: Path) -> None:
    symbol = old(graph(), key)
    symbol["nodes"][3]["attr"] = {**symbol["nodes"][3].get("attr", {}), "weight_lr_mult": "1"}
    parse(tmp_path, whole(tmp_path, symbol))


def test_files_of_old_versions(tmp_path: Path) -> None:
    norm = {"op": "BatchNorm", "name": "bn", "attrs": {"fix_gamma": "False"},
            "inputs": [[3, 0, 0], [4, 0, 0], [5, 0, 0]]}  # fmt: skip
    variables = [{"op": "null", "name": f"bn_{part}", "inputs": []} for part in ("gamma", "beta")]
    symbol = old(graph(*variables, norm))
    arrays = {f"bn_{part}": BIAS for part in ("gamma", "beta", "moving_mean", "moving_var")}
    parse(tmp_path, whole(tmp_path, symbol, conv_weight=WEIGHT, conv_bias=BIAS, **arrays))
    del arrays["bn_moving_var"]
    with pytest.raises(BadModel, match="have no array: bn_moving_var"):
        parse(tmp_path, whole(tmp_path, symbol, conv_weight=WEIGHT, conv_bias=BIAS, **arrays))


@pytest.mark.parametrize("change", [lambda t: t[::-1], lambda t: t.replace(b"[", b"{")])
def test_damaged_symbols_are_answered(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    files = whole(tmp_path)
    with pytest.raises(BadModel):
        parse(tmp_path, {**files, "m-symbol.json": change(files["m-symbol.json"])})
