"""Reads a picture with an OCR package twice: with its own networks and with converted ones.

Run in the environment `demo`, which has the package:

    python -m tests.demo.reading record FOLDER     what each network is given when it reads
    python -m tests.demo.reading read FOLDER       what is read, as JSON; and a picture of it
"""

import argparse
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rapidocr_onnxruntime import RapidOCR

from tests.demo.picture import Box, Line, draw_lines, draw_readings

LINES = (
    Line("This line is read by a converted network"),
    Line("and this one, which stands on its head", is_turned=True),
    Line("Invoice 4711: 12 pieces at 3.50, total 42.00"),
)
# Networks by name, and where the package keeps the session of each.
PLACES = {
    "det": ("text_det", "infer"),
    "cls": ("text_cls", "infer"),
    "rec": ("text_rec", "session"),
}

# The pages are sharp: without this the package enlarges them, which only takes time.
SIZES = {"det_limit_type": "max", "det_limit_side_len": 960}

Array = np.ndarray[Any, Any]
Session = Callable[[Array], list[Array]]


class Recorder:
    """A session that writes down the last tensor it was given, for `irhub --check-inputs`."""

    def __init__(self, session: Any, file: Path) -> None:
        self._session, self._file = session, file

    def __call__(self, images: Array) -> list[Array]:
        """The session's outputs."""
        inputs: dict[str, Any] = {self._session.get_input_names()[0]: images}
        np.savez(self._file, **inputs)
        outputs: list[Array] = self._session(images)
        return outputs


class Converted:
    """A generated module in the place of a session."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.spec_from_file_location(f"model_{folder.name}", folder / "model.py")
        if spec is None or spec.loader is None:
            raise FileNotFoundError(f"there is no model.py in {folder}")
        generated = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(generated)
        self._model = generated.load(folder / "model.safetensors")

    def __call__(self, images: Array) -> list[Array]:
        """The module's output, as the package asks a session for it."""
        with torch.inference_mode():
            return [self._model(torch.from_numpy(images)).numpy()]


def session_of(engine: RapidOCR, network: str) -> Any:
    """The session that the package runs a network with."""
    part, attribute = PLACES[network]
    return getattr(getattr(engine, part), attribute)


def swap(engine: RapidOCR, network: str, session: Session) -> None:
    """Have the package run a network with another session."""
    part, attribute = PLACES[network]
    setattr(getattr(engine, part), attribute, session)


def read(engine: RapidOCR, page: Image.Image, **flags: bool) -> dict[str, list[Any]]:
    """The boxes and the texts of the lines that the package finds."""
    lines, _ = engine(np.asarray(page)[:, :, ::-1], **flags)  # it takes blue first
    boxes: list[Box] = [line[0] for line in lines or []]
    return {"boxes": boxes, "texts": [line[1] for line in lines or []]}


def record(folder: Path) -> None:
    """Write what the networks are given for two pages, as NETWORK-1.npz and NETWORK-2.npz."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, lines in enumerate((LINES, LINES[1:]), 1):
        engine = RapidOCR(**SIZES)
        for name in PLACES:
            swap(engine, name, Recorder(session_of(engine, name), folder / f"{name}-{number}.npz"))
        read(engine, draw_lines(lines))


def compare(folder: Path) -> dict[str, Any]:
    """Read a page in both ways, and once more without the network that tells which way up."""
    page, engine = draw_lines(LINES), RapidOCR(**SIZES)
    original = read(engine, page)
    for name in PLACES:
        swap(engine, name, Converted(folder / name))
    converted = read(engine, page)
    readings = [("ONNX Runtime", original["texts"]), ("PyTorch, converted", converted["texts"])]
    draw_readings(page, converted["boxes"], readings).save(folder / "reading.png")
    return {
        "written": [line.text for line in LINES],
        "original": original["texts"],
        "converted": converted["texts"],
        "undirected": read(engine, page, use_cls=False)["texts"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.demo.reading", description=__doc__)
    parser.add_argument("what", choices=("record", "read"))
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    if options.what == "record":
        record(options.folder)
    else:
        print(json.dumps(compare(options.folder)))


if __name__ == "__main__":
    main()
