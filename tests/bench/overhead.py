"""What a conversion costs besides the adapters' work, and what one costs that is known already."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from pathlib import Path

from irhub.hub.v1 import hub_pb2
from tests.matrix.services import Services
from tests.services.onnx_bytes import graph, model, node

ROUNDS = 25
_OF_ADAPTERS = ("parse", "emit", "compare")

Figures = dict[str, list[float]]


def measure(services: Services, folder: Path) -> Figures:
    """Seconds of each round, by what was timed: small models, each converted twice."""
    found: Figures = defaultdict(list)
    for number in range(ROUNDS + 1):
        spec = _spec(services, folder / "small.onnx", number)
        seconds, conversion = _timed(services, spec)
        stages = {stage.name: stage.seconds for stage in conversion.stages}
        known, _ = _timed(services, spec)
        if not number:
            continue  # a warm-up
        by_adapters = sum(stages[name] for name in _OF_ADAPTERS)
        found["the whole of a small conversion"].append(seconds)
        found["of it not parse, emit or compare"].append(seconds - by_adapters)
        for name in stages.keys() - set(_OF_ADAPTERS):
            found[name].append(stages[name])
        found["outside of stages"].append(seconds - sum(stages.values()))
        found["a conversion that is known"].append(known)
    return found


def _spec(services: Services, path: Path, number: int) -> hub_pb2.ConversionSpec:
    """A conversion of a model that is like no other number's."""
    names = [f"v{number}_{i}" for i in range(5)]
    nodes = [node("Sin", [a], [b]) for a, b in itertools.pairwise(names)]
    path.write_bytes(model(graph(nodes, {names[0]: [2, 3]}, [names[-1]])))
    return hub_pb2.ConversionSpec(files=services.upload(path), target="pytorch")


def _timed(services: Services, spec: hub_pb2.ConversionSpec) -> tuple[float, hub_pb2.Conversion]:
    begun = time.perf_counter()
    conversion = services.convert(spec)
    seconds = time.perf_counter() - begun
    if conversion.state != hub_pb2.Conversion.STATE_SUCCEEDED:
        raise RuntimeError(f"the conversion failed: {conversion.failure.message}")
    return seconds, conversion
