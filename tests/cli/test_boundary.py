"""What a target makes of a model's inputs and outputs: the order of their axes, and their sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.hub import bundle
from ir_hub.ir import serde
from ir_hub.ir.dims import Symbol, symbol
from ir_hub.ir.graph import Model
from ir_hub.ops.build import Builder
from ir_hub.ops.op import OPSET
from tests.cli.conftest import Irhub

TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]


@pytest.fixture(scope="module")
def image_net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A net of images of any size, channels first, that returns its features and its classes."""
    folder = tmp_path_factory.mktemp("image_net")
    random = np.random.default_rng(7)
    b = Builder()
    sizes = {name: Symbol(name, 1) for name in ("batch", "height", "width")}
    x = b.input("image", shape=(symbol("batch"), 3, symbol("height"), symbol("width")))
    for channels in ((6, 3), (5, 6)):
        weight = b.constant(random.normal(size=(*channels, 3, 3)).astype(np.float32))
        x = b.conv(x, weight, strides=(1, 1), pads=((1, 1), (1, 1)), dilations=(1, 1), groups=1)
        x = b.relu(x)
    x.name = "features"
    classes = b.constant(random.normal(size=(5, 4)).astype(np.float32))
    y = b.matmul(b.reduce_mean(x, axes=(2, 3), keepdims=False), classes)
    y.name = "classes"
    b.graph.outputs = [x, y]
    store = LocalStore(folder / "store")
    content = serde.dump_bytes(Model(b.graph, symbols=sizes), store.put_bytes, OPSET)
    model = serde.load_bytes(content, store.open, OPSET)
    bundle.write(model, store, folder / "net.ir")
    return folder / "net.ir"


def report_of(irhub: Irhub, *arguments: str | Path) -> dict[str, Any]:
    done = irhub("convert", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["comparison"]["equal"]
    return report


def reordered(report: dict[str, Any]) -> dict[str, list[int]]:
    summary = report["summary"]
    found = [*summary["reordered_inputs"], *summary["reordered_outputs"]]
    return {each["name"]: each["axes"] for each in found}


def test_inputs_and_outputs_keep_their_order_or_get_the_targets(
    irhub: Irhub, image_net: Path, tmp_path: Path
) -> None:
    keep = report_of(irhub, image_net, "--to", "tensorflow", "-o", tmp_path / "keep")
    assert keep["summary"]["all_transposes"] == keep["summary"]["transposes"] == 2
    assert reordered(keep) == {}

    options = ("--to", "tensorflow", "--io-layout", "native", "-o", tmp_path / "native")
    native = report_of(irhub, image_net, *options)
    assert native["summary"]["all_transposes"] == 0
    assert reordered(native) == {"image": TO_LAST, "features": TO_LAST}
    assert any("input image" in note and "0, 2, 3, 1" in note for note in native["notes"])

    keras = tmp_path / "native" / "model.keras"
    options = ("--to", "pytorch", "--io-layout", "native", "-o", tmp_path / "back")
    back = report_of(irhub, keras, *options)
    assert back["summary"]["all_transposes"] == 0
    assert list(reordered(back).values()) == [TO_FIRST, TO_FIRST]


def test_sizes_that_a_target_fixes_are_compared_with_and_told(
    irhub: Irhub, image_net: Path, tmp_path: Path
) -> None:
    options = ("--to", "tensorflow", "--option", "sizes=height=33,width=40")
    report = report_of(irhub, image_net, *options, "-o", tmp_path / "fixed")
    assert report["summary"]["fixed_sizes"] == {"height": 33, "width": 40}
    assert (
        "emit: height and width are fixed to 33 x 40 in the tensorflow model: it takes "
        "image[batch, 3, 33, 40]"
    ) in report["notes"]
    inputs = {tuple(each["inputs"]) for each in report["comparison"]["outputs"]}
    assert inputs == {("image: float32[1, 3, 33, 40]",), ("image: float32[2, 3, 33, 40]",)}
