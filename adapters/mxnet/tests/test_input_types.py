"""What a model's files tell of its inputs' types is found, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from adapters.mxnet.files import load
from adapters.mxnet.tests.models import save_symbol
from adapters.mxnet.walk import walk
from ir_hub.sdk.adapter import Files, SourceFile

S = mx.sym


def _convolution(x: Any, **options: Any) -> Any:
    return S.Convolution(x, num_filter=4, name="conv", **options)


@pytest.mark.parametrize(
    ("net", "shape", "found"),
    [
        (lambda x: _convolution(x, kernel=(3, 2)), (2, 3, 5, 6), "[data_0, 3, data_2, data_3]"),
        (lambda x: _convolution(x, kernel=(3,), num_group=2), (2, 6, 5), "[data_0, 6, data_2]"),
        (lambda x: _convolution(S.BatchNorm(x - 0.5), kernel=(3, 2)), (2, 3, 5, 6),
         "[data_0, 3, data_2, data_3]"),
        (lambda x: S.FullyConnected(x, num_hidden=3), (2, 5), "None"),
        (lambda x: _convolution(S.transpose(x, axes=(0, 3, 1, 2)), kernel=(3, 2)), (2, 5, 6, 3),
         "None"),
    ],
)  # fmt: skip
def test_shapes(net: Callable[[Any], Any], shape: Any, found: str, tmp_path: Path) -> None:
    data = np.ones(shape, np.float32)
    saved = save_symbol(net(S.var("data")), {"data": data}, tmp_path)
    (value,) = saved.model(saved.parsed({})).graph.inputs
    assert str(value.shape if value.shape is None else list(value.shape)) == found


def test_what_the_file_says(tmp_path: Path) -> None:
    x = S.var("data", shape=(0, 5), dtype="float32")
    saved = save_symbol(
        S.FullyConnected(x, num_hidden=3), {"data": np.ones((2, 5), "f4")}, tmp_path
    )
    (value,) = saved.model(saved.parsed({})).graph.inputs
    assert [str(size) for size in value.shape or ()] == ["data_0", "5"]


def test_labels_are_left_out(tmp_path: Path) -> None:
    net = S.SoftmaxOutput(S.FullyConnected(S.var("data"), num_hidden=3), name="softmax")
    saved = save_symbol(net, {"data": np.ones((2, 5), "f4")}, tmp_path)
    assert [value.name for value in saved.model(saved.parsed()).graph.inputs] == ["data"]
    sources = tuple(SourceFile(file.name, Path(file.name), file.blob) for file in saved.files)
    graph = walk(load(Files(sources, saved.subject.store.open)), {})
    assert graph.notes == ["softmax_label is left out: only a loss reads it"]
