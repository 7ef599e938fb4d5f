"""docs/matrix.md: what came of every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.matrix.cells import FRAMEWORKS, Cell, Found
from tests.models.networks import NETWORKS

FILE = Path(__file__).parents[2] / "docs" / "matrix.md"

TITLES = {"onnx": "ONNX", "pytorch": "PyTorch", "tensorflow": "Keras", "mxnet": "MXNet"}

_HEAD = """\
# Any framework to any other

Written by `make matrix`. Each cell is one conversion through the hub: the greatest error of any
element of any output, relative to the output's greatest element, and the seconds that the whole
conversion took, its check included. Both sides are run by their own frameworks, on the same inputs,
at two batches. Right is at most 1e-5, or 1e-4 for the recurrent networks.

A **bold** source is a framework that has the network natively: torchvision, keras.applications,
gluon.model_zoo, or written there by hand. Elsewhere the source is what the conversion from the
first bold one wrote. All parameters and statistics are random.

"""


def text(found: Mapping[Cell, Found], versions: Sequence[str]) -> str:
    """The document."""
    right = sum(not each.reason for each in found.values())
    worst = max((each.error or 0.0 for each in found.values() if not each.reason), default=0.0)
    lines = [
        f"Versions: {'; '.join(versions)}.",
        "",
        f"Right: {right} of {len(found)}; the greatest error of these is {worst:.1e}.",
        "",
        f"| network | from | {' | '.join(f'to {TITLES[name]}' for name in FRAMEWORKS)} |",
        "|---|---|" + "--:|" * len(FRAMEWORKS),
        *_rows(found),
    ]
    reasons = _reasons(found)
    if reasons:
        lines += ["", "## What isn't right, and why", "", *reasons]
    return _HEAD + "\n".join(lines) + "\n"


def _rows(found: Mapping[Cell, Found]) -> list[str]:
    rows = []
    for source in dict.fromkeys((cell.network, cell.source) for cell in found):
        network, framework = source
        cells = [shown(found.get(Cell(*source, target))) for target in FRAMEWORKS]
        name = TITLES[framework]
        name = f"**{name}**" if framework in NETWORKS[network].natives else name
        rows.append(f"| {NETWORKS[network].title} | {name} | {' | '.join(cells)} |")
    return rows


def shown(found: Found | None) -> str:
    """A cell in a few characters."""
    if found is None:
        return ""
    if found.error is None:
        return "refused"
    error = f"{found.error:.0e}" if found.error else "0"
    return f"{error}, {found.seconds:.1f} s" + (" wrong" if found.reason else "")


def _reasons(found: Mapping[Cell, Found]) -> list[str]:
    return [
        f"- {NETWORKS[cell.network].title}, {TITLES[cell.source]} to {TITLES[cell.target]}: "
        f"{each.reason}"
        for cell, each in found.items()
        if each.reason
    ]
