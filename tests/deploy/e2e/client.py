"""Runs in a container of the ONNX image: converts models through the hub, and says what it sees.

    client.py chain                      ONNX -> PyTorch -> Keras -> MXNet -> ONNX, outputs compared
    client.py convert TARGET SIZE        one model of this many channels
    client.py many TARGET COUNT          as many models at once

Every line on standard output is a JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from ir_hub.blobs import LocalStore
from ir_hub.client import HubClient
from ir_hub.sdk.security import Access
from irhub.hub.v1 import hub_pb2

_WORK = Path("/tmp/work")
# Target, format, and the ending of the file that the next link reads.
_CHAIN = (
    ("pytorch", "pt2", ".pt2"),
    ("tensorflow", "", ".keras"),
    ("mxnet", "", "-symbol.json"),
    ("onnx", "", ".onnx"),
)
_TOLERANCE = 1e-5  # relative to the largest output: four conversions of float32 arithmetic
State = hub_pb2.Conversion.State


def say(**what: object) -> None:
    """Prints one line for whoever watches."""
    print(json.dumps(what), flush=True)


def network(path: Path, channels: int, seed: int = 0) -> Path:
    """Writes a small residual network: random weights, odd sizes, non-square kernels."""
    draw = np.random.default_rng(seed)
    weights: dict[str, np.ndarray] = {}

    def weight(name: str, *shape: int) -> str:
        fan = int(np.prod(shape[1:])) or 1
        weights[name] = draw.standard_normal(shape, np.float32) / np.float32(np.sqrt(fan))
        return name

    weight("b3", 7)
    nodes = [
        _conv("x", weight("w1", channels, 3, 3, 5), weight("b1", channels), "c1", [1, 2, 1, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        _conv("r1", weight("w2", channels, channels, 3, 3), weight("b2", channels), "c2", [1] * 4),
        helper.make_node("Add", ["c2", "r1"], ["a"]),
        helper.make_node("MaxPool", ["a"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["p"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node(
            "Gemm", ["f", weight("w3", 7, channels), weight("b3", 7)], ["y"], transB=1
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 18, 14])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 7])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def _conv(x: str, w: str, b: str, y: str, pads: list[int]) -> onnx.NodeProto:
    return helper.make_node("Conv", [x, w, b], [y], pads=pads)


def ended(
    hub: HubClient,
    spec: hub_pb2.ConversionSpec,
    tell: Callable[[hub_pb2.Conversion], None] = lambda _: None,
) -> hub_pb2.Conversion:
    """The conversion when it has ended; `tell` hears of every change."""
    seen = hub.create(spec)
    for now in hub.watch(seen.name):
        seen = now
        tell(seen)
    return seen


def outcome(conversion: hub_pb2.Conversion, begun: float) -> dict[str, object]:
    """What came of it, for a line."""
    found: dict[str, object] = {
        "state": State.Name(conversion.state).removeprefix("STATE_"),
        "seconds": round(time.monotonic() - begun, 2),
    }
    if conversion.state != State.STATE_SUCCEEDED:
        failure = conversion.failure
        return found | {"reason": failure.reason, "message": failure.message}
    return found | {"max_error": float(f"{conversion.comparison.max_error:.1e}")}


def chain(hub: HubClient) -> bool:
    """Through all four frameworks and back; whether the two ends compute the same."""
    first = network(_WORK / "first" / "network.onnx", channels=9)
    files = [first]
    for target, format_name, ending in _CHAIN:
        begun = time.monotonic()
        spec = hub_pb2.ConversionSpec(files=hub.upload(files), target=target, format=format_name)
        conversion = ended(hub, spec)
        say(link=f"to {target}", **outcome(conversion, begun))
        if conversion.state != State.STATE_SUCCEEDED:
            return False
        written = hub.download(conversion.files, _WORK / f"from-{target}")
        model = next(path for path in written if path.name.endswith(ending))
        files = [model, *(path for path in written if path.suffix == ".params")]
    return same(first, files[0])


def same(first: Path, last: Path) -> bool:
    """Whether two ONNX files compute the same, by ONNX Runtime alone."""
    draw = np.random.default_rng(1)
    error = 0.0
    sessions = [onnxruntime.InferenceSession(path) for path in (first, last)]
    names = [session.get_inputs()[0].name for session in sessions]
    for _ in range(3):
        x = draw.standard_normal((2, 3, 18, 14)).astype(np.float32)
        pairs = zip(sessions, names, strict=True)
        one, other = (session.run(None, {name: x})[0] for session, name in pairs)
        if one.shape != other.shape:
            say(shapes=[one.shape, other.shape])
            return False
        error = max(error, float(np.abs(one - other).max() / np.abs(one).max()))
    say(compared="ONNX Runtime, first against last", max_error=error, allowed=_TOLERANCE)
    return error <= _TOLERANCE


def convert(hub: HubClient, target: str, channels: int) -> bool:
    """One conversion; each stage is told as it begins."""
    begun, told = time.monotonic(), set()

    def tell(conversion: hub_pb2.Conversion) -> None:
        for stage in conversion.stages:
            if stage.state == hub_pb2.Stage.STATE_RUNNING and stage.name not in told:
                told.add(stage.name)
                say(stage=stage.name)

    path = network(_WORK / "network.onnx", channels, seed=time.time_ns())
    spec = hub_pb2.ConversionSpec(files=hub.upload([path]), target=target)
    conversion = ended(hub, spec, tell)
    say(**outcome(conversion, begun))
    return conversion.state == State.STATE_SUCCEEDED


def many(hub: HubClient, target: str, count: int) -> bool:
    """Conversions of different models at once."""
    begun = time.monotonic()
    created = []
    for number in range(count):
        path = network(_WORK / str(number) / "network.onnx", 5 + number, seed=time.time_ns())
        spec = hub_pb2.ConversionSpec(files=hub.upload([path]), target=target)
        created.append(hub.create(spec).name)
    last = [list(hub.watch(name))[-1] for name in created]
    for conversion in last:
        say(**outcome(conversion, begun))
    return all(conversion.state == State.STATE_SUCCEEDED for conversion in last)


def access() -> Access:
    """How to reach the hub, as the variables of the command have it."""
    names = {"ca": "CA", "cert": "CERT", "key": "KEY", "token_file": "TOKEN_FILE"}
    said = {field: os.environ.get(f"IRHUB_HUB_{name}") for field, name in names.items()}
    return Access(**{field: Path(path) for field, path in said.items() if path})


def main(arguments: Sequence[str]) -> bool:
    """Whether what was asked went well."""
    with HubClient(os.environ["IRHUB_HUB"], LocalStore(_WORK / "cache"), access()) as hub:
        if arguments[0] == "chain":
            return chain(hub)
        command = {"convert": convert, "many": many}[arguments[0]]
        return command(hub, arguments[1], int(arguments[2]))


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
