"""What is read means what MXNet computes, and the code that is written computes it again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon.model_zoo import vision

from adapters.mxnet.tests import models
from adapters.mxnet.tests.models import (
    Saved,
    reference_error,
    round_trip_error,
    save_gluon,
    save_symbol,
)
from ir_hub.simplify import reference

RANDOM = np.random.RandomState(3)


def image(*shape: int) -> dict[str, np.ndarray[Any, Any]]:
    return {"data": RANDOM.normal(size=shape).astype(np.float32)}


def words(*shape: int) -> dict[str, np.ndarray[Any, Any]]:
    return {"data": RANDOM.randint(0, 30, shape).astype(np.float32)}


SMALL: dict[str, tuple[Callable[[], Any], dict[str, Any], int]] = {
    # how it is made, what it is run on, how many lines its code may have
    "perceptron": (models.perceptron, image(2, 5), 26),
    "lenet": (models.lenet, image(2, 1, 29, 27), 30),
    "u-net": (models.UNet, image(2, 3, 12, 14), 30),
    "resizer": (models.Resizer, image(2, 3, 11, 13), 56),
    "text cnn": (models.TextCNN, words(2, 9), 30),
    "tagger": (models.Tagger, words(2, 6), 30),
    "both ways": (models.BothWays, words(2, 6), 36),
    "transformer": (models.Transformer, words(2, 6), 70),
}


@pytest.mark.parametrize("name", SMALL)
def test_small(name: str, tmp_path: Path) -> None:
    make, inputs, lines = SMALL[name]
    saved = save_gluon(make(), inputs, tmp_path)
    parsed = saved.parsed()
    assert reference_error(saved, parsed) < 1e-5
    code, found = round_trip_error(saved, parsed)
    assert found < 1e-5
    assert len(code.splitlines()) <= lines, code
    check_batch(saved)


def check_batch(saved: Saved) -> None:
    """The written model takes another batch than it was read with, and is read again."""
    written = saved.subject.emit(saved.parsed())
    again = saved.model(saved.subject.parse(written, {}))
    one = {name: array[:1] for name, array in saved.inputs.items()}
    (found,) = saved.subject.run(written, one).values()
    (wanted,) = reference.run(again, list(one.values()))
    assert models.error([found], [wanted]) < 1e-5


ZOO = {
    # lines that the Gluon code may have
    "resnet18_v1": 90,
    "resnet18_v2": 95,
    "mobilenet_v2_1_0": 110,
    "squeezenet1_0": 75,
    "vgg11_bn": 75,
    "densenet121": 490,
    "inception_v3": 240,
}


@pytest.mark.parametrize("name", ZOO)
def test_zoo(name: str, tmp_path: Path) -> None:
    size = 299 if name == "inception_v3" else 224
    saved = save_gluon(getattr(vision, name)(), image(1, 3, size, size), tmp_path)
    parsed = saved.parsed()
    assert reference_error(saved, parsed) < 1e-5
    code, found = round_trip_error(saved, parsed)
    assert found < 1e-5
    assert len(code.splitlines()) <= ZOO[name], code


def test_two_inputs_and_outputs(tmp_path: Path) -> None:
    """Inputs keep their order, and a layer that is used twice stays one."""
    inputs = {"data0": image(2, 5)["data"], "data1": image(2, 5)["data"]}
    saved = save_gluon(models.TwoInTwoOut(), inputs, tmp_path)
    parsed = saved.parsed()
    assert reference_error(saved, parsed) < 1e-6
    code, found = round_trip_error(saved, parsed)
    assert found < 1e-6
    assert code.count("nn.Dense(6") == 1
    again = saved.model(saved.subject.parse(saved.subject.emit(parsed), {}))
    assert [value.name for value in again.graph.inputs] == ["data0", "data1"]


def symbol_lenet() -> Any:
    """A LeNet as the Module API has it: statistics called moving_*, a loss at the end."""
    x = mx.sym.Variable("data")
    for number, filters in ((1, 6), (2, 8)):
        x = mx.sym.Convolution(x, kernel=(3, 5), num_filter=filters, name=f"conv{number}")
        x = mx.sym.BatchNorm(x, fix_gamma=number == 1, eps=2e-3, name=f"bn{number}")
        x = mx.sym.Activation(x, act_type="tanh", name=f"tanh{number}")
        x = mx.sym.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max", name=f"pool{number}")
    x = mx.sym.FullyConnected(mx.sym.Flatten(x), num_hidden=10, name="fc")
    return mx.sym.SoftmaxOutput(x, name="softmax")


def test_symbol(tmp_path: Path) -> None:
    saved = save_symbol(symbol_lenet(), image(2, 1, 28, 29), tmp_path)
    parsed = saved.parsed()
    assert reference_error(saved, parsed) < 1e-6
    run = saved.subject.run(saved.files, dict(saved.inputs))
    assert models.error(list(run.values()), saved.outputs) < 1e-6
    code, found = round_trip_error(saved, parsed)
    assert found < 1e-6
    assert "self.conv1 = nn.Conv2D(6, (3, 5), in_channels=1)" in code
    scales = [
        node.scale.array() for node in saved.model(parsed).graph.nodes if node.op == "batch_norm"
    ]
    assert (scales[0] == 1).all(), "fix_gamma says that the scale is 1, whatever the file has"
    assert (scales[1] != 1).all()


def test_a_convolution_that_two_ops_read_is_run_right(tmp_path: Path) -> None:
    """MXNet's executors fuse it with an activation behind it, and then give both that result."""
    shape = {"kernel": (3, 3), "pad": (1, 1), "num_filter": 4}
    first = mx.sym.Convolution(mx.sym.Variable("data"), name="conv1", **shape)
    active = mx.sym.Activation(first, act_type="relu")
    net = mx.sym.Convolution(active, name="conv2", **shape) + first
    saved = save_symbol(net, image(1, 4, 6, 6), tmp_path)
    found = saved.subject.run(saved.files, dict(saved.inputs))
    wanted = reference.run(saved.model(saved.parsed()), list(saved.inputs.values()))
    assert models.error(list(found.values()), wanted) < 1e-6


def test_code_stands_alone(tmp_path: Path) -> None:
    """The code and its weights need MXNet and nothing of ours."""
    saved = save_gluon(models.UNet(), image(2, 3, 12, 14), tmp_path)
    for file in saved.subject.emit(saved.parsed()):
        (tmp_path / file.name).write_bytes(bytes(saved.subject.store.open(file.blob)))
    np.save(tmp_path / "x.npy", saved.inputs["data"])
    script = (
        "import sys, numpy as np, mxnet as mx, model\n"
        "y = model.load()(mx.nd.array(np.load('x.npy')))\n"
        "assert not any(name.startswith(('ir_hub', 'adapters')) for name in sys.modules)\n"
        "np.save('y.npy', y.asnumpy())\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    assert models.error([np.load(tmp_path / "y.npy")], saved.outputs) < 1e-6


def test_code_trains(tmp_path: Path) -> None:
    """One step from the same weights gives the source's gradients, and its statistics."""
    net = models.UNet()
    saved = save_gluon(net, image(2, 3, 12, 14), tmp_path)
    for file in saved.subject.emit(saved.parsed()):
        (tmp_path / file.name).write_bytes(bytes(saved.subject.store.open(file.blob)))
    namespace: dict[str, Any] = {}
    exec((tmp_path / "model.py").read_text(), namespace)
    other = namespace["load"](str(tmp_path / "model-0000.params"))
    gradients, states = zip(
        *(step(each, saved.inputs["data"]) for each in (net, other)), strict=True
    )
    for ours, theirs in ((gradients[1], gradients[0]), (states[1], states[0])):
        assert len(ours) == len(theirs) > 0
        for a, b in zip(sorted(ours, key=key), sorted(theirs, key=key), strict=True):
            assert np.abs(a - b).max() <= 1e-4 * np.abs(b).max()


def key(array: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    return array.shape, float(np.round(np.abs(array).sum(), 3))


def step(net: Any, x: np.ndarray[Any, Any]) -> tuple[list[Any], list[Any]]:
    """The gradients of one step, and the statistics after it."""
    with autograd.record():
        loss = (net(mx.nd.array(x)) ** 2).mean()
    loss.backward()
    parameters = net.collect_params().values()
    learned = [p.grad().asnumpy() for p in parameters if p.grad_req != "null"]
    kept = [p.data().asnumpy() for p in parameters if p.grad_req == "null"]
    return learned, kept
