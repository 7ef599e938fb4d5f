"""Carries out orders, a line of JSON each; `tests.bench.orders` gives them.

{"order": "write", "seed": 3, "folder": ...}                  -> ["model.onnx"]
{"order": "convert", "files": [...], "into": ...}             -> {"converter": 0.42}
"""

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any


def serve(
    write: Callable[[int, str], list[str]],
    convert: Callable[[list[str], str], dict[str, float]],
) -> None:
    """Obey until the input ends.

    `write` makes the network with weights that follow from a seed, in a folder, and gives its
    files. `convert` converts such files into a folder, and gives the seconds that it took as a
    whole and in parts.
    """
    warnings.simplefilter("ignore")  # the converters' own
    answers, sys.stdout = sys.stdout, sys.stderr  # for what the converters print
    orders: dict[str, Callable[..., Any]] = {"write": write, "convert": convert}
    for line in sys.stdin:
        said = json.loads(line)
        print(json.dumps(orders[said.pop("order")](**said)), file=answers, flush=True)
