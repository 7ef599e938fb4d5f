"""Reads a picture with an OCR package twice: with its own networks and with converted ones.

The environment `demo`, which has the package, runs this, and prints what was read as JSON:

    python -m tests.demo.reading --converted FOLDER --picture FILE
"""

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rapidocr_onnxruntime import RapidOCR

from tests.demo.picture import Box, Line, draw_lines, draw_readings

LINES = (
    Line("A converted network reads this line,"),
    Line("and this one, which stands on its head,", is_turned=True),
    Line("as well as the original: 0123456789"),
)


class Converted:
    """A generated module in the place of one of the package's ONNX sessions."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.spec_from_file_location(f"converted_{folder.name}", folder / "model.py")
        if spec is None or spec.loader is None:
            raise FileNotFoundError(f"no generated module in {folder}")
        generated = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(generated)
        self._model = generated.load(folder / "model.safetensors")

    def __call__(self, images: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
        """The outputs for a batch of images, as the package asks a session for them."""
        with torch.inference_mode():
            return [self._model(torch.from_numpy(images)).numpy()]


def swap(engine: RapidOCR, folder: Path) -> None:
    """Replace every network of the package by the converted one of that name in `folder`."""
    engine.text_det.infer = Converted(folder / "det")
    engine.text_cls.infer = Converted(folder / "cls")
    engine.text_rec.session = Converted(folder / "rec")


def read(engine: RapidOCR, image: np.ndarray[Any, Any], **flags: bool) -> dict[str, list[Any]]:
    """The boxes, the texts and the scores of the lines that the package finds."""
    lines, _ = engine(image, **flags)
    boxes: list[Box] = [line[0] for line in lines or []]
    texts: list[str] = [line[1] for line in lines or []]
    return {"boxes": boxes, "texts": texts, "scores": [float(line[2]) for line in lines or []]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.demo.reading", description=__doc__)
    parser.add_argument("--converted", type=Path, required=True)
    parser.add_argument("--picture", type=Path, required=True)
    options = parser.parse_args()
    page = draw_lines(LINES)
    image = np.asarray(page)[:, :, ::-1]  # the package takes blue first
    engine = RapidOCR()
    original = read(engine, image)
    swap(engine, options.converted)
    converted = read(engine, image)
    undirected = read(engine, image, use_cls=False)
    readings = [("ONNX Runtime", original["texts"]), ("PyTorch, converted", converted["texts"])]
    draw_readings(page, converted["boxes"], readings).save(options.picture)
    print(
        json.dumps(
            {
                "written": [line.text for line in LINES],
                "original": original,
                "converted": converted,
                "undirected": undirected,
            }
        )
    )


if __name__ == "__main__":
    main()
