"""Networks that MXNet has natively, as Gluon exports them: its model zoo's, and a few by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon.model_zoo import vision

from adapters.mxnet.tests.models import BothWays, lenet
from tests.models.networks import NETWORKS, Input
from tests.models.outputs import check_outputs

BUILDERS: dict[str, Callable[[], Any]] = {
    "lenet": lenet,
    "resnet18_v1": vision.resnet18_v1,
    "resnet18_v2": vision.resnet18_v2,
    "mobilenet_v2": vision.mobilenet_v2_1_0,
    "densenet121": vision.densenet121,
    "inception_v3": vision.inception_v3,
    "squeezenet": vision.squeezenet1_0,
    "vgg11_bn": vision.vgg11_bn,
    "bigru_classifier": BothWays,
}


def write(name: str, folder: Path) -> None:
    """Write `name`-symbol.json and its params: telling weights."""
    (given,) = NETWORKS[name].natives["mxnet"]
    net, gain = BUILDERS[name](), NETWORKS[name].gain
    net.initialize()
    random = np.random.RandomState(0)
    one, other = (_drawn(given, random) for _ in range(2))
    net(one)  # sizes of weights are known from here on
    for key, parameter in net.collect_params().items():
        parameter.set_data(mx.nd.array(telling(key, parameter.shape, gain, random)))
    net.hybridize()
    check_outputs([net(one).asnumpy()], [net(other).asnumpy()])
    net.export(str(folder / name))


def telling(name: str, shape: tuple[int, ...], gain: float, random: np.random.RandomState) -> Any:
    """A random value of a sane size for the parameter or statistic `name`."""
    values = random.normal(size=shape)
    if name.endswith("running_var"):
        return random.uniform(0.5, 1.5, shape)
    if name.endswith("gamma"):
        return 1 + 0.2 * values
    if name.endswith("weight") and "embedding" not in name:
        return values * math.sqrt(gain / math.prod(shape[1:]))
    return 0.1 * values


def _drawn(given: Input, random: np.random.RandomState) -> Any:
    shape = (2, *given.shape)
    if given.words:
        return mx.nd.array(random.randint(0, given.words, shape))
    return mx.nd.array(random.normal(size=shape))
