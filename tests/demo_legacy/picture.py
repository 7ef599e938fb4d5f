"""Draws the digits that MXNet was least sure of, and what each framework takes them for.

Run in MXNet's environment, which has scikit-learn's images and pillow, in the demo's folder:

    python -m tests.demo_legacy.picture TARGET...

It writes digits.png.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

COLUMNS, ROWS = 4, 3
INK, PAPER, RULE, RIGHT, WRONG = "#1c1c28", "#ffffff", "#d8d8e0", "#2a7f62", "#d1495b"
_CELL, _DIGIT, _LINE, _MARGIN, _HEAD = (326, 180), 128, 19, 24, 84

NAMES = {"mxnet": "MXNet", "pytorch": "PyTorch", "tensorflow": "Keras", "onnx": "ONNX"}

Array = np.ndarray[Any, Any]


def probabilities(scores: Array) -> Array:
    """What softmax makes of scores (N, 10)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def readings_of(targets: Sequence[str]) -> dict[str, Array]:
    """The probabilities (N, 10) that each framework gives, by what the picture calls it."""
    found = {}
    for name in ("mxnet", *targets):
        found[NAMES[name]] = probabilities(np.load(Path(name) / "scores.npy"))
    for name in targets:
        trained = Path(name) / "trained.npy"
        if trained.exists():
            found[f"{NAMES[name]}, fine-tuned"] = probabilities(np.load(trained))
    return found


def least_sure(original: Array, count: int) -> list[int]:
    """The images whose two likeliest digits are closest to each other."""
    ordered = np.sort(original, axis=1)
    return [int(i) for i in np.argsort(ordered[:, -1] - ordered[:, -2])[:count]]


def draw_digit(image: Array, label: int, readings: dict[str, Array]) -> Image.Image:
    """An image (1, 8, 8), and beside it the digit and probability of each reading (10,)."""
    cell = Image.new("RGB", _CELL, PAPER)
    pen = ImageDraw.Draw(cell)
    grey = Image.fromarray((255 - image[0] * 255).astype(np.uint8))
    cell.paste(grey.resize((_DIGIT, _DIGIT), Image.Resampling.NEAREST), (1, 1))
    pen.rectangle((0, 0, _DIGIT + 1, _DIGIT + 1), outline=RULE)
    small, large = ImageFont.load_default(size=13), ImageFont.load_default(size=15)
    pen.text((0, _DIGIT + 8), f"written: {label}", INK, large)
    for line, (name, chances) in enumerate(readings.items()):
        read, top = int(chances.argmax()), line * _LINE + (8 if "fine-tuned" in name else 0)
        colour = RIGHT if read == label else WRONG
        pen.text((_DIGIT + 14, top), f"{read}", colour, large)
        pen.text((_DIGIT + 28, top + 2), f"{chances[read]:.2f}  {name}", INK, small)
    return cell


def draw(images: Array, labels: Array, readings: dict[str, Array]) -> Image.Image:
    """The page: of all images the least sure."""
    size = (COLUMNS * _CELL[0] + 2 * _MARGIN, ROWS * _CELL[1] + _HEAD)
    page = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(page)
    pen.text(
        (_MARGIN, 20), "A digits classifier, trained in MXNet", INK, ImageFont.load_default(22)
    )
    said = f"The {COLUMNS * ROWS} of {len(labels)} test images that it was least sure of; "
    said += "which digit each framework reads, and how sure it is."
    pen.text((_MARGIN, 50), said, INK, ImageFont.load_default(14))
    for place, index in enumerate(least_sure(readings["MXNet"], COLUMNS * ROWS)):
        of_image = {name: chances[index] for name, chances in readings.items()}
        cell = draw_digit(images[index], int(labels[index]), of_image)
        row, column = divmod(place, COLUMNS)
        page.paste(cell, (_MARGIN + column * _CELL[0], _HEAD + row * _CELL[1]))
    return page


def main() -> None:
    digits = np.load(Path("mxnet") / "digits.npz")
    page = draw(digits["test_images"], digits["test_labels"], readings_of(sys.argv[1:]))
    page.save("digits.png")


if __name__ == "__main__":
    main()
