"""Files that aren't what they should be: each is refused with a message, and none does anything."""

from __future__ import annotations

import contextlib
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from adapters.pytorch.replay import replay
from adapters.pytorch.symbols import parse_size
from adapters.pytorch.tests.crafted import MODEL, edited, message, rewrite
from adapters.pytorch.tests.exported import Call, export, files_of, parse
from ir_hub.sdk.errors import RunFailed, UnsupportedNodes


class Harm:
    """What runs a command when it is unpickled."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> Any:
        return (Path.touch, (self.made,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound file, with an open batch."""
    module = nn.Sequential(nn.Linear(5, 4), nn.ReLU())
    batch = torch.export.Dim("batch", min=1, max=64)
    return export(module, (torch.randn(2, 5),), tmp_path / "model.pt2", ({0: batch},))


def expressions(content: Any, text: str) -> None:
    """Puts a text in the place of every expression."""
    graph = content["graph_module"]["graph"]
    for meta in graph["tensor_values"].values():
        for size in meta["sizes"]:
            if "as_expr" in size:
                size["as_expr"]["expr_str"] = text
    content["guards_code"] = [text]
    content["range_constraints"][text] = {"min_val": 1, "max_val": 2}


def test_a_file_that_would_run_a_command_does_nothing(path: Path, tmp_path: Path) -> None:
    """The fixture does harm when it is loaded as PyTorch does, and none when it is read."""
    harmed = tmp_path / "harmed"
    text = f"__import__('pathlib').Path({str(harmed)!r}).touch() or Symbol('s77')"
    crafted = edited(path, lambda content: expressions(content, text))
    assert "doesn't say what the input" in message(crafted)
    replay(files_of(crafted), {"input": torch.randn(2, 5).numpy()}, 1)
    assert not harmed.exists()
    with contextlib.suppress(Exception):  # whatever it says, the harm is done by then
        torch.export.load(crafted)
    assert harmed.exists(), "the fixture is harmless: this test tells nothing"


def test_a_pickle_in_the_file_is_never_loaded(path: Path, tmp_path: Path) -> None:
    harmed = tmp_path / "harmed"
    content = pickle.dumps(Harm(harmed))

    def change(members: dict[str, bytes]) -> None:
        members["data/weights/weight_0"] = content
        members["data/sample_inputs/model.pt"] = content
        config = json.loads(members["data/weights/model_weights_config.json"])
        config["config"]["0.weight"]["use_pickle"] = True
        members["data/weights/model_weights_config.json"] = json.dumps(config).encode()

    assert "was pickled" in message(rewrite(path, change))
    pickled = tmp_path / "pickle.pt2"
    pickled.write_bytes(content)
    assert "is a pickle, which is never loaded" in message(pickled)
    assert not harmed.exists()
    pickle.loads(content)
    assert harmed.exists(), "the fixture is harmless: this test tells nothing"


def test_ops_that_read_files_are_run_by_nobody(path: Path) -> None:
    def edit(content: Any) -> None:
        node = content["graph_module"]["graph"]["nodes"][0]
        node["target"] = "torch.ops.aten.from_file.default"
        node["inputs"] = [{"name": "filename", "arg": {"as_string": "/etc/passwd"}, "kind": 1}]

    crafted = edited(path, edit)
    assert "no rule reads aten.from_file.default" in message(crafted, UnsupportedNodes)
    with pytest.raises(RunFailed, match="not an op that is read"):
        replay(files_of(crafted), {"input": torch.randn(2, 5).numpy()}, 1)


@pytest.mark.parametrize("part", [0.2, 0.7, 0.95, 0.999])
def test_a_truncated_file(path: Path, part: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert "cut off" in message(path)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    for content, said in (
        (b"", "is not an archive"),
        (b"\x08\x07hello", "is not an archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    ):
        path.write_bytes(content)
        assert said in message(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/code.py", "")
    assert "no exported program" in message(path)
    torch.save({"a": torch.ones(2)}, path)
    assert "no exported program" in message(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
        archive.writestr("serialized_state_dict.pt", "")
    assert "older PyTorch" in message(path)


def test_a_changed_byte_of_a_weight_is_noticed(path: Path) -> None:
    model = parse(path)
    tensor = model.graph.constants()[0].data
    content = bytearray(path.read_bytes())
    content[tensor.offset] ^= 1  # type: ignore[union-attr]
    path.write_bytes(content)
    assert "is damaged: the checksum" in message(path)


@pytest.mark.parametrize(
    "member",
    [
        MODEL,
        "byteorder",
        "data/weights/weight_0",
        "data/weights/model_weights_config.json",
        "data/constants/model_constants_config.json",
    ],
)
def test_a_missing_member(path: Path, member: str) -> None:
    said = message(rewrite(path, lambda members: members.pop(member)))  # type: ignore[arg-type]
    assert "no exported program" in said if member == MODEL else f"no member {member!r}" in said


def test_members_that_lie_elsewhere(path: Path) -> None:
    for name in ("../../etc/cron.d/x", "../x"):
        changed = rewrite(path, lambda members, name=name: members.update({name: b"x"}))  # type: ignore[misc]
        assert "lies outside of it" in message(changed)


def test_what_unpacks_to_far_more_than_it_is(path: Path) -> None:
    bomb = rewrite(
        path,
        lambda members: members.update({"data/weights/weight_0": bytes(50_000_000)}),
        compression=zipfile.ZIP_DEFLATED,
    )
    assert "of 50000000 bytes packed into" in message(bomb)


def test_packed_members_are_read_too(path: Path) -> None:
    """By a copy: their bytes don't lie in the file as they are."""
    stored, packed = parse(path), parse(rewrite(path, lambda _: None, compression=8))
    for a, b in zip(stored.graph.constants(), packed.graph.constants(), strict=True):
        assert a.array().tolist() == b.array().tolist()
        assert not hasattr(b.data, "blob")


def config_of(content: Any, key: str, value: Any) -> None:
    content["config"]["0.weight"]["tensor_meta"][key] = value


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("sizes", [{"as_int": 1000}, {"as_int": 5}], "needs 20000 bytes"),
        ("sizes", [{"as_int": -4}, {"as_int": 5}], "isn't described"),
        ("storage_offset", {"as_int": 1 << 40}, "needs"),
        ("strides", [{"as_int": 1 << 40}, {"as_int": 1}], "needs"),
        ("dtype", 99, "isn't a dense tensor of a type that is known"),
        ("layout", 1, "isn't a dense tensor"),
        ("sizes", [{"as_expr": {"expr_str": "1"}}], "isn't described"),
        ("strides", [{"as_int": 1}], "2 sizes and 1 strides"),
    ],
)
def test_weights_that_contradict_their_bytes(path: Path, key: str, value: Any, said: str) -> None:
    changed = edited(
        path, lambda c: config_of(c, key, value), "data/weights/model_weights_config.json"
    )
    assert said in message(changed)


def test_a_weight_that_repeats_itself_without_end(path: Path) -> None:
    def edit(content: Any) -> None:
        config_of(content, "sizes", [{"as_int": 1 << 40}, {"as_int": 5}])
        config_of(content, "strides", [{"as_int": 0}, {"as_int": 1}])

    changed = edited(path, edit, "data/weights/model_weights_config.json")
    assert "repeat 80 bytes" in message(changed)


def test_other_versions_of_the_schema(path: Path) -> None:
    changed = edited(path, lambda content: content["schema_version"].update(major=9))
    assert "version 9." in message(changed)


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.pop("graph_module"),
        lambda content: content["graph_module"]["graph"].pop("tensor_values"),
        lambda content: content["graph_module"]["graph"].update(nodes={}),
    ],
)
def test_programs_that_lack_a_part(path: Path, edit: Callable[[Any], None]) -> None:
    assert "is no exported program" in message(edited(path, edit))


def test_nodes_that_read_what_nothing_computes(path: Path) -> None:
    def edit(content: Any) -> None:
        content["graph_module"]["graph"]["nodes"].pop(0)

    assert "which nothing before it computes" in message(edited(path, edit))


def test_types_other_than_the_ones_that_the_file_says(path: Path) -> None:
    def edit(content: Any) -> None:
        content["graph_module"]["graph"]["tensor_values"]["linear"]["sizes"][1] = {"as_int": 9}

    assert "while the file says" in message(edited(path, edit), UnsupportedNodes)


def test_every_node_that_cannot_be_read_is_listed(tmp_path: Path) -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.inv(x).relu() + torch.special.i0(x) + torch.linalg.inv(x)

    path = export(Call(function), (torch.randn(3, 3),), tmp_path / "model.pt2")
    with pytest.raises(UnsupportedNodes) as caught:
        parse(path)
    listed = [problem.subject for problem in caught.value.problems]
    assert listed == [
        "linalg_inv (aten.linalg_inv.default)",
        "special_i0 (aten.special_i0.default)",
        "linalg_inv_1 (aten.linalg_inv.default)",
    ]
    assert "(3 more can't be checked without their results)" in str(caught.value)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: nn.Dropout().train(), "in training mode is random"),
        (lambda: nn.BatchNorm1d(4).train(), "in training mode"),
        (lambda: nn.LSTM(4, 3, proj_size=2).eval(), "with projections"),
    ],
)
def test_what_cannot_be_read_says_why(
    made: Callable[[], nn.Module], said: str, tmp_path: Path
) -> None:
    module = made()
    program = torch.export.export(module, (torch.randn(2, 4),))
    torch.export.save(program, tmp_path / "model.pt2")
    assert said in message(tmp_path / "model.pt2", UnsupportedNodes)


def test_a_weight_that_is_changed_in_place_is_refused(tmp_path: Path) -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", torch.zeros(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.count.add_(1)
            return x + self.count

    path = export(Counting(), (torch.randn(3),), tmp_path / "model.pt2")
    assert "count, which the next call would see" in message(path, UnsupportedNodes)


def test_a_shape_that_is_changed_in_place_is_refused(tmp_path: Path) -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        whole = x * 2
        whole.unsqueeze_(0)
        return whole + 1

    path = export(Call(function), (torch.randn(3, 4),), tmp_path / "model.pt2")
    assert "changes the shape of mul in place" in message(path, UnsupportedNodes)


def test_a_view_of_what_was_changed_through_another_is_refused(tmp_path: Path) -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        whole = x * 2
        turned = whole.t()
        whole.add_(1)
        return turned

    path = export(Call(function), (torch.randn(3, 4),), tmp_path / "model.pt2")
    assert "changed elements through another view" in message(path, UnsupportedNodes)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "Symbol('s0').__class__",
        "Symbol(exec('1'), integer=True)",
        "Pow(Integer(2), Integer(1000000))",
        "Mul(" * 5000 + "Integer(1)" + ")" * 5000,
        "Integer(" + "9" * 5000 + ")",
        "FloorDiv(Symbol('s0'), Integer(0))",
        "Symbol('s0', positive=True",
        "Lambda(Symbol('s0'), Integer(1))",
        "Integer(1) Integer(2)",
        "",
    ],
)
def test_sizes_that_are_anything_else_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Mul(Integer(2), Symbol('s77', positive=True, integer=True))", "2*s77"),
        ("Add(Symbol('s0', integer=True), Integer(-1))", "s0 - 1"),
        ("Pow(Symbol('s0'), Integer(2))", "s0*s0"),
        ("FloorDiv(Add(Symbol('s0'), Integer(1)), Integer(2))", "(s0 + 1)//2"),
        ("Max(Integer(1), Symbol('s0'))", "max(1, s0)"),
        ("PythonMod(Symbol('s0'), Integer(3))", "s0 % 3"),
        ("2*s0 + Max(1, s1)", "2*s0 + max(1, s1)"),
        ("Integer(7)", "7"),
    ],
)
def test_sizes(text: str, said: str) -> None:
    assert parse_size(text) == parse_size(said)
