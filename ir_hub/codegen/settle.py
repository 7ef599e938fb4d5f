"""Settles what each module is before anything is printed: a sequence of layers or a class with a
forward, what its attributes are called, which of its steps share one layer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

from ir_hub.codegen.names import ATTRIBUTES, attribute, unique
from ir_hub.codegen.spelling import Expr, Layer, Style
from ir_hub.codegen.steps import Block, Step
from ir_hub.ir.graph import Value

_LISTS = ("", "ModuleList")


def settle(root: Block, style: Style) -> None:
    """Names every attribute below `root`, and writes layers that have a function as that function
    wherever they aren't part of a sequence."""
    for block in root.blocks():
        if not (style.sequential and is_sequence(block)) and not is_list(block, style):
            for step in block.steps:
                if isinstance(step.what, Layer) and step.what.function is not None:
                    step.what, step.name = step.what.function, ""
        _name_attributes(block, style)


def is_sequence(block: Block) -> bool:
    """Whether a block only runs layers one after another, and its names, if the source gave any,
    are numbers, or it was a sequence there too."""
    steps = block.steps
    if not steps or len(block.inputs) != 1 or block.outputs != steps[-1].results[:1]:
        return False
    names = [step.name for step in steps if step.name]
    if len(steps) < 2 and not names:
        return False
    if any(not name.isdigit() for name in names) and not block.class_name.endswith("Sequential"):
        return False
    flowing = block.inputs
    for step in steps:
        if not _is_plain(step) or step.inputs != flowing:
            return False
        flowing = step.results
    inner = {step.results[0] for step in steps[:-1]}
    return not inner.intersection(block.outputs)


def passed_on(block: Block) -> Value | None:
    """Of a list of modules that run one after another, and are all given the same besides: the
    input of the block that the first one is given and makes anew. None: it is no such list."""
    listed = [step.name for step in block.steps] == [str(n) for n in range(len(block.steps))]
    if len(block.steps) < 2 or not listed or block.class_name.rpartition(".")[2] not in _LISTS:
        return None
    first, *others = block.steps
    if block.outputs != others[-1].results or not all(map(_is_plain, block.steps)):
        return None
    made = first.results[0]
    places = [n for n, value in enumerate(others[0].inputs) if value is made]
    if len(places) != 1 or len(first.inputs) <= places[0]:
        return None
    start = flowing = first.inputs[places[0]]
    for step in block.steps:
        if step.inputs != [flowing if value is start else value for value in first.inputs]:
            return None
        flowing = step.results[0]
    return start if first.inputs.count(start) == 1 and start in block.inputs else None


def _is_plain(step: Step) -> bool:
    """Whether a step calls a module with what it reads, and gets one tensor."""
    layer = isinstance(step.what, Block) or (isinstance(step.what, Layer) and not step.what.call)
    return layer and len(step.results) == 1


def is_list(block: Block, style: Style) -> bool:
    """Whether a block is written as a list of modules, by whose places their weights are named."""
    return bool(style.listed) and not is_sequence(block) and passed_on(block) is not None


def _name_attributes(block: Block, style: Style) -> None:
    reserved = style.reserved
    if is_list(block, style):
        return
    if style.sequential and is_sequence(block):
        _name_members(block, reserved, bool(style.named))
        return
    stems = Counter(stem for step in block.steps for stem in _stems(block, step))
    numbers: Counter[str] = Counter()
    taken: set[str] = set(reserved)
    layers = [step for step in block.steps if step.name and _is_layer(step)]
    own = {step: attribute(step.name, "layer", reserved, style.marks) for step in layers}
    taken.update(own.values())
    shared: dict[object, str] = {}
    constants: dict[Value, str] = {}
    given: set[str] = set()
    for step in block.steps:
        if isinstance(step.what, Expr):
            for value in step.inputs:
                if value.is_constant and value not in constants:
                    constants[value] = _fresh(_stem(block, step, value), stems, numbers, taken)
            step.constants = {v: constants[v] for v in step.inputs if v.is_constant}
            continue
        identity = _identity(step)
        if identity in shared:
            step.name = shared[identity]
        elif step in own and own[step] not in given:
            step.name = own[step]
            given.add(step.name)
        else:
            step.name = _fresh(own.get(step) or _layer_stem(step), stems, numbers, taken)
        if identity is not None:
            shared[identity] = step.name


def _name_members(sequence: Block, reserved: Collection[str], may_have_names: bool) -> None:
    """Names the members of a sequence: by their place, or as the source does where that gives a
    weight another key, as when a dropout before it is gone."""
    steps = sequence.steps
    moved = any(step.name != str(n) and _weights(step) for n, step in enumerate(steps))
    named = may_have_names and moved and all(step.name for step in steps)
    taken = set(reserved)
    for number, step in enumerate(steps):
        name = step.name if named else str(number)
        name = name if name.isdigit() else attribute(name, reserved=reserved)
        step.name = unique(name, taken)
        taken.add(step.name)


def _is_layer(step: Step) -> bool:
    return not isinstance(step.what, Expr)


def _stems(block: Block, step: Step) -> list[str]:
    if isinstance(step.what, Expr):
        return [_stem(block, step, v) for v in dict.fromkeys(step.inputs) if v.is_constant]
    return [] if step.name else [_layer_stem(step)]


def _layer_stem(step: Step) -> str:
    if isinstance(step.what, Block):
        return "block"
    return ATTRIBUTES.get(step.op, step.op)


def _stem(block: Block, step: Step, constant: Value) -> str:
    """What to call a constant: its own name within the module, or what its op uses it as."""
    prefix = f"{block.path}." if block.path else ""
    own = constant.name.removeprefix(prefix) if constant.name.startswith(prefix) else ""
    own = own or ("" if block.path else constant.name)
    if re.fullmatch(r"[a-z]+(_[a-z]+)+", own) and len(own) <= 30:
        return own
    return ATTRIBUTES.get(step.op, "constant")


def _fresh(stem: str, stems: Counter[str], numbers: Counter[str], taken: set[str]) -> str:
    """A new name: the stem alone when only one attribute has it, else the stem and a number."""
    name = stem
    if stems[stem] > 1:
        numbers[stem] += 1
        name = f"{stem}{numbers[stem]}"
    name = unique(name, taken)
    taken.add(name)
    return name


def _identity(step: Step) -> object:
    """Equal for two calls of one layer object: the same weights, used in the same way. None when
    it has no weights to share."""
    weights = _weights(step)
    return (weights, _signature(step)) if weights else None


def _weights(step: Step) -> tuple[Value, ...]:
    if isinstance(step.what, Layer):
        return tuple(step.what.params.values())
    if isinstance(step.what, Block):
        return tuple(value for inner in step.what.steps for value in _weights(inner))
    return tuple(value for value in step.inputs if value.is_constant)


def _signature(step: Step) -> object:
    what = step.what
    if isinstance(what, Layer):
        return what.ctor, repr(what.kwargs), what.call, tuple(what.params)
    if isinstance(what, Expr):
        return what.text, repr(what.literals), tuple(v.scalar for v in what.inputs)
    at: dict[Value, object] = {value: ("in", i) for i, value in enumerate(what.inputs)}
    for number, inner in enumerate(what.steps):
        at.update({value: (number, i) for i, value in enumerate(inner.results)})
    wires = tuple(tuple(at.get(v, "constant") for v in inner.inputs) for inner in what.steps)
    outputs = tuple(at.get(value) for value in what.outputs)
    names = tuple((inner.name, *inner.constants.values()) for inner in what.steps)
    return tuple(map(_signature, what.steps)), names, wires, outputs
