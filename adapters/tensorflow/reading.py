"""A call of a layer as its read rule sees it: settings, weights and arguments to ask for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from adapters.tensorflow.config import Input
from adapters.tensorflow.dialect import tensorflow
from ir_hub.ir.graph import Value, constant
from ir_hub.ir.tensor import ArrayTensor, BlobTensor
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

# Settings that say how a layer is trained or what it is called: nothing of what it computes.
# fmt: off
_OTHER = frozenset({
    "name", "trainable", "dtype", "seed", "batch_shape", "batch_input_shape", "autocast",
    "synchronized", "unroll", "use_cudnn", "implementation", "time_major", "build_config",
    "zero_output_for_mask", "flash_attention", "sparse", "ragged", "optional", "input_length",
    "unit_forget_bias",
})
# fmt: on
# What Keras calls the weights of a layer, in order.
_USUAL = ("kernel", "bias", "bias")
_WEIGHTS = {
    "Embedding": ("embeddings",),
    "PReLU": ("alpha",),
    "Normalization": ("mean", "variance"),
    "RMSNormalization": ("scale",),
    **dict.fromkeys(
        ("SeparableConv1D", "SeparableConv2D"), ("depthwise_kernel", "pointwise_kernel", "bias")
    ),
    **dict.fromkeys(
        ("LSTM", "GRU", "SimpleRNN", "Bidirectional"), ("kernel", "recurrent_kernel", "bias")
    ),
}
_SEEDS = "seed_generator"  # in the paths of what isn't a weight
_OTHER_ENDS = ("_initializer", "_regularizer", "_constraint")


class LayerCall:
    """One call. Every setting that a rule doesn't ask for, and that isn't off, is refused."""

    def __init__(self, call: Call, b: Builder) -> None:
        self.b = b
        self.type = call.type
        self._call = call
        self._asked: set[str] = set()
        self._read: set[str] = set()  # weights
        self.config: Mapping[str, Any] = call.attrs["config"]
        self._weights: Mapping[str, int] = call.attrs["weights"]
        self.args: tuple[Any, ...] = tuple(call.attrs["args"])
        self.kwargs: Mapping[str, Any] = call.attrs["kwargs"]
        self._check_policy()

    def _check_policy(self) -> None:
        policy = self.config.get("dtype", "float32")
        if isinstance(policy, dict):
            config = policy.get("config")
            settings = config if isinstance(config, dict) else {}
            if "mode" in settings:
                raise Unsupported(f"it is quantized, to {settings['mode']}")
            policy = settings.get("name")
        if policy != "float32":
            raise Unsupported(
                f"it computes in {policy}: set dtype_policy = 'float32' on the model's layers, and "
                "save it again"
            )

    def get(self, name: str, default: Any = None) -> Any:
        """A setting; lists as tuples."""
        self._asked.add(name)
        value = self.config.get(name, default)
        return _tuples(value)

    def finish(self) -> None:
        """Refuses what hasn't been asked for."""
        for name, value in self.config.items():
            silent = name in self._asked or name in _OTHER or name.endswith(_OTHER_ENDS)
            if not silent and value not in (None, False, 0.0, ()):
                raise Unsupported(f"its setting {name} = {str(value)[:60]!r} isn't known here")
        strays = [key for key in self._weights if key not in self._read and _SEEDS not in key]
        if strays:
            raise ValueError(
                f"the file has weights {', '.join(strays)} for it that its settings don't have"
            )
        for name, value in self.kwargs.items():
            if name not in self._asked and value not in (None, False):
                raise Unsupported(f"it is called with {name}")

    def argument(self, name: str) -> Any:
        """An argument of the call by its name: a value, a tuple of them, or a literal."""
        self._asked.add(name)
        return self.value(self.kwargs.get(name))

    @property
    def x(self) -> Value:
        """The one tensor that it is called with, as the layer computes with it."""
        given = self.args or (self.kwargs.get("inputs"),)
        self._asked.add("inputs")
        if not isinstance(given[0], Input):
            raise Unsupported("it is called with other than one tensor")
        if any(item is not None for item in given[1:]):
            raise Unsupported("it is called with more than one argument")
        return self.value(given[0])  # type: ignore[no-any-return]

    @property
    def floats(self) -> Value:
        """The one tensor that it is called with, as the float32 that the layer makes of any."""
        x = self.x
        return x if x.dtype in (None, DType.FLOAT32) else self.b.cast(x, to=DType.FLOAT32)  # type: ignore[no-any-return]

    @property
    def xs(self) -> tuple[Value, ...]:
        """The list of tensors that it is called with."""
        given = self.args[0] if self.args else self.kwargs.get("inputs")
        self._asked.add("inputs")
        found = self.value(given)
        return found if isinstance(found, tuple) else (found,)

    def value(self, argument: Any) -> Any:
        """An argument with values in place of inputs, other floats cast to float32."""
        if isinstance(argument, Input):
            value = self._call.inputs[argument.index]
            assert value is not None
            cast = (
                value.dtype is not None
                and value.dtype.is_float
                and value.dtype is not DType.FLOAT32
            )
            return self.b.cast(value, to=DType.FLOAT32) if cast else value
        if isinstance(argument, tuple):
            return tuple(self.value(item) for item in argument)
        return argument

    def weight(self, key: str, shape: tuple[int | None, ...], name: str = "") -> Value:
        """A weight by its place within the layer ("0", "cell.1"), of the shape that the layer's
        settings and its input give it; None where they don't. `name` is what Keras calls it.

        Raises:
            ValueError: it is missing, or of another shape.
        """
        self._read.add(key)
        if key not in self._weights:
            raise ValueError(
                f"its weight {key} isn't in the file, "
                f"which has {', '.join(self._weights) or 'none'}"
            )
        value = self._call.inputs[self._weights[key]]
        assert value is not None
        assert value.shape is not None
        pairs = list(zip(value.shape, shape, strict=False))
        if len(shape) != len(value.shape) or any(w is not None and a != w for a, w in pairs):
            wanted = ["?" if size is None else size for size in shape]
            raise ValueError(
                f"its weight {key} is {list(value.shape)}, its settings make it {wanted}"
            )
        if value.dtype is None or not value.dtype.is_float:
            raise Unsupported(f"its weights are {value.dtype}")
        if value.dtype is not DType.FLOAT32:  # of which Keras makes what the layer computes in
            value = constant(value.array().astype(np.float32))
        part, _, place = key.rpartition(".")
        own = name or _WEIGHTS.get(self.type, _USUAL)[int(place)]
        value.name = ".".join(filter(None, (self.b.scope, part, own)))
        return value

    def ignore(self, key: str) -> None:
        """Says of a weight that nothing is computed with it."""
        self._read.add(key)

    def filled(self, size: int, element: float, name: str) -> Value:
        """A weight that the layer doesn't have, as what it stands for."""
        return self.b.constant(np.full(size, element, np.float32), name=name)


@contextlib.contextmanager
def sensible() -> Iterator[None]:
    """Reports what a config that Keras can't have written leads to, as a fault of the model's."""
    try:
        yield
    except (KeyError, AttributeError, IndexError, TypeError, ArithmeticError) as error:
        said = f"{type(error).__name__}: {error}"[:200]
        raise ValueError(f"its settings make no sense ({said})") from error


Rule = Callable[[LayerCall], Any]


def reads(*names: str) -> Callable[[Rule], Rule]:
    """Registers how layers of these classes are read. What a rule returns follows from settings
    that it has asked for; all others have to be off."""

    def register(rule: Rule) -> Rule:
        def read(call: Call, b: Builder) -> Any:
            layer = LayerCall(call, b)
            with sensible():
                found = rule(layer)
                layer.finish()
            return found

        tensorflow.read(*names)(read)
        return rule

    return register


def permuted(value: Value, order: tuple[int, ...]) -> Value:
    """A weight with its axes in another order; nothing is moved."""
    assert value.data is not None
    return constant(value.data.permuted(order), value.name)


def reshaped(value: Value, shape: tuple[int, ...]) -> Value:
    """A weight in another shape; nothing is moved."""
    data = value.data
    if isinstance(data, BlobTensor) and not data.permutation:
        return constant(replace(data, stored_shape=shape), value.name)
    return constant(ArrayTensor(value.array().reshape(shape)), value.name)


def size_of(value: Value, axis: int) -> int:
    """A size that has to be known.

    Raises:
        Unsupported: it isn't.
    """
    size = value.shape[axis] if value.shape is not None else None
    if not isinstance(size, int):
        raise Unsupported(
            f"the size of axis {axis} of its input isn't known: give the input's type"
        )
    return size


def rank(value: Value) -> int:
    """The number of axes."""
    if value.shape is None:
        raise Unsupported("the rank of its input isn't known")
    return len(value.shape)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
