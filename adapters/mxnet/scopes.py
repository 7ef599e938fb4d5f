"""Which block of the source each node belongs to, as far as Gluon's names tell it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from ir_hub.sdk.source import SourceNode

_LAYER = "_fwd"  # what Gluon appends to the prefix of a block for its one op
_SEQUENCE = "hybridsequential"
_PARTS = ("weight", "bias", "gamma", "beta", "parameters", "alpha")
# What Python's operators are called in the names that MXNet gives.
_SAID_AS = {f"elemwise_{op}": said for op, said in
            (("add", "plus"), ("sub", "minus"), ("mul", "mul"), ("div", "div"))}  # fmt: skip
# Gluon writes a block's class in lower case when it names it: those of its model zoo as they are.
_CLASSES = {
    name.lower(): name
    for name in (
        "AlexNet", "BasicBlockV1", "BasicBlockV2", "BottleneckV1", "BottleneckV2", "DenseNet",
        "LinearBottleneck", "MobileNet", "MobileNetV2", "ResNetV1", "ResNetV2", "SqueezeNet", "VGG",
    )
}  # fmt: skip


def root_prefix(names: Sequence[str]) -> str:
    """The prefix that all names share, which is the outermost block's; "" when they share none."""
    first, last = min(names, default=""), max(names, default="")
    pairs = zip(first, last, strict=False)
    length = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(last)))
    prefix = first[: first.rfind("_", 0, length) + 1]
    bare = [name[len(prefix) :].removesuffix(_LAYER) for name in names]
    return prefix if len(names) > 1 and prefix.strip("_") and all(bare) else ""


def class_of(component: str) -> str:
    """The class of a block with a default prefix: its name in lower case, and a number."""
    found = re.fullmatch(r"([a-z]+?(?:v\d)?)\d+", component)
    return _CLASSES.get(found[1], found[1]) if found else ""


def classes_of(scopes: Iterable[str], root: str) -> dict[str, str]:
    """The classes of blocks, as far as their names are those that Gluon gives."""
    own = class_of(root.rstrip("_"))
    found = {"": "" if own == _SEQUENCE else own}
    for scope in scopes:
        parts = scope.split(".") if scope else []
        for end in range(1, len(parts) + 1):
            made = class_of(parts[end - 1])
            if made == _SEQUENCE:
                found[".".join(parts[:end])] = "Sequential"
            elif made in _CLASSES.values():
                found[".".join(parts[:end])] = made
    return found


def named_blocks(names: Iterable[str], root: str) -> frozenset[str]:
    """The outermost blocks whose prefix has no number, such as `features_`: those that hold
    layers of several kinds which have Gluon's own names."""
    kinds: dict[str, set[str]] = {}
    for name in names:
        found = re.match(r"([a-zA-Z]+)_([a-z]+)\d+_(?:.*_)?fwd$", name.removeprefix(root))
        if found:
            kinds.setdefault(found[1], set()).add(found[2])
    return frozenset(block for block, held in kinds.items() if len(held) > 1)


def beside_layers(scopes: Sequence[str], layers: Collection[str]) -> list[str]:
    """Scopes without those inside a layer, which is a block of one op: the activation of a layer
    `dense0` is named `dense0_relu`, but stands behind it."""
    found = []
    for scope in scopes:
        outer, _, leaf = scope.rpartition(".")
        found.append(f"{outer}_{leaf}" if outer in layers else scope)
    return found


def is_layer(name: str, inputs: Iterable[str]) -> bool:
    """Whether a node is a layer, which is a block of one op: its name or its weights' say so."""
    weights = {f"{name}_{part}" for part in _PARTS}
    return name.endswith(_LAYER) or not weights.isdisjoint(inputs)


def scope_of(
    name: str, root: str, inputs: Iterable[str], blocks: Collection[str] = frozenset()
) -> str:
    """The dotted path of the innermost block that a node is in; a layer is one itself. `blocks` are
    those of `named_blocks`."""
    parts = _components(name.removeprefix(root).removesuffix(_LAYER), blocks)
    return ".".join(parts if is_layer(name, inputs) else parts[:-1])


def is_unnamed(name: str, op: str) -> bool:
    """Whether MXNet named a node, after its op and a running number: `_plus12`, `activation3`."""
    stem = re.sub(r"\d+$", "", name)
    said, kind = (text.replace("_", "").lower() for text in (stem, op))
    return stem != name and said in (kind, _SAID_AS.get(op))


def with_unnamed(nodes: Sequence[SourceNode], scopes: Sequence[str]) -> list[str]:
    """Scopes that have in them what only MXNet named: it is in the block of the last thing that it
    is computed from, if it joins several things, or if what reads it is in that block too."""
    made = {result: i for i, node in enumerate(nodes) for result in node.outputs}
    read = [[made[name] for name in node.inputs if name in made] for node in nodes]
    blocks = [scope.rpartition(".")[0] if is_layer(node.name, node.inputs) else scope
              for node, scope in zip(nodes, scopes, strict=True)]  # fmt: skip
    readers: dict[int, set[str]] = {}
    for block, sources in zip(blocks, read, strict=True):
        for source in sources:
            readers.setdefault(source, set()).add(block)
    found = list(scopes)
    for i, node in enumerate(nodes):
        if not read[i] or scopes[i] or not is_unnamed(node.name, node.type):
            continue
        block = blocks[max(read[i])]
        if len(read[i]) > 1 or block in readers.get(i, ()):
            found[i] = blocks[i] = block
    return found


def _components(name: str, blocks: Collection[str]) -> list[str]:
    """`stage1_unit2_conv1` has three; `conv1_1` and `max_pool` are one, since blocks are numbered
    and layers may have any name."""
    first, _, rest = name.partition("_")
    if first in blocks and rest:
        return [first, *_components(rest, frozenset())]
    found: list[str] = []
    waiting = ""
    tokens = name.split("_")
    for place, token in enumerate(tokens):
        waiting = f"{waiting}_{token}" if waiting else token
        following = tokens[place + 1] if place + 1 < len(tokens) else "0"
        if waiting[-1:].isdigit() and not following[:1].isdigit():
            found.append(waiting)
            waiting = ""
    return [*found, waiting] if waiting else found
