"""Converts the networks from each framework to each, and writes docs/matrix.md: make matrix."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.matrix import document
from tests.matrix.cells import FRAMEWORKS, Cell, Found, Matrix, cells_of
from tests.matrix.services import Services, running
from tests.models.networks import NETWORKS


def main() -> None:
    options = _options()
    wanted = [cell for name in options.models for cell in cells_of(name) if _fits(cell, options)]
    console = Console(highlight=False)
    with (
        tempfile.TemporaryDirectory(prefix="irhub-matrix-") as folder,
        running(Path(folder), FRAMEWORKS) as services,
    ):
        found = measure(services, wanted, console)
        versions = [a.description.framework_version for a in services.hub.adapters()]
    if options.complete:
        document.FILE.write_text(document.text(found, versions), encoding="utf-8")
        console.print(f"Written: {document.FILE.relative_to(Path.cwd())}")
    wrong = sum(bool(each.reason) for each in found.values())
    console.print(f"{len(found) - wrong} of {len(found)} cells are right")
    sys.exit(1 if wrong else 0)


def measure(services: Services, cells: Sequence[Cell], console: Console) -> dict[Cell, Found]:
    """Measure the cells, and print a line for each."""
    matrix = Matrix(services)
    found: dict[Cell, Found] = {}
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(cells))
        for cell in cells:
            name = f"{cell.network:18} {cell.source:>10} -> {cell.target:10}"
            progress.update(task, description=name)
            found[cell] = each = matrix.measure(cell)
            console.print(
                f"{name} {document.shown(each)} {each.reason}", soft_wrap=True, markup=False
            )
            progress.advance(task)
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--models", type=_names, default=list(NETWORKS), help="some, by comma")
    parser.add_argument("--pairs", type=_pairs, default=[], help="some, such as onnx:mxnet,...")
    options = parser.parse_args()
    options.complete = options.models == list(NETWORKS) and not options.pairs
    return options


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(NETWORKS):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there is {', '.join(NETWORKS)}")
    return names


def _pairs(text: str) -> list[tuple[str, ...]]:
    pairs = [tuple(pair.split(":")) for pair in text.split(",")]
    if any(len(pair) != 2 or set(pair) - set(FRAMEWORKS) for pair in pairs):
        raise argparse.ArgumentTypeError(f"write SOURCE:TARGET, each of {', '.join(FRAMEWORKS)}")
    return pairs


def _fits(cell: Cell, options: argparse.Namespace) -> bool:
    return not options.pairs or (cell.source, cell.target) in options.pairs


if __name__ == "__main__":
    main()
