"""Regions that switch gradients or autocast: read as what their nodes say, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from adapters.pytorch.replay import replay
from adapters.pytorch.tests.crafted import MODEL, edited, message, rewrite
from adapters.pytorch.tests.exported import Call, check, close, export, files_of, parse
from adapters.pytorch.tests.exported_layers import T, x
from ir_hub.sdk.errors import RunFailed, UnsupportedNodes
from ir_hub.simplify.reference import run

GRADIENTS = "torch.ops.higher_order.wrap_with_set_grad_enabled"


def no_autocast() -> torch.autocast:
    return torch.autocast("cpu", enabled=False)


def rotary(a: T, positions: T) -> T:
    with no_autocast():
        angles = positions[:, :, None].float() * torch.tensor([1.0, 0.1])
        both = torch.cat((angles, angles), -1)
        cosine, sine = both.cos(), both.sin()
    return a * cosine + a.roll(2, -1) * sine


def same_names(a: T) -> T:
    """The file calls values outside as it calls others inside."""
    with torch.no_grad():
        first = a.sin() + 1
    with no_autocast():
        second = first.sin() + 2
    return first.sin() + second + 3


def one_in_another(a: T) -> T:
    with torch.no_grad():
        outer = a.sin()
        with no_autocast():
            inner = outer.exp()
        both = outer + inner
    return a * both


def in_place(a: T) -> tuple[T, T]:
    """What is changed inside is seen outside, through what it is a part of."""
    whole = a * 2
    with torch.no_grad():
        part = whole[:, :2]
        part.mul_(3)
        left, _ = whole.chunk(2, 1)
    return whole + part.sum(), left


def sizes(a: T) -> T:
    with torch.no_grad():
        count = a.shape[0]
        flat = a.reshape(count * 2, -1) + count
    return flat.reshape(count, -1)


@torch.no_grad()
def without_gradients(a: T) -> T:
    values, places = a.sort(1)
    return values * places


def called_twice(a: T) -> T:
    return without_gradients(a) + without_gradients(a.cos())


def for_a_gpu(a: T) -> T:
    """Where there is none, it is off, as the file says then."""
    with torch.autocast("cuda"):
        return a @ a.t()


REGIONS: dict[str, tuple[Callable[..., Any], tuple[T, ...]]] = {
    "rotary": (rotary, (x(2, 3, 4), torch.arange(3).expand(2, 3).contiguous())),
    "same_names": (same_names, (x(3, 4),)),
    "one_in_another": (one_in_another, (x(3, 4),)),
    "in_place": (in_place, (x(3, 4),)),
    "sizes": (sizes, (x(3, 4),)),
    "called_twice": (called_twice, (x(3, 4),)),
    "for_a_gpu": (for_a_gpu, (x(3, 4),)),
}


@pytest.mark.filterwarnings("ignore:.*CUDA is not available")
@pytest.mark.parametrize("name", REGIONS)
def test_a_region_is_read_as_what_its_nodes_say(name: str, tmp_path: Path) -> None:
    function, inputs = REGIONS[name]
    batch = torch.export.Dim("batch", min=2, max=9)
    others = tuple(torch.cat((given, given)) for given in inputs)
    path = tmp_path / "model.pt2"
    check(Call(function), inputs, path, (({0: batch},) * len(inputs),), others)
    assert b"higher_order.wrap_with" in path.read_bytes()


def test_nodes_of_a_region_stay_in_their_modules(tmp_path: Path) -> None:
    def function(layer: torch.nn.Module, a: T) -> T:
        with torch.no_grad():
            return layer(a).relu()

    path = export(Call(function, torch.nn.Linear(4, 3)), (x(2, 4),), tmp_path / "model.pt2")
    model = parse(path)
    assert [node.scope for node in model.graph.nodes] == ["parts.0", ""]
    assert [value.name for value in model.graph.constants()] == ["parts.0.weight", "parts.0.bias"]


def under_autocast(layer: torch.nn.Module, a: T) -> T:
    with torch.autocast("cpu", torch.bfloat16):
        return layer(a) + a


def test_a_region_under_autocast_is_refused(tmp_path: Path) -> None:
    module, inputs = Call(under_autocast, torch.nn.Linear(4, 4)), (x(2, 4),)
    path = export(module, inputs, tmp_path / "model.pt2")
    assert "casts aren't in the file" in message(path, UnsupportedNodes)
    with pytest.raises(RunFailed, match=r"add can't be run: .* casts aren't in the file"):
        replay(files_of(path), {"inputs_0": inputs[0].numpy()}, 1)


def test_what_the_refusal_of_autocast_says_to_do_helps(tmp_path: Path) -> None:
    module, inputs = Call(under_autocast, torch.nn.Linear(4, 4)), (x(2, 4),)
    path = tmp_path / "model.pt2"
    program = torch.export.export(module.eval(), inputs).run_decompositions({})
    torch.export.save(program, path)
    wanted = module(*inputs).detach().numpy()
    close(run(parse(path), [inputs[0].numpy()]), [wanted], 2**-7)  # what bfloat16 tells apart


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound file, with a region of two nodes."""

    def function(a: T) -> T:
        with torch.no_grad():
            inside = a.sin().exp()
        return inside * a

    return export(Call(function), (x(3, 4),), tmp_path / "model.pt2")


def with_region(path: Path, change: Callable[[list[Any], Any], Any]) -> Path:
    """The file with the arguments of its region, or the region's graph, changed."""

    def edit(content: Any) -> None:
        (node,) = (n for n in content["graph_module"]["graph"]["nodes"] if n["target"] == GRADIENTS)
        change(node["inputs"], node["inputs"][1]["arg"]["as_graph"]["graph"])

    return edited(path, edit)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda inputs, graph: inputs[1].update(arg={"as_none": True}), "has no graph"),
        (lambda inputs, graph: inputs.clear(), "has no graph"),
        (lambda inputs, graph: inputs[1]["arg"]["as_graph"].pop("graph"), "makes no sense"),
        (lambda inputs, graph: inputs[1]["arg"].update(as_graph="submod_1"), "makes no sense"),
        (lambda inputs, graph: graph.pop("nodes"), "makes no sense"),
        (lambda inputs, graph: inputs.pop(), "0 inputs of the region"),
        (
            lambda inputs, graph: inputs[2].update(arg={"as_int": 1}),
            "needs inputs_0, which nothing",
        ),
        (lambda inputs, graph: graph["outputs"].clear(), "1 outputs of the region"),
        (lambda inputs, graph: graph["nodes"].pop(0), "needs sin, which nothing in it computes"),
        (lambda inputs, graph: graph["nodes"].pop(), "needs exp, which nothing in it computes"),
    ],
)
def test_regions_that_make_no_sense(path: Path, change: Callable[..., Any], said: str) -> None:
    assert said in message(with_region(path, change))


def test_a_region_that_gives_what_it_is_given(path: Path) -> None:
    def change(_: list[Any], graph: Any) -> None:
        graph["outputs"] = graph["inputs"]

    array = x(3, 4).numpy()
    changed = with_region(path, change)
    close(run(parse(changed), [array]), [array * array], 1e-6)
    close(list(replay(files_of(changed), {"inputs_0": array}, 1).values()), [array * array], 1e-6)


def nested(path: Path, depth: int) -> Path:
    """The file with regions in its region, each in the one before it."""
    before, after = json.dumps(
        {
            "target": GRADIENTS,
            "name": "region",
            "inputs": [
                {"arg": {"as_bool": False}},
                {"arg": {"as_graph": {"graph": {"inputs": [], "outputs": [], "nodes": ["here"]}}}},
            ],
            "outputs": [],
        }
    ).split('"here"')

    def change(members: dict[str, bytes]) -> None:
        text = members[MODEL].decode().replace('"nodes": [', '"nodes": ["here", ', 1)
        regions = before * depth + after * depth
        members[MODEL] = text.replace('"here"', regions).encode()

    return rewrite(path, change)


def test_regions_nested_without_end(path: Path) -> None:
    assert len(parse(nested(path, 20)).graph.nodes) == 3
    assert "recursion" in message(nested(path, 2000))
