"""Draws lines of text to read, and what two readers made of them; in the environment `demo`."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

INK, PAPER, BOX, RULE = "#1c1c28", "#ffffff", "#d1495b", "#c8c8d0"
_SIZE, _SPACING, _MARGIN = 36, 80, 40
_WIDTH = 928

Box = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """A line of text, and whether it stands on its head."""

    text: str
    is_turned: bool = False


def draw_lines(lines: Sequence[Line]) -> Image.Image:
    """A picture of the lines, from top to bottom."""
    page = Image.new("RGB", (_WIDTH, _SPACING * len(lines) + _MARGIN), PAPER)
    font = ImageFont.load_default(size=_SIZE)
    for number, line in enumerate(lines):
        strip = Image.new("RGB", (_WIDTH - 2 * _MARGIN, _SPACING), PAPER)
        ImageDraw.Draw(strip).text((0, _SPACING // 2), line.text, INK, font, anchor="lm")
        turned = strip.rotate(180) if line.is_turned else strip
        page.paste(turned, (_MARGIN, _MARGIN // 2 + number * _SPACING))
    return page


def draw_readings(
    page: Image.Image, boxes: Sequence[Box], readings: Sequence[tuple[str, Sequence[str]]]
) -> Image.Image:
    """The page with the boxes that were found, and below it each reader's name and lines."""
    large, small = ImageFont.load_default(size=22), ImageFont.load_default(size=16)
    rows = 2 + max(len(texts) for _, texts in readings)
    column = page.width // len(readings)
    whole = Image.new("RGB", (page.width, page.height + 32 * rows), PAPER)
    whole.paste(page)
    pen = ImageDraw.Draw(whole)
    for box in boxes:
        pen.polygon([tuple(corner) for corner in box], outline=BOX, width=2)
    pen.line([(0, page.height), (page.width, page.height)], RULE, 2)
    for place, (name, texts) in enumerate(readings):
        left, top = place * column + 20, page.height + 16
        pen.text((left, top), name, BOX, small)
        for row, text in enumerate(texts, 1):
            pen.text((left, top + 32 * row), text, INK, large)
    return whole
