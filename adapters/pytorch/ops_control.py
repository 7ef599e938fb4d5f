"""Branches and loops: their bodies are modules, called as often as the run says."""

from __future__ import annotations

from adapters.pytorch.dialect import pytorch
from adapters.pytorch.spell import Bodies
from ir_hub.codegen.spelling import Code, Layer
from ir_hub.ir.graph import Node, Value


class _Call:
    """The operands of a call, by the text that stands for each."""

    def __init__(self) -> None:
        self.inputs: list[Value] = []

    def one(self, value: Value | None) -> str:
        """A tensor; None as None."""
        if value is None:
            return "None"
        if value not in self.inputs:
            self.inputs.append(value)
        return f"{{{self.inputs.index(value)}}}"

    def all(self, values: list[Value] | tuple[Value, ...]) -> str:
        """Tensors as a tuple."""
        return f"({''.join(f'{self.one(value)}, ' for value in values)})"


@pytorch.write("if")
def _(node: Node, bodies: Bodies) -> Layer:
    branches = [
        bodies.write(node.then_branch, "ThenBranch"),
        bodies.write(node.else_branch, "ElseBranch"),
    ]
    call = _Call()
    condition = call.one(node.condition)
    then, else_ = (
        f"{{layer}}[{index}]({', '.join(map(call.one, branch.captures))})"
        for index, branch in enumerate(branches)
    )
    params = {
        f"{index}.{key}": value
        for index, branch in enumerate(branches)
        for key, value in branch.params.items()
    }
    made = Code(f"[{', '.join(f'{branch.class_name}()' for branch in branches)}]")
    text = f"({then} if {condition} else {else_})"
    return Layer("nn.ModuleList", call.inputs, {"modules": made}, {}, params, 1, text)


@pytorch.write("loop")
def _(node: Node, bodies: Bodies) -> Layer:
    body, call = bodies.write(node.body, "LoopBody"), _Call()
    limits = f"{call.one(node.trip_count)}, {call.one(node.condition)}"
    text = f"_loop({{layer}}, {limits}, {call.all(node.initial)}, {call.all(body.captures)})"
    return Layer(body.class_name, call.inputs, {}, {}, body.params, 0, _only(text, node))


@pytorch.write("scan")
def _(node: Node, bodies: Bodies) -> Layer:
    body, call = bodies.write(node.body, "ScanBody"), _Call()
    tensors = map(call.all, (node.initial, node.scanned, body.captures))
    count = len(node.results) - len(node.initial)
    ways = (
        _filled(node.input_axes, len(node.scanned)),
        _filled(node.input_directions, len(node.scanned)),
        _filled(node.output_axes, count),
        _filled(node.output_directions, count),
    )
    text = f"_scan({{layer}}, {', '.join(tensors)}, {', '.join(map(repr, ways))})"
    return Layer(body.class_name, call.inputs, {}, {}, body.params, 0, _only(text, node))


def _only(text: str, node: Node) -> str:
    """The call's one result, where there is only one."""
    return f"{text}[0]" if len(node.results) == 1 else text


def _filled(numbers: tuple[int, ...], count: int) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers) or (0,) * count
