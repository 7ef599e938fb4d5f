"""What the frameworks' sides of these tests write and read; each runs in its own environment.

A model is stored twice, with its weights and with the gradients of a step in their place: the hub
re-lays both alike, so that a target finds what it should get in the order of its own weights.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Named = Mapping[str, Array]
Errors = Mapping[str, Mapping[str, float]]

WEIGHTS, GRADIENTS = "weights", "gradients"


@dataclass(frozen=True)
class Step:
    """What a step is given; its loss is the sum of the outputs times `direction`.

    `dropouts` are the rates of the model's dropout layers, which the step switches off.
    """

    x: Array
    direction: Array
    dropouts: list[float]

    def save(self, folder: Path) -> None:
        """Write it beside the models."""
        np.savez(folder / "step.npz", x=self.x, direction=self.direction)
        (folder / "dropouts.json").write_text(json.dumps(self.dropouts))

    @classmethod
    def load(cls, folder: Path) -> Step:
        """The step in a folder."""
        arrays = np.load(folder / "step.npz")
        rates = json.loads((folder / "dropouts.json").read_text())
        return cls(arrays["x"], arrays["direction"], rates)


def generated(folder: Path) -> ModuleType:
    """The module that a conversion wrote into a folder."""
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"there is no model.py in {folder}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def telling(name: str, shape: Iterable[int], rng: np.random.Generator) -> Array:
    """Random values for a weight: scales and variances around 1, all else around 0."""
    noise = 0.3 * rng.standard_normal(tuple(shape))
    around_one = name.endswith(("gamma", "var", "variance", "norm.weight"))
    return (1 + np.abs(noise) if around_one else noise).astype(np.float32)


@dataclass(frozen=True)
class Taken:
    """The gradients of a step, and the running statistics after it, by the weights' names."""

    gradients: Named
    statistics: Named

    def errors(self, expected: Named) -> Errors:
        """The greatest difference of each, relative to the scale of what is expected.

        Raises:
            AssertionError: a weight is missing, or of another shape.
        """
        missing = expected.keys() ^ {**self.gradients, **self.statistics}.keys()
        assert not missing, f"trained on one side only: {sorted(missing)}"
        return {
            "gradients": _errors(self.gradients, expected),
            "statistics": _errors(self.statistics, expected),
        }


def _errors(found: Named, expected: Named) -> dict[str, float]:
    relative = {}
    for name, array in found.items():
        assert array.shape == expected[name].shape, (name, array.shape, expected[name].shape)
        difference, scale = np.abs(array - expected[name]).max(), np.abs(expected[name]).max()
        relative[name] = float(difference / scale) if difference else 0.0
    return relative


def counted_once(gradients: Named, doubled: Iterable[tuple[str, str]]) -> Named:
    """The gradients, those of an LSTM's second biases 0; `doubled` are the names of both.

    PyTorch and MXNet add two biases of which Keras keeps the sum: a step moves the sum by both.

    Raises:
        AssertionError: the two have other gradients.
    """
    found = dict(gradients)
    for first, second in doubled:
        assert np.allclose(found[first], found[second]), f"{first} and {second} differ"
        found[second] = np.zeros_like(found[second])
    return found


def run(write: Callable[[str, Path], None], step_of: Callable[[Path], Errors]) -> None:
    """Do what the command line says: `write FOLDER NET...`, or `step FOLDER...`: prints JSON."""
    what, *rest = sys.argv[1:]
    if what == "step":
        print(json.dumps({folder: _judged(step_of, Path(folder)) for folder in rest}))
        return
    for name in rest[1:]:
        place = Path(rest[0]) / name
        place.mkdir(parents=True)
        write(name, place)


def _judged(step_of: Callable[[Path], Errors], folder: Path) -> dict[str, Any]:
    try:
        return {**step_of(folder)}
    except AssertionError as error:
        return {"reason": str(error)}
