"""Names in generated code. Text from a model becomes code only through these functions."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection

LONGEST = 40

# What generated code calls by name: no variable may hide it.
CALLED = frozenset(
    {"self", "torch", "nn", "f", "math", "float", "int", "bool", "len", "range", "tuple", "list",
     "slice", "max", "min", "sum", "zip", "print"}
)  # fmt: skip

# What a person calls the layer of an op, where it isn't the op's own name.
ATTRIBUTES = {
    "batch_norm": "bn",
    "layer_norm": "norm",
    "rms_norm": "norm",
    "group_norm": "norm",
    "instance_norm": "norm",
    "conv_transpose": "deconv",
    "max_pool": "pool",
    "avg_pool": "pool",
    "global_avg_pool": "pool",
    "mul": "scale",
    "div": "divisor",
    "add": "bias",
    "sub": "offset",
    "gather": "table",
    "matmul": "weight",
    "concat": "token",
    "where": "mask",
    "if": "branches",
    **dict.fromkeys(
        ("relu", "relu6", "hard_swish", "hard_sigmoid", "sigmoid", "silu", "gelu", "mish", "tanh",
         "elu", "selu", "softplus", "leaky_relu", "prelu"),
        "act",
    ),
}  # fmt: skip


def identifier(text: str, fallback: str = "value") -> str:
    """Any text as a lower-case Python identifier: ASCII letters, digits and underscores, never a
    keyword; `fallback` when nothing of it can be kept."""
    name = re.sub(r"[^0-9A-Za-z_]+", "_", text)[:LONGEST].strip("_").lower()
    if not name:
        return fallback
    if name[0].isdigit():
        name = f"{fallback}_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in CALLED else name


def attribute(
    text: str, fallback: str = "module", reserved: Collection[str] = (), marks: str = ""
) -> str:
    """Any text as an attribute's name that isn't reserved: as `identifier`, its case kept. With
    `marks`, as a text that may also have those, and begin with a digit."""
    name = re.sub(rf"[^0-9A-Za-z_{re.escape(marks)}]+", "_", text)[:LONGEST].strip("_")
    if not name or (name[0].isdigit() and not marks):
        return f"{fallback}{name}" if name else fallback
    return f"{name}_" if keyword.iskeyword(name) or name in reserved else name


def class_name(text: str, fallback: str = "Block") -> str:
    """The last part of a dotted class name, or any text, as the name of a class."""
    words = re.findall(r"[0-9A-Za-z]+", text.rpartition(".")[2][:LONGEST])
    name = "".join(word[0].upper() + word[1:] for word in words)
    if not name or name[0].isdigit():
        return fallback
    return f"{name}_" if keyword.iskeyword(name) else name


def unique(name: str, taken: Collection[str]) -> str:
    """The name, or the name with the first number that makes it new."""
    if name not in taken:
        return name
    stem = f"{name}_" if name[-1].isdigit() else name
    number = 2
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"
