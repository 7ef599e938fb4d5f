"""Takes a step with generated code from each framework in each, and prints how exact it is.

make training
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

from tests.matrix.services import running
from tests.training.cells import FRAMEWORKS, NETWORKS, Cell, measure


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.training", description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder to leave all files in")
    folder = parser.parse_args().keep
    cells = [Cell(*each) for each in itertools.product(NETWORKS, FRAMEWORKS, FRAMEWORKS)]
    with (
        tempfile.TemporaryDirectory(prefix="irhub-training-") as temporary,
        running(Path(temporary) / "services", FRAMEWORKS) as services,
    ):
        found = measure(services, folder or Path(temporary), cells)
    for cell, each in found.items():
        errors = [max(part.values(), default=0.0) for part in (each.gradients, each.statistics)]
        said = each.reason or "gradients {:.1e}  statistics {:.1e}".format(*errors)
        print(f"{cell.network:10} {cell.source:>10} -> {cell.target:10} {said}")
    wrong = sum(bool(each.faults()) for each in found.values())
    print(f"{len(found) - wrong} of {len(found)} train as their source does")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
