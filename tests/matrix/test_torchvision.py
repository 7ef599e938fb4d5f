"""torchvision's networks, from the ONNX files of PyTorch's exporter back to PyTorch code, and
from PyTorch's own files to what else there is.

Run by `make models`: exporting them takes longer than converting them.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from irhub.hub.v1 import hub_pb2
from tests.matrix.services import Services, running
from tests.models.files import files, onnx_file

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Expected:
    """A class that the network uses more than once, and how many lines its code may have.

    The lines are what was reached, and a little more: code that grows is less readable.
    """

    block: str
    uses: int
    lines: int


NETWORKS = {
    "resnet18": Expected("BasicBlock", 8, 55),
    "resnet50": Expected("Bottleneck", 16, 60),
    "mobilenet_v2": Expected("InvertedResidual", 17, 90),
    "efficientnet_b0": Expected("MBConv", 16, 105),
    "vit_b_16": Expected("EncoderBlock", 12, 75),
    "densenet121": Expected("DenseLayer", 58, 205),
}


# Small members of other families, and how many lines of PyTorch code they may have.
EXPORTED = {
    "convnext_tiny": 55,
    "mnasnet0_5": 100,
    "mobilenet_v3_small": 135,
    "regnet_y_400mf": 125,
    "shufflenet_v2_x0_5": 95,
    "swin_v2_t": 230,
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A hub with the adapters."""
    frameworks = ("onnx", "pytorch", "tensorflow", "mxnet")
    with running(tmp_path_factory.mktemp("services"), frameworks) as started:
        yield started


@pytest.mark.parametrize("name", NETWORKS)
def test_is_equal_and_readable(
    name: str, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = services.upload(onnx_file(name))
    conversion = services.convert(hub_pb2.ConversionSpec(files=files, target="pytorch"))
    assert conversion.state == hub_pb2.Conversion.STATE_SUCCEEDED, conversion.failure
    outputs = conversion.comparison.outputs
    assert len({tuple(output.inputs) for output in outputs}) >= 2, "compared at one size only"
    assert all(output.equal and output.max_error <= TOLERANCE for output in outputs)

    services.hub.download(conversion.files, tmp_path)
    uses = uses_of_classes((tmp_path / "model.py").read_text())
    with capsys.disabled():
        error = conversion.comparison.max_error
        print(f"\n{name}: {conversion.summary.code_lines} lines, error {error:.1e}, {dict(uses)}")
    expected = NETWORKS[name]
    found = sum(n for name, n in uses.items() if name.rstrip("0123456789") == expected.block)
    assert found == expected.uses
    assert max(uses.values()) > 1, "no class is used more than once"
    assert conversion.summary.code_lines <= expected.lines


@pytest.mark.parametrize(
    ("target", "lines", "transposes", "blocks"),
    # Only PyTorch's code leaves out what one block has and others don't.
    [("pytorch", 120, 0, 1), ("tensorflow", 150, 1, 3), ("mxnet", 150, 0, 2)],
)
def test_resnet50_is_as_short_as_by_hand(
    target: str, lines: int, transposes: int, blocks: int, services: Services, tmp_path: Path
) -> None:
    uploaded = services.upload(*files("pytorch", "resnet50"))
    conversion = services.convert(hub_pb2.ConversionSpec(files=uploaded, target=target))
    assert conversion.state == hub_pb2.Conversion.STATE_SUCCEEDED, conversion.failure
    assert conversion.comparison.max_error <= TOLERANCE
    assert conversion.summary.transposes == transposes
    services.hub.download(conversion.files, tmp_path)
    code = (tmp_path / "model.py").read_text()
    assert len(code.splitlines()) <= lines
    found = re.findall(r"^(?:class|def) bottleneck", code, re.MULTILINE | re.IGNORECASE)
    assert len(found) <= blocks


@pytest.mark.parametrize("target", ["pytorch", "onnx"])
@pytest.mark.parametrize("name", EXPORTED)
def test_an_exported_network_is_equal(name: str, target: str, services: Services) -> None:
    uploaded = services.upload(*files("pytorch", name))
    conversion = services.convert(hub_pb2.ConversionSpec(files=uploaded, target=target))
    assert conversion.state == hub_pb2.Conversion.STATE_SUCCEEDED, conversion.failure
    outputs = conversion.comparison.outputs
    assert len({tuple(output.inputs) for output in outputs}) >= 2, "compared at one size only"
    assert all(output.equal and output.max_error <= TOLERANCE for output in outputs)
    assert conversion.summary.code_lines <= EXPORTED[name]


def uses_of_classes(code: str) -> Counter[str]:
    """How often code makes an object of each class that it defines, those in loops counted."""
    tree = ast.parse(code)
    bodies = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    made: Counter[str] = Counter()
    # The last class is the model's own; what a class makes, each object of it makes.
    made[next(reversed(bodies))] = 1
    for name in reversed(bodies):
        for inner, count in _made_in(bodies[name]).items():
            if inner in bodies:
                made[inner] += made[name] * count
    return made


def _made_in(node: ast.AST, times: int = 1) -> Counter[str]:
    made: Counter[str] = Counter()
    if isinstance(node, ast.GeneratorExp):
        times *= _length(node.generators[0].iter)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        made[node.func.id] += times
    for child in ast.iter_child_nodes(node):
        made += _made_in(child, times)
    return made


def _length(iterable: ast.expr) -> int:
    """The number in `range(number)`."""
    assert isinstance(iterable, ast.Call)
    return int(ast.literal_eval(iterable.args[0]))


def test_uses_are_counted() -> None:
    code = "class A: ...\nclass B:\n x = A(), (A() for _ in range(3))\nclass C:\n y = [B(), B()]"
    assert uses_of_classes(code) == {"C": 1, "B": 2, "A": 8}
