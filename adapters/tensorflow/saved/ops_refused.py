"""Says of TensorFlow's ops that can't be read why, and what to do instead."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.dialect import tensorflow
from adapters.tensorflow.saved.reading import PREFIX
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

_LOOP = (
    "a loop, as recurrent layers are saved: save the Keras model as .keras, which has them whole"
)
_CHOICE = "a choice between two graphs that only the run makes"
_REASONS = {
    "While": _LOOP,
    "StatelessWhile": _LOOP,
    "TensorListReserve": _LOOP,
    "TensorListFromTensor": _LOOP,
    "TensorListStack": _LOOP,
    "If": _CHOICE,
    "StatelessIf": _CHOICE,
    "Case": _CHOICE,
    "StatelessCase": _CHOICE,
}


def _refuse(call: Call, b: Builder) -> Any:
    name = call.type.removeprefix(PREFIX)
    raise Unsupported(f"{name}: {_REASONS[name]}")


tensorflow.read(*(f"{PREFIX}{name}" for name in _REASONS))(_refuse)
