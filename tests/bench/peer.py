"""The other converter, onnx2pytorch, kept warm in the environment `bench`; it takes orders as JSON.

Each line of standard input is an order, each line of standard output what came of it:

    {"order": "freshen", "file": ..., "seed": 3, "into": ...}     a copy with weights of its own
    {"order": "convert", "file": ..., "into": ...}                -> {"seconds": ...}
"""

import json
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from tests.models import vision_ops

Answer = dict[str, float]


def freshen(file: str, seed: int, into: str) -> Answer:
    """Write a copy of an ONNX file in which every tensor of weights has another content."""
    model = onnx.load(file)
    factor = np.float32(1 + 1e-4 * seed)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(array * factor, tensor.name))
    onnx.save(model, into)
    return {}


def convert(file: str, into: str) -> Answer:
    """Read an ONNX file, convert it, and save its weights as PyTorch does."""
    vision_ops.declare()
    from onnx2pytorch import ConvertModel  # it imports torchvision

    start = time.perf_counter()
    module = ConvertModel(onnx.load(file))
    torch.save(module.state_dict(), into)
    return {"seconds": time.perf_counter() - start}


def main() -> None:
    warnings.simplefilter("ignore")  # the converter's, about copies that it makes
    answers, sys.stdout = sys.stdout, sys.stderr  # for what the converter prints
    orders: dict[str, Callable[..., Answer]] = {"freshen": freshen, "convert": convert}
    for line in sys.stdin:
        said = json.loads(line)
        print(json.dumps(orders[said.pop("order")](**said)), file=answers, flush=True)


if __name__ == "__main__":
    main()
