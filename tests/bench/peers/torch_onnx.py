"""torch.onnx.export: ResNet-50 from PyTorch to ONNX."""

import logging
import time
from pathlib import Path

import torch

from tests.bench.peers.serve import serve
from tests.models.files import files as network


def write(seed: int, folder: str) -> list[str]:
    """torchvision's network as an exported program; every parameter has a value of its own."""
    (source,) = network("pytorch", "resnet50")
    program = torch.export.load(source)
    for tensor in program.state_dict.values():
        if tensor.is_floating_point():
            tensor.data.mul_(1 + 1e-4 * seed)
    file = Path(folder) / "resnet50.pt2"
    torch.export.save(program, file)
    return [str(file)]


def convert(files: list[str], into: str) -> dict[str, float]:
    """Read the program, and export it."""
    start = time.perf_counter()
    program = torch.export.load(files[0])
    read = time.perf_counter()
    target = Path(into) / "resnet50.onnx"
    torch.onnx.export(program, f=target, dynamo=True, external_data=False, verbose=False)
    end = time.perf_counter()
    return {"torch.onnx.export": end - start, "torch.export.load": read - start}


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    serve(write, convert)
