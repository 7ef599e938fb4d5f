"""Writes a network by its framework: python -m tests.models FRAMEWORK NAME -o FOLDER."""

import argparse
import importlib
import logging
import warnings
from pathlib import Path

FRAMEWORKS = ("mxnet", "onnx", "pytorch", "tensorflow")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.models", description=__doc__)
    parser.add_argument("framework", choices=FRAMEWORKS)
    parser.add_argument("name")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a folder")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # the exporters' own, on their own deprecations
    logging.disable(logging.WARNING)
    importlib.import_module(f"tests.models.in_{options.framework}").write(
        options.name, options.output
    )


if __name__ == "__main__":
    main()
