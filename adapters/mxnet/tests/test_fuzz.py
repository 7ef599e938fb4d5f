"""Damaged files end in a model or in an answer that is about the model: soon, whatever they say."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from adapters.mxnet.tests import models
from adapters.mxnet.tests.models import Saved, save_gluon, told
from ir_hub.sdk.errors import AdapterError
from ir_hub.sdk.stages import load_model

Contents = Mapping[str, bytes]
SECONDS = 3.0  # of the processor, whatever else the machine is doing
ANSWERS = {"BAD_MODEL", "UNSUPPORTED", "BAD_REQUEST"}
STRANGE: list[Any] = [None, -1, 0, 2**40, "", "x", [], {}, [None], 1e30, True, [[0, 0, 0]]]
TEXTS = ["", "None", "-1", "0", "9999999999", "(1,", "(0, -5)", "(3, 3, 3, 3, 3)", "1e30", "nan",
         "(None, 2147483647)", "(2147483647, 2147483647)", "float99", "é" * 3000]  # fmt: skip


@pytest.fixture(scope="module", params=["tagger", "resizer", "transformer"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    words = np.random.RandomState(0).randint(0, 30, (2, 6)).astype(np.float32)
    image = np.random.RandomState(0).normal(size=(2, 3, 11, 13)).astype(np.float32)
    made: dict[str, tuple[Callable[[], Any], Any]] = {
        "tagger": (models.Tagger, words),
        "resizer": (models.Resizer, image),
        "transformer": (models.Transformer, words),
    }
    net, data = made[request.param]
    return save_gluon(net(), {"data": data}, tmp_path_factory.mktemp("fuzz"))


def contents(saved: Saved) -> dict[str, bytes]:
    return {file.name: bytes(saved.subject.store.open(file.blob)) for file in saved.files}


def settled(saved: Saved, files: Contents) -> bool:
    """Parses files, and says whether they are a model; what isn't one or an answer fails."""
    begun = time.process_time()
    refusal: AdapterError | None = None
    try:
        parsed = saved.subject.parse(told(saved.subject, files), saved.types())
    except AdapterError as error:
        refusal = error
    else:
        load_model(saved.subject.store.open(parsed), saved.subject.store)
    assert refusal is None or (refusal.reason in ANSWERS and str(refusal)), refusal
    assert time.process_time() - begun < SECONDS
    return refusal is None


def places(nested: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = nested.items() if isinstance(nested, dict) else enumerate(nested)
    found = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


def damaged(graph: Any, rng: random.Random) -> Any:
    """A graph with a part left out, or another one in its place."""
    graph = copy.deepcopy(graph)
    *path, key = rng.choice(places(graph))
    inner = graph
    for step in path:
        inner = inner[step]
    if rng.random() < 0.2:
        del inner[key]
    else:
        inner[key] = rng.choice(TEXTS if isinstance(inner[key], str) else STRANGE)
    return graph


def test_damaged_graphs(saved: Saved) -> None:
    rng, files = random.Random(0), contents(saved)
    name, params = files
    graph = json.loads(files[name])
    outcomes = [
        settled(saved, {name: json.dumps(damaged(graph, rng)).encode(), params: files[params]})
        for _ in range(120)
    ]
    assert not all(outcomes)
    assert any(outcomes)


def test_other_bytes(saved: Saved) -> None:
    rng, files = random.Random(1), contents(saved)
    for name in files:
        for _ in range(40):
            data = bytearray(files[name])
            for _ in range(rng.randint(1, 6)):
                data[rng.randrange(min(len(data), 4000))] = rng.randrange(256)
            settled(saved, {**files, name: bytes(data)})


def test_parts_cut_out_or_put_in(saved: Saved) -> None:
    rng, files = random.Random(2), contents(saved)
    for name, data in files.items():
        for _ in range(20):
            start, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
            part = rng.choice([b"", data[start:end] * 3])
            settled(saved, {**files, name: data[:start] + part + data[end:]})
