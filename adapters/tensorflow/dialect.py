"""TensorFlow's table, and the short forms that most of its rows are written in."""

from __future__ import annotations

from collections.abc import Mapping

from ir_hub.codegen.draft import expression
from ir_hub.codegen.spelling import Style
from ir_hub.ir.graph import Value
from ir_hub.sdk.dialect import Dialect, Unsupported

END = (1 << 63) - 1  # of a cut that goes to the end
_POOL = "N*C->N*C"
AXES = {
    "conv": "N*C,*IO->N*C",
    "conv_transpose": "N*C,*OI->N*C",
    "resize": _POOL,
    **dict.fromkeys(
        ("max_pool", "avg_pool", "lp_pool", "global_avg_pool", "global_max_pool", "global_lp_pool"),
        _POOL,
    ),
    **dict.fromkeys(("lrn", "group_norm", "instance_norm"), _POOL),
}

tensorflow = Dialect("tensorflow", AXES)

# fmt: off
DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64",
)
_NAMES = frozenset({
    "Keras", "Layers", "Model", "Ops", "Path", "keras", "layers", "load", "model", "np", "ops",
    "path",
})
_RESERVED = frozenset({
    "constants", "i", "inputs", "keras", "layers", "name", "np", "ops", "path", "u", "v", "w",
    "x", "y", "z",
})
# fmt: on

STYLE = Style(
    base="",
    forward="",
    sequential="",
    named="",
    parameter="",
    buffer="",
    dtypes={name: f'"{name}"' for name in DTYPES},
    reserved=_RESERVED,
    names=_NAMES,
    marks=".-",
)


def rows(table: Mapping[str, str], *, numbers: str = "") -> None:
    """Registers a rule for each op of a table of expressions."""
    for op, text in table.items():
        tensorflow.write(op)(expression(text, numbers=numbers))


def static_shape(value: Value, reason: str) -> tuple[int, ...]:
    """The sizes; Unsupported, with the reason, when some aren't known."""
    shape = value.shape
    if shape is None or not all(isinstance(size, int) for size in shape):
        raise Unsupported(reason)
    return tuple(int(size) for size in shape)  # type: ignore[arg-type]
