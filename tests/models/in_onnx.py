"""torchvision's networks as PyTorch's exporter writes them in ONNX."""

from pathlib import Path

import torch

from tests.models.vision import INPUT, build


def write(name: str, folder: Path) -> None:
    """Write torchvision's network `name` as PyTorch's exporter does by default, any batch."""
    torch.onnx.export(
        build(name),
        (torch.zeros(INPUT),),
        folder / f"{name}.onnx",
        dynamic_shapes=({0: "batch"},),
        external_data=False,
        verbose=False,
    )
