"""onnx2pytorch: ResNet-50 from ONNX to PyTorch."""

import time
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from tests.bench.peers.serve import serve
from tests.models import vision_ops
from tests.models.files import onnx_file


def write(seed: int, folder: str) -> list[str]:
    """torchvision's network as PyTorch exports it; every tensor has a content of its own."""
    model = onnx.load(onnx_file("resnet50"))
    factor = np.float32(1 + 1e-4 * seed)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(array * factor, tensor.name))
    file = Path(folder) / "resnet50.onnx"
    onnx.save(model, file)
    return [str(file)]


def convert(files: list[str], into: str) -> dict[str, float]:
    """Read, convert, and save the weights as PyTorch does."""
    vision_ops.declare()
    from onnx2pytorch import ConvertModel  # it imports torchvision

    start = time.perf_counter()
    module = ConvertModel(onnx.load(files[0]))
    torch.save(module.state_dict(), Path(into) / "resnet50.pt")
    return {"onnx2pytorch": time.perf_counter() - start}


if __name__ == "__main__":
    serve(write, convert)
