"""The hub's passes change how a graph is written, never what it computes."""

from __future__ import annotations

import numpy as np

from ir_hub.hub import pipeline
from ir_hub.ir.dims import Symbol, symbol
from ir_hub.ir.graph import Model
from ir_hub.ops import catalogue  # noqa: F401 (it fills the table that the builder reads)
from ir_hub.ops.build import Builder
from ir_hub.simplify.reference import run
from tests.services.hubs import gelu_model

CHANNELS_LAST = {"conv": "N*C,*IO->N*C"}


def conv_model() -> Model:
    """Two convolutions, channels first, with an open batch."""
    random = np.random.default_rng(3)
    b = Builder()
    x = b.input("x", shape=(symbol("N"), 3, 9, 7))
    for channels in ((4, 3), (5, 4)):
        weight = b.constant(random.normal(size=(*channels, 3, 3)).astype(np.float32))
        x = b.relu(
            b.conv(x, weight, strides=(1, 1), pads=((1, 1), (1, 1)), dilations=(1, 1), groups=1)
        )
    b.graph.outputs = [x]
    return Model(b.graph, symbols={"N": Symbol("N", 1)})


def test_recovered_graph_computes_the_same() -> None:
    x = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    model = pipeline.simplify(gelu_model())
    assert dict(pipeline.recover(model)) == {"linear": 1, "gelu": 1}
    assert np.allclose(run(model, [x])[0], run(gelu_model(), [x])[0], atol=1e-6)


def test_laid_out_for_another_target_it_computes_the_same() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 9, 7)).astype(np.float32)
    model = pipeline.simplify(conv_model())
    assert not pipeline.is_laid_out(model, CHANNELS_LAST)
    model = pipeline.relay(model, CHANNELS_LAST)
    assert pipeline.is_laid_out(model, CHANNELS_LAST)
    assert pipeline.count(model)["transposes"] == 2
    assert np.allclose(run(model, [x])[0], run(conv_model(), [x])[0], atol=1e-5)
