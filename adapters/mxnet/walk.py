"""An opened MXNet model as a source graph: what the SDK reads by the op tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from adapters.mxnet.attributes import dtype as dtype_of
from adapters.mxnet.attributes import integers
from adapters.mxnet.files import Loaded
from adapters.mxnet.params import DTYPES
from adapters.mxnet.scopes import beside_layers, classes_of, is_layer, root_prefix, scope_of
from adapters.mxnet.symbol import VARIABLE, Symbol, SymbolNode
from ir_hub.ir.dims import Dim
from ir_hub.ir.dims import Symbol as Size
from ir_hub.ir.dims import symbol as size_named
from ir_hub.ir.graph import Source
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.errors import BadRequest
from ir_hub.sdk.source import SourceGraph, SourceNode, symbol_name

# What only gives a recurrent layer its first state; zeros of an unknown batch.
_BEGINS = ("_zeros", "zeros")
_STATES = (2, 3)  # the operands of RNN that are states


def walk(loaded: Loaded, inputs: Mapping[str, TensorType]) -> SourceGraph:
    """The model's graph; `inputs` are types that override the file's own, which has few.

    Raises:
        BadRequest: `inputs` names no input of the model.
    """
    unknown = ", ".join(inputs.keys() - set(loaded.inputs) - set(loaded.labels))
    if unknown:
        has = ", ".join(loaded.inputs)
        raise BadRequest(f"the model has no input {unknown}; its inputs are {has}")
    symbol = loaded.symbol
    sizes: dict[str, Size] = {}
    by_name = {node.name: node for node in symbol.nodes if node.op == VARIABLE}
    calls = [node.name for node in symbol.nodes if node.op != VARIABLE]
    root = root_prefix(calls)
    outputs = _names(symbol)
    nodes = list(_nodes(loaded, outputs, root))
    layers = {node.scope for node in nodes if is_layer(node.name, node.inputs)}
    scopes = beside_layers([node.scope for node in nodes], layers)
    return SourceGraph(
        inputs={
            name: inputs.get(name) or _said_type(by_name[name], sizes) for name in loaded.inputs
        },
        constants=loaded.arrays,
        nodes=[replace(node, scope=scope) for node, scope in zip(nodes, scopes, strict=True)],
        outputs=[outputs[head] for head in symbol.heads],
        scopes=classes_of(scopes, root),
        symbols=sizes,
        source=Source("mxnet", "", symbol.version),
    )


def _names(symbol: Symbol) -> dict[tuple[int, int], str]:
    """What each result is called: a variable's as itself, a node's as MXNet lists outputs."""
    found: dict[tuple[int, int], str] = {}
    read = [entry for node in symbol.nodes for entry in node.inputs]
    taken = {node.name for node in symbol.nodes if node.op == VARIABLE}
    for index, place in [*read, *symbol.heads, *((i, 0) for i in range(len(symbol.nodes)))]:
        if (index, place) in found:
            continue
        node = symbol.nodes[index]
        if node.op == VARIABLE:
            found[index, place] = node.name
            continue
        name = f"{node.name}_output{place or ''}"
        while name in taken:
            name += "_"
        taken.add(name)
        found[index, place] = name
    return found


def _nodes(loaded: Loaded, names: Mapping[tuple[int, int], str], root: str) -> Iterator[SourceNode]:
    nodes = loaded.symbol.nodes
    begins = _beginnings(nodes)
    used: dict[int, int] = {}
    for index, place in names:
        used[index] = max(used.get(index, 0), place)
    for index, node in enumerate(nodes):
        if node.op == VARIABLE or index in begins:
            continue
        given = tuple(
            "" if i in begins or nodes[i].name in loaded.labels else names[i, place]
            for i, place in node.inputs
        )
        read = [nodes[i].name for i, _ in node.inputs if nodes[i].op == VARIABLE]
        yield SourceNode(
            node.op,
            given,
            tuple(names.get((index, place), "") for place in range(used[index] + 1)),
            node.attrs,
            name=node.name,
            scope=scope_of(node.name, root, read),
        )


def _beginnings(nodes: list[SymbolNode]) -> set[int]:
    """The nodes that are zeros of an unknown batch, read by nothing but recurrent layers."""
    zeros = {i for i, node in enumerate(nodes) if node.op in _BEGINS}
    for node in nodes:
        for place, (index, _) in enumerate(node.inputs):
            if not (node.op == "RNN" and place in _STATES):
                zeros.discard(index)
    return zeros


def _said_type(node: SymbolNode, sizes: dict[str, Size]) -> TensorType:
    """What a variable says of its own type: a size of 0 is open, no shape is any."""
    dtype, said = DType.FLOAT32, node.attrs.get("__dtype__", "")
    if said.isdigit() and int(said) < len(DTYPES):
        dtype = DTYPES[int(said)]
    elif said and not said.lstrip("-").isdigit():
        dtype = _or_float(said)
    shape = node.attrs.get("__shape__")
    try:
        given = integers(shape, "__shape__") if shape else ()
    except Unsupported:
        given = ()
    if not given:
        return TensorType(dtype)
    return TensorType(dtype, tuple(_size(s, node.name, i, sizes) for i, s in enumerate(given)))


def _or_float(text: str) -> DType:
    try:
        return dtype_of(text, "__dtype__")
    except Unsupported:
        return DType.FLOAT32


def _size(said: int | None, name: str, axis: int, sizes: dict[str, Size]) -> Dim:
    if said:
        return said
    called = symbol_name(f"{name}_{axis}", sizes)
    sizes[called] = Size(called, min=1)
    return size_named(called)
