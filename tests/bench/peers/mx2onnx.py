"""mx2onnx, a part of MXNet: ResNet-50 from MXNet to ONNX."""

import logging
import time
from pathlib import Path

import mxnet as mx
from mxnet import onnx as mx2onnx
from mxnet.gluon.model_zoo import vision

from tests.bench.peers.serve import serve

SHAPE = (1, 3, 224, 224)


def write(seed: int, folder: str) -> list[str]:
    """The network of Gluon's model zoo with random weights."""
    mx.random.seed(seed)
    net = vision.resnet50_v1()
    net.initialize()
    net.hybridize()
    net(mx.nd.zeros(SHAPE))
    net.export(str(Path(folder) / "resnet50"))
    return [str(Path(folder) / f"resnet50{end}") for end in ("-symbol.json", "-0000.params")]


def convert(files: list[str], into: str) -> dict[str, float]:
    """Read, convert and write: one call."""
    start = time.perf_counter()
    symbol, params = files
    mx2onnx.export_model(symbol, params, [SHAPE], ["float32"], str(Path(into) / "resnet50.onnx"))
    return {"mx2onnx": time.perf_counter() - start}


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    serve(write, convert)
