"""Keras' side of the training tests, run in its environment.

python -m tests.training.in_keras write FOLDER NET...      networks, as sources
python -m tests.training.in_keras step FOLDER...        a step of generated code, as JSON
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.training.files import GRADIENTS, WEIGHTS, Errors, Step, Taken, generated, run, telling
from tests.training.nets_keras import NETS, given


def write(name: str, place: Path) -> None:
    """Write a network with its weights, and with what a step gives in their place."""
    rng = np.random.default_rng(5)
    net, after = _made(name), _made(name)
    for key, variable in weights(net).items():
        variable.assign(telling(key, variable.shape, rng))
    x = given(net, rng)
    direction = rng.standard_normal(net(x).shape).astype(np.float32)
    step = Step(x, direction, [layer.rate for layer in dropouts(net)])
    step.save(place)
    net.save(place / f"{WEIGHTS}.keras")
    taken = take(net, step)
    arrays = [*taken.gradients.values(), *taken.statistics.values()]
    for variable, array in zip(_ordered(after), arrays, strict=True):
        variable.assign(array)
    after.save(place / f"{GRADIENTS}.keras")


def _made(name: str) -> keras.Model:
    keras.utils.clear_session()  # its layers are counted anew
    return NETS[name]()


def step_of(folder: Path) -> Errors:
    """What a step of the code that a conversion wrote has against what it should have."""
    step = Step.load(folder)
    assert not (folder / WEIGHTS / "constants.npz").exists(), "weights became constants"
    net, after = (
        generated(folder / name).load(folder / name / "model.keras")
        for name in (WEIGHTS, GRADIENTS)
    )
    assert [layer.rate for layer in dropouts(net)] == step.dropouts, "its dropouts are others"
    expected = {key: variable.numpy() for key, variable in weights(after).items()}
    return take(net, step).errors(expected)


def dropouts(net: keras.Model) -> Iterator[Any]:
    """The dropout layers, those of nested models too."""
    for layer in net.layers:
        if isinstance(layer, keras.Model):
            yield from dropouts(layer)
        elif isinstance(layer, keras.layers.Dropout):
            yield layer


def take(net: keras.Model, step: Step) -> Taken:
    """The gradients of a step without dropout, and the statistics after it."""
    for layer in dropouts(net):
        layer.rate = 0
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(step.x, training=True) * step.direction)
    gradients = tape.gradient(loss, [v.value for v in net.trainable_weights])
    found = [tf.convert_to_tensor(each).numpy() for each in gradients]
    statistics = [variable.numpy() for variable in net.non_trainable_weights]
    names = list(weights(net))
    trained, kept = names[: len(found)], names[len(found) :]
    return Taken(dict(zip(trained, found, strict=True)), dict(zip(kept, statistics, strict=True)))


def weights(net: keras.Model) -> dict[str, Any]:
    """What is trained, then the running statistics, by place and name."""
    return {f"{i} {variable.path}": variable for i, variable in enumerate(_ordered(net))}


def _ordered(net: keras.Model) -> list[Any]:
    return [*net.trainable_weights, *net.non_trainable_weights]


if __name__ == "__main__":
    run(write, step_of)
