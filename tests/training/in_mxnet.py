"""MXNet's side of the training tests, run in its environment.

python -m tests.training.in_mxnet write FOLDER NET...      networks, as sources
python -m tests.training.in_mxnet step FOLDER...        a step of generated code, as JSON
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import HybridBlock, nn, rnn

from tests.training.files import (
    GRADIENTS,
    WEIGHTS,
    Errors,
    Step,
    Taken,
    counted_once,
    generated,
    run,
    telling,
)
from tests.training.nets_mxnet import NETS, given


def write(name: str, place: Path) -> None:
    """Write a network with its weights, and with what a step gives in their place."""
    rng = np.random.default_rng(5)
    make, _ = NETS[name]
    net, after = make(), make()
    net.initialize()
    after.initialize()
    for key, parameter in net.collect_params().items():
        parameter.set_data(mx.nd.array(telling(key, parameter.shape, rng)))
    x = given(name, rng)
    direction = rng.standard_normal(net(x).shape).astype(np.float32)
    step = Step(x.asnumpy(), direction, [layer._rate for layer in layers(net, nn.Dropout)])
    step.save(place)
    _export(net, x, place / WEIGHTS)
    taken = take(net, step)
    arrays = {**taken.gradients, **taken.statistics}
    for key, parameter in after.collect_params().items():
        parameter.set_data(mx.nd.array(arrays[key]))
    _export(after, x, place / GRADIENTS)


def step_of(folder: Path) -> Errors:
    """What a step of the code that a conversion wrote has against what it should have."""
    step = Step.load(folder)
    net, after = (
        generated(folder / name).load(str(folder / name / "model-0000.params"))
        for name in (WEIGHTS, GRADIENTS)
    )
    assert [layer._rate for layer in layers(net, nn.Dropout)] == step.dropouts, (
        "its dropouts are others"
    )
    expected = {key: p.data().asnumpy() for key, p in after.collect_params().items()}
    return take(net, step).errors(expected)


def layers(block: Any, kind: type[Any]) -> Iterator[Any]:
    """The layers of a kind, in the order in which they were made."""
    for child in block._children.values():
        if isinstance(child, kind):
            yield child
        yield from layers(child, kind)


def take(net: HybridBlock, step: Step) -> Taken:
    """The gradients of a step without dropout, and the statistics after it."""
    net.hybridize(False)  # a graph would keep its dropout
    for layer in layers(net, nn.Dropout):
        layer._rate = 0
    with autograd.record():
        x, direction = (mx.nd.array(a, dtype=a.dtype) for a in (step.x, step.direction))
        loss = (net(x) * direction).sum()
    loss.backward()
    parameters = net.collect_params().items()
    gradients = {key: p.grad().asnumpy() for key, p in parameters if p.grad_req != "null"}
    statistics = {key: p.data().asnumpy() for key, p in parameters if p.grad_req == "null"}
    return Taken(counted_once(gradients, _doubled(net)), statistics)


def _doubled(net: HybridBlock) -> Iterator[tuple[str, str]]:
    """The biases that LSTMs add."""
    for layer in layers(net, rnn.LSTM):
        for key in layer.collect_params(".*i2h_bias"):
            yield key, key.replace("i2h_bias", "h2h_bias")


def _export(net: HybridBlock, x: Any, path: Path) -> None:
    net.hybridize()
    net(x)
    net.export(str(path))


if __name__ == "__main__":
    run(write, step_of)
