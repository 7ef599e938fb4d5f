"""How a converted model's inputs and outputs stand to the source's: in which order of axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_hub.ir.graph import Graph, Value
from ir_hub.layout.boundary import Boundary
from ir_hub.layout.permutations import Perm, inverse
from ir_hub.sdk.tensors import Arrays


@dataclass(frozen=True)
class Axes:
    """An input's or output's name, and for each of its axes which axis of the source's it is;
    empty where they are in the source's order."""

    name: str
    axes: Sequence[int]


@dataclass(frozen=True)
class Orders:
    """The axes of all inputs and outputs, in their order; none at all where nothing changed."""

    inputs: Sequence[Axes] = ()
    outputs: Sequence[Axes] = ()

    @staticmethod
    def of(graph: Graph, boundary: Boundary) -> Orders:
        """Those of a graph whose boundary was changed."""
        return Orders(_axes(graph.inputs, boundary.inputs), _axes(graph.outputs, boundary.outputs))

    @staticmethod
    def read(facts: Mapping[str, Any]) -> Orders:
        """Those in an outcome's facts."""
        sides = ([Axes(**each) for each in facts.get(side, ())] for side in ("inputs", "outputs"))
        return Orders(*sides)

    def to_target(self, inputs: Arrays) -> Arrays:
        """The source's inputs as the converted model takes them."""
        perms = {each.name: each.axes for each in self.inputs}
        return {name: _turned(array, perms.get(name, ())) for name, array in inputs.items()}

    def to_source(self, outputs: Arrays) -> Arrays:
        """The converted model's outputs as the source gives them: they belong together by their
        place, as the target's names can differ."""
        perms = [inverse(tuple(each.axes)) for each in self.outputs]
        if len(perms) != len(outputs):
            return outputs
        return {
            name: _turned(array, perm)
            for (name, array), perm in zip(outputs.items(), perms, strict=True)
        }

    def notes(self) -> tuple[str, ...]:
        """What a person should know of them, a line each."""
        sides = {"input": self.inputs, "output": self.outputs}
        return tuple(
            f"{side} {each.name} has its axes in the target's own order: they are the source's "
            f"axes {', '.join(map(str, each.axes))}"
            for side, found in sides.items()
            for each in found
            if each.axes
        )


def _axes(values: Sequence[Value], perms: Sequence[Perm]) -> tuple[Axes, ...]:
    return tuple(Axes(v.name, perm) for v, perm in zip(values, perms, strict=True))


def _turned(array: np.ndarray[Any, Any], perm: Sequence[int]) -> np.ndarray[Any, Any]:
    return array.transpose(perm) if len(perm) == array.ndim else array
