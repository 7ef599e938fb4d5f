"""Damaged configs and weights: whatever they have become, the answer is an error of the model's."""

from __future__ import annotations

import copy
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.tests.models import made, saved
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.errors import BadModel, UnsupportedNodes
from ir_hub.sdk.subject import InProcess

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()
STRANGE: list[Any] = [
    None,
    -1,
    0,
    2**40,
    "",
    "x",
    [],
    {},
    [None],
    1e30,
    True,
    "../..",
    [[["a", 0, 0]]],
]


def _places(nested: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = nested.items() if isinstance(nested, dict) else enumerate(nested)
    found = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += _places(value, (*path, key))
    return found


def _damaged(config: Any, rng: random.Random) -> Any:
    damaged = copy.deepcopy(config)
    *path, key = rng.choice(_places(damaged))
    inner = damaged
    for step in path:
        inner = inner[step]
    if rng.random() < 0.3:
        del inner[key]
    else:
        inner[key] = rng.choice(STRANGE)
    return damaged


@pytest.mark.parametrize("name", ["nested_model", "gru", "attention", "conv1d"])
def test_damaged_configs(name: str, tmp_path: Path) -> None:
    rng = random.Random(name)
    path = saved(made(name), tmp_path)
    with zipfile.ZipFile(path) as archive:
        members = {inner: archive.read(inner) for inner in archive.namelist()}
    config = json.loads(members["config.json"])
    subject = InProcess(ADAPTER, tmp_path / "store")
    refused = 0
    for _ in range(150):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            changed = members | {"config.json": json.dumps(_damaged(config, rng)).encode()}
            for inner, data in changed.items():
                archive.writestr(inner, data)
        blob = subject.store.put_bytes(out.getvalue())
        try:
            subject.parse([NamedBlob("model.keras", blob)], {})
        except (BadModel, UnsupportedNodes):
            refused += 1
    assert refused > 10


def test_damaged_configs_in_hdf5(tmp_path: Path) -> None:
    rng = random.Random(5)
    whole = Path(__file__).with_name("keras2.h5").read_bytes()
    subject = InProcess(ADAPTER, tmp_path / "store")
    refused = 0
    for _ in range(150):
        stream = io.BytesIO(whole)
        with h5py.File(stream, "r+") as opened:
            config = json.loads(opened.attrs["model_config"])
            opened.attrs["model_config"] = json.dumps(_damaged(config, rng))
        blob = subject.store.put_bytes(stream.getvalue())
        try:
            subject.parse([NamedBlob("model.h5", blob)], {})
        except (BadModel, UnsupportedNodes):
            refused += 1
    assert refused > 10


def test_damaged_bytes(tmp_path: Path) -> None:
    rng = random.Random(3)
    whole = saved(made("conv_flatten_dense"), tmp_path).read_bytes()
    subject = InProcess(ADAPTER, tmp_path / "store")
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 20)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        blob = subject.store.put_bytes(bytes(data))
        try:
            subject.parse([NamedBlob("model.keras", blob)], {})
        except (BadModel, UnsupportedNodes):
            continue
