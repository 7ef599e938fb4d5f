"""Some of the small Keras models, each to one framework; `make models` has them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matrix.keras_probes import TARGETS, check_conversion, write_probes
from tests.matrix.services import running

SOME = {
    "nested_model": "pytorch",
    "two_outputs": "onnx",
    "separable": "tensorflow",
    "gru": "mxnet",
    "stride_2_odd": "mxnet",
}


def test_probes(tmp_path: Path, subtests: pytest.Subtests) -> None:
    write_probes(tmp_path)
    with running(tmp_path / "services", TARGETS) as services:
        for name, target in SOME.items():
            with subtests.test(name, target=target):
                check_conversion(services, tmp_path / f"{name}.keras", target)
