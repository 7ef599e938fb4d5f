"""Malformed graphs are refused with a message that names the node and the reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import pytest

from ir_hub.ir.dims import Symbol, symbol
from ir_hub.ir.errors import BadIR
from ir_hub.ir.graph import Argument, Graph, Model, Node, Value, constant
from ir_hub.ir.types import DType, TensorType
from ir_hub.ir.verify import complete, verify

F32 = TensorType(DType.FLOAT32, (2, 3))


class Kind(Enum):
    """The kinds of arguments."""

    TENSOR = "tensor"
    TENSORS = "tensors"
    SIZES = "sizes"
    LITERAL = "literal"
    BODY = "body"


@dataclass
class Param:
    """A declared argument; without a default it is required."""

    kind: Kind
    annotation: str = ""
    default: Any = None
    required: bool = True


@dataclass
class Op:
    """A declared op."""

    params: dict[str, Param] = field(default_factory=dict)
    results: Callable[[Mapping[str, Any]], int] = lambda args: 1

    def complete(self, args: Mapping[str, Argument]) -> dict[str, Argument]:
        if args.keys() - self.params.keys():
            raise TypeError("an argument is unknown")
        return {name: args.get(name, param.default) for name, param in self.params.items()}

    def result_count(self, args: Mapping[str, Any]) -> int:
        return self.results(args)


def literal(annotation: str, default: Any) -> Param:
    return Param(Kind.LITERAL, annotation, default, required=False)


X = Param(Kind.TENSOR)
OPS = {
    "relu": Op({"x": X}),
    "add": Op({"x": X, "y": X}),
    "concat": Op({"xs": Param(Kind.TENSORS), "axis": Param(Kind.LITERAL, "int")}),
    "reshape": Op({"x": X, "shape": Param(Kind.SIZES)}),
    "split": Op({"x": X, "count": literal("int", 2)}, lambda args: args["count"]),
    "clip": Op({"x": X, "low": Param(Kind.TENSOR, required=False), "k": literal("float", 0.5)}),
    "pad": Op({"x": X, "mode": literal("Literal['a', 'b'] | None", None),
               "pads": literal("tuple[tuple[int, int], ...] | None", None),
               "to": literal("DType", DType.INT8), "flag": literal("bool", False)}),
    "if": Op({"condition": X, "then_branch": Param(Kind.BODY)}),
}  # fmt: skip


def value(name: str, type_: TensorType | None = F32) -> Value:
    return Value(name, type_)


def call(op: str, name: str = "n", results: int = 1, scope: str = "", **args: Any) -> Node:
    return Node(op, args, [value(f"{name}{i}") for i in range(results)], name, scope)


def model(*nodes: Node, outputs: list[Value] | None = None, inputs: Any = None) -> Model:
    graph = Graph([IN] if inputs is None else inputs, list(nodes), outputs or [])
    return Model(graph, {"layer": "Layer"}, symbols={"N": Symbol("N")})


IN = value("in")


def good() -> Model:
    sized = value("sized", TensorType(DType.FLOAT32, (symbol("N"), symbol("M") * 2)))
    first = call("add", "a", x=sized, y=constant(np.ones(3)), scope="layer")
    inner = call("relu", "b", x=first.result)
    body = Graph([], [inner], [inner.result, first.result])
    nodes = [
        first,
        call("if", "c", condition=sized, then_branch=body),
        call("split", "d", 3, x=sized, count=3),
        call("split", "e", 2, x=sized),
        call("clip", "f", x=sized, k=2),
        call("pad", "g", x=sized, mode="a", pads=((0, 1),), to=DType.INT4, flag=True),
        call("reshape", "h", x=sized, shape=(symbol("N"), symbol("M") + 1, -1)),
        call("reshape", "i", x=sized, shape=value("dims", TensorType(DType.INT64, (2,)))),
        call("concat", "j", xs=(sized, first.result), axis=-1),
        call("mxnet::ROIPooling", "k", 2, anything=(1, 2.5), x=sized),
    ]
    nodes.insert(0, Node("relu", {"x": sized}, [nodes[7].shape], "dims"))
    return model(*nodes, outputs=[nodes[-1].result, sized], inputs=[sized])


def test_a_well_formed_model_passes() -> None:
    verify(good(), OPS, typed=True)


def cycle() -> Model:
    a, b, c = (call("relu", name) for name in "abc")
    a.args["x"], b.args["x"], c.args["x"] = c.result, a.result, b.result
    return model(a, b, c)


def late() -> Model:
    b = call("relu", "b", x=IN)
    return model(call("relu", "a", x=b.result), b)


def cycle_through_a_body() -> Model:
    after = call("relu", "after")
    inner = call("relu", "inner", x=after.result)
    branch = call("if", "branch", condition=IN, then_branch=Graph([], [inner], []))
    after.args["x"] = branch.result
    return model(branch, after)


def out_of_a_body() -> Model:
    inner = call("relu", "inner", x=IN)
    return model(
        call("if", "if", condition=IN, then_branch=Graph([], [inner], [])),
        call("relu", "r", x=inner.result),
    )


def twice() -> Model:
    node = call("relu", "a", x=IN)
    again = Node("relu", {"x": IN}, node.results, "again")
    return model(node, again)


def endless() -> Model:
    graph = Graph()
    graph.nodes.append(call("if", "if", condition=constant(np.ones(3)), then_branch=graph))
    return Model(graph)


def mistyped_constant() -> Model:
    wrong = constant(np.ones(3, np.float32), "w")
    wrong.type = F32
    return model(call("relu", x=wrong))


def misfiled() -> Model:
    found = model()
    found.symbols["H"] = Symbol("W")
    return found


SIZES = value("sizes", TensorType(DType.FLOAT32, (2,)))
CASES = [
    (cycle(), r"node 'a' .*: x is %c0\[2, 3\], which depends on it: node 'a' \(relu\) -> "
              r"node 'b' \(relu\) -> node 'c' \(relu\) -> node 'a' \(relu\)"),
    (late(), r"node 'a' \(relu\): x is %b0.*, which is computed later, by node 'b' \(relu\)"),
    (cycle_through_a_body(), r"node 'inner' .*: x is %after0.*, which depends on it: "
                             r"node 'branch' .* -> node 'after' .* -> node 'branch'"),
    (out_of_a_body(), r"node 'r' .*: x is %inner0.*, which is defined in another body"),
    (twice(), r"node 'again' .*: %a0\[2, 3\] is defined twice"),
    (endless(), "node 'if' .*: bodies are nested over 24 deep"),
    (mistyped_constant(), r"x is %w.*, whose type says float32\[2, 3\], its data float32\[3\]"),
    (misfiled(), "the symbol 'W' is filed under 'H'"),
    (model(call("relu", x=value("v"))), r"'n' \(relu\): x is %v\[2, 3\], which nothing defines"),
    (model(outputs=[value("v")]), r"an output is %v\[2, 3\], which nothing defines"),
    (model(inputs=[IN, IN]), r"%in\[2, 3\] is defined twice"),
    (model(inputs=[value("v", None)]), r"the input %v\[\*\] has no type"),
    (model(inputs=[constant(np.ones(1))]), "the input .* is a constant or a node's result"),
    (model(inputs=[value("v", TensorType(DType.INT8, (-1,)))]), r"%v\[-1\] has the size -1"),
    (model(inputs=[value("v", TensorType(DType.INT8, (2**49,)))]), "has the size 562949953421312"),
    (model(inputs=[value("v", TensorType(DType.INT8, (1,) * 65))]), "has more than 64 axes"),
    (model(inputs=[value("v", TensorType("f", ()))]), r"%v\[\] has no element type"),
    (model(call("conv", x=IN)), r"node 'n' \(conv\): there is no such op"),
    (model(call("Mx::", x=IN)), r"node 'n' \(Mx::\): there is no such op"),
    (model(call("relu", x=IN, scope="layer.0")), "its scope 'layer.0' isn't among the model's"),
    (model(call("relu", x=IN, slope=1)), "argument slope is unknown"),
    (model(call("relu")), "argument x is missing"),
    (model(call("add", x=IN, y=None)), "argument y is missing"),
    (model(call("relu", "n", 2, x=IN)), "has 2 results, its op has 1"),
    (model(call("split", "n", 2, x=IN, count=3)), "has 2 results, its op has 3"),
    (model(call("relu", x=3)), r"argument x must be a value, not 3 \(int\)"),
    (model(call("relu", x=(IN,))), r"argument x must be a value, not \(%in.*\(tuple\)"),
    (model(call("concat", xs=IN, axis=0)), "argument xs must be a tuple of values, not %in"),
    (model(call("concat", xs=(IN, 1), axis=0)), "argument xs must be a tuple of values"),
    (model(call("concat", xs=(IN,), axis=True)), r"axis must be int, not True \(bool\)"),
    (model(call("concat", xs=(IN,), axis=1.0)), r"axis must be int, not 1.0 \(float\)"),
    (model(call("concat", xs=(IN,), axis=IN)), "axis must be a literal, not %in"),
    (model(call("concat", xs=(IN,), axis=[1])), r"axis must be a literal, not \[1\] \(list\)"),
    (model(call("reshape", x=IN, shape=(2, 3.0))), r"shape must be a value or a tuple of sizes"),
    (model(call("reshape", x=IN, shape=(True,))), r"shape must be a value or a tuple of sizes"),
    (model(call("reshape", x=IN, shape=SIZES), inputs=[IN, SIZES]), "must be a vector of integers"),
    (model(call("reshape", x=IN, shape=(symbol("K"),))), "shape is written with K, which no value"),
    (model(call("clip", x=IN, k="1")), "k must be float, not '1'"),
    (model(call("clip", x=IN, k=None)), "argument k cannot be None"),
    (model(call("pad", x=IN, pads=1)), r"pads must be tuple\[.*, not 1"),
    (model(call("pad", x=IN, to=np.float32)), "to must be a literal"),
    (model(call("pad", x=IN, flag=1)), r"flag must be bool, not 1 \(int\)"),
    (model(call("if", condition=IN, then_branch=IN)), "then_branch must be a body, not %in"),
    (model(call("relu", x=Graph())), "argument x must be a value, not a body"),
]  # fmt: skip


@pytest.mark.parametrize(("malformed", "message"), CASES)
def test_what_is_malformed_is_refused(malformed: Model, message: str) -> None:
    with pytest.raises(BadIR, match=message):
        verify(malformed, OPS)


def test_a_result_taken_from_another_node_is_refused() -> None:
    node = call("relu", "a", x=IN)
    Node("relu", {"x": IN}, node.results, "thief")
    with pytest.raises(BadIR, match=r"node 'a' .*: its result %a0.* is another's"):
        verify(model(node), OPS)


def test_foreign_ops_can_be_refused() -> None:
    with pytest.raises(BadIR, match=r"node 'k' \(mxnet::ROIPooling\): there is no such op"):
        verify(good(), OPS, allow_foreign=False)


def test_types_can_be_demanded() -> None:
    node = call("relu", "a", x=IN)
    node.result.type = None
    verify(model(node), OPS)
    with pytest.raises(BadIR, match=r"node 'a' .*: %a0\[\*\] has no type"):
        verify(model(node), OPS, typed=True)


def test_the_first_twenty_problems_are_listed() -> None:
    with pytest.raises(BadIR) as caught:
        verify(model(*(call("nix", f"n{i}", x=value("v")) for i in range(15))), OPS)
    lines = str(caught.value).splitlines()
    assert len(lines) == 22
    assert lines[0] == "the model is malformed:"
    assert lines[1] == "node 'n0' (nix): there is no such op"
    assert lines[-1] == "... and 10 more"


def test_complete_fills_defaults_in_declared_order() -> None:
    found = good()
    complete(found.graph, OPS)
    clip = next(node for node in found.graph.nodes if node.op == "clip")
    assert list(clip.args.items()) == [("x", found.graph.inputs[0]), ("low", None), ("k", 2)]
    verify(found, OPS, typed=True)
    with pytest.raises(BadIR, match=r"node 'n' \(relu\): an argument is unknown"):
        complete(model(call("relu", z=IN)).graph, OPS)


def test_five_thousand_nodes_take_a_moment() -> None:
    nodes = [call("add", "n", x=IN, y=IN)]
    for i in range(4999):
        nodes.append(call("add", f"n{i}", x=nodes[-1].result, y=IN))
    large = model(*nodes, outputs=nodes[-1].results)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        verify(large, OPS)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.2  # about 0.02 s; the margin is for busy machines
