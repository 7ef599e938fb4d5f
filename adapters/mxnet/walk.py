"""An opened MXNet model as a source graph: what the SDK reads by the op tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from adapters.mxnet.files import Loaded
from adapters.mxnet.input_types import said_type
from adapters.mxnet.read_elementwise import BINARY
from adapters.mxnet.scopes import (
    beside_layers,
    classes_of,
    is_layer,
    named_blocks,
    root_prefix,
    scope_of,
    with_unnamed,
)
from adapters.mxnet.symbol import VARIABLE, Symbol, SymbolNode
from ir_hub.ir.dims import Symbol as Size
from ir_hub.ir.graph import Source
from ir_hub.ir.types import TensorType
from ir_hub.sdk.errors import BadRequest
from ir_hub.sdk.source import SourceGraph, SourceNode

# What only gives a recurrent layer its first state; zeros of an unknown batch.
_BEGINS = ("_zeros", "zeros")
_OPEN_ROWS = r"[(\[]0, ?([0-9]+)[)\]]"
_STATES = (2, 3)  # the operands of RNN that are states
# What takes one row of zeros for as many as there are; and a layer, which gives one row again.
_SPREADS = frozenset(
    {"FullyConnected", "where", *(name for names in BINARY.values() for name in names)}
)


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
    by_name = {node.name: i for i, node in enumerate(symbol.nodes) if node.op == VARIABLE}
    calls = [node.name for node in symbol.nodes if node.op != VARIABLE]
    root = root_prefix(calls)
    outputs = _names(symbol)
    nodes = list(_nodes(loaded, outputs, root))
    layers = {node.scope for node in nodes if is_layer(node.name, node.inputs)}
    scopes = with_unnamed(nodes, beside_layers([node.scope for node in nodes], layers))
    return SourceGraph(
        inputs={
            name: inputs.get(name) or said_type(loaded, by_name[name], sizes)
            for name in loaded.inputs
        },
        constants=loaded.arrays,
        nodes=[replace(node, scope=scope) for node, scope in zip(nodes, scopes, strict=True)],
        outputs=[outputs[head] for head in symbol.heads],
        scopes=classes_of(scopes, root),
        symbols=sizes,
        source=Source("mxnet", "", symbol.version),
        notes=_notes(loaded),
    )


def _notes(loaded: Loaded) -> list[str]:
    notes = [f"{name} is left out: only a loss reads it" for name in loaded.labels]
    if loaded.extra:
        some = ", ".join(loaded.extra[:3]) + (", ..." if len(loaded.extra) > 3 else "")
        notes.append(
            f"{len(loaded.extra)} arrays are left out, the graph has no such names: {some}"
        )
    return notes


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
    begins, needed = _beginnings(nodes), loaded.symbol.needed()
    rows = _first_rows(nodes)
    blocks = named_blocks((node.name for node in nodes if node.op != VARIABLE), root)
    used: dict[int, int] = {}
    for index, place in names:
        used[index] = max(used.get(index, 0), place)
    for index, node in enumerate(nodes):
        if node.op == VARIABLE or index in begins or index not in needed:
            continue
        given = tuple(
            names[i, place] if i in needed and i not in begins else "" for i, place in node.inputs
        )
        read = [nodes[i].name for i, _ in node.inputs if nodes[i].op == VARIABLE]
        yield SourceNode(
            node.op,
            given,
            tuple(names.get((index, place), "") for place in range(used[index] + 1)),
            {**node.attrs, "shape": rows[index]} if index in rows else node.attrs,
            name=node.name,
            scope=scope_of(node.name, root, read, blocks),
        )


def _beginnings(nodes: list[SymbolNode]) -> set[int]:
    """The nodes that are zeros of an unknown batch, read by nothing but recurrent layers."""
    zeros = {i for i, node in enumerate(nodes) if node.op in _BEGINS}
    for node in nodes:
        for place, (index, _) in enumerate(node.inputs):
            if not (node.op == "RNN" and place in _STATES):
                zeros.discard(index)
    return zeros


def _first_rows(nodes: list[SymbolNode]) -> dict[int, str]:
    """The shapes of zeros that unrolled cells begin with, (0, n) in the file: of the batch there is
    one row, since what reads them takes it for every other."""
    found = {
        i: f"(1, {shape[1]})"
        for i, node in enumerate(nodes)
        if node.op in _BEGINS and (shape := re.fullmatch(_OPEN_ROWS, node.attrs.get("shape", "")))
    }
    for node in nodes:
        if node.op not in _SPREADS:
            for index, _ in node.inputs:
                found.pop(index, None)
    return found
