"""The code of small models is what it was, and computes what the models mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.pytorch.tests.golden import FOLDER, MODELS
from adapters.pytorch.tests.saved import run_saved, write
from ir_hub.ir.graph import Model, Value
from ir_hub.ir.types import DType
from ir_hub.simplify import reference


@pytest.mark.parametrize("name", MODELS)
def test_code_is_as_it_was(name: str, tmp_path: Path) -> None:
    write(MODELS[name](), tmp_path)
    wanted = (FOLDER / f"{name}.py").read_text("utf-8")
    assert (tmp_path / "model.py").read_text("utf-8") == wanted, "see `make golden`"


@pytest.mark.parametrize("name", MODELS)
def test_code_computes_what_the_model_means(name: str, tmp_path: Path) -> None:
    inputs = _inputs(MODELS[name]())
    wanted = reference.run(MODELS[name](), inputs)
    model = MODELS[name]()
    names = [value.name for value in model.graph.outputs]
    write(model, tmp_path)
    found = run_saved(tmp_path, inputs)
    assert list(found) == names
    for ours, theirs in zip(wanted, found.values(), strict=True):
        assert theirs.dtype == ours.dtype
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-5)


def _inputs(model: Model) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)

    def made(value: Value) -> np.ndarray:
        shape = [size if isinstance(size, int) else 4 for size in value.shape or ()]
        if value.dtype is DType.INT64:
            return random.integers(5, 12, shape)
        if value.dtype is DType.BOOL:
            return np.arange(np.prod(shape)).reshape(shape) % 3 > 0
        return random.normal(size=shape).astype(np.float32)

    return {value.name: made(value) for value in model.graph.inputs}
