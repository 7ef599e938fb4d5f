"""Reads `-symbol.json` files: MXNet's graphs as nodes, in today's form whatever wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ir_hub.sdk.errors import BadModel

VARIABLE = "null"
# Before MXNet 0.9 a file left out the statistics that these ops keep.
_STATISTICS = {"BatchNorm": (3, ("moving_mean", "moving_var")), "CuDNNBatchNorm": (3, ())}
# What computes a loss while training; at inference the second operand, the label, isn't read.
LOSSES = frozenset({
    "LinearRegressionOutput", "LogisticRegressionOutput", "MAERegressionOutput", "SVMOutput",
    "Softmax", "SoftmaxOutput",
})  # fmt: skip
_LONGEST = 64 << 20  # bytes of a graph
_MOST_RESULTS = 1 << 16  # of a node


@dataclass(frozen=True)
class SymbolNode:
    """A node: a variable, or a call of an op. Inputs are (node, which of its results)."""

    op: str
    name: str
    attrs: Mapping[str, str]
    inputs: tuple[tuple[int, int], ...]


@dataclass
class Symbol:
    """A graph: nodes in order of computation, results as (node, which of its results)."""

    nodes: list[SymbolNode]
    heads: list[tuple[int, int]]
    version: str

    def needed(self) -> set[int]:
        """The nodes that the results are computed from at inference; not labels, nor what only
        makes them."""
        found: set[int] = set()
        waiting = [index for index, _ in self.heads]
        while waiting:
            index = waiting.pop()
            if index not in found:
                found.add(index)
                node = self.nodes[index]
                read = node.inputs[:1] if node.op in LOSSES else node.inputs
                waiting += [source for source, _ in read]
        return found


def read_symbol(data: bytes | memoryview, name: str) -> Symbol:
    """A graph from a file.

    Raises:
        BadModel: it isn't one, or contradicts itself.
    """
    if len(data) > _LONGEST:
        raise BadModel(f"{name} has {len(data)} bytes, too many for a graph without weights")
    try:
        found = json.loads(bytes(data))
    except (ValueError, RecursionError) as error:
        raise BadModel(_not_a_symbol(bytes(data[:8]), name, str(error))) from error
    if not isinstance(found, dict) or not isinstance(found.get("nodes"), list):
        raise BadModel(f"{name} is JSON, but no MXNet symbol: it has no list of nodes")
    nodes = [_node(entry, index, name) for index, entry in enumerate(found["nodes"])]
    heads = [
        _entry(entry, len(nodes), f"{name}: a result") for entry in _list(found, "heads", name)
    ]
    if not heads:
        raise BadModel(f"{name} has no results")
    symbol = Symbol(nodes, heads, _version(found))
    _add_statistics(symbol)
    return symbol


def _not_a_symbol(head: bytes, name: str, reason: str) -> str:
    if head.startswith(b"version "):
        return f"{name} is a Git LFS pointer, not the model: fetch it with `git lfs pull`"
    if head[:1].isspace() or head[:1] == b"{":
        return f"{name} is cut off or broken: {reason}"
    if head[:4] == b"\x12\x01\x00\x00":
        return f"{name} is a .params file under another name: give its -symbol.json too"
    return f"{name} is not an MXNet symbol, which is a JSON file that names nodes and heads"


def _node(entry: Any, index: int, name: str) -> SymbolNode:
    where = f"{name}: node {index}"
    if not isinstance(entry, dict) or not all(
        isinstance(entry.get(key), str) for key in ("op", "name")
    ):
        raise BadModel(f"{where} has no op or no name")
    attrs: dict[str, str] = {}
    for key in ("param", "attr", "attrs"):  # as they were called over the years
        given = entry.get(key) or {}
        if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
            raise BadModel(f"{where} ({entry['name']}) has attributes that aren't texts")
        attrs.update(given)
    if "subgraphs" in entry:
        attrs["subgraphs"] = "given"
    inputs = _list(entry, "inputs", where)
    pairs = tuple(_entry(item, index, f"{where} ({entry['name']})") for item in inputs)
    return SymbolNode(entry["op"], entry["name"], attrs, pairs)


def _list(found: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = found.get(key)
    if not isinstance(value, list):
        raise BadModel(f"{where} has no list of {key}")
    return value


def _entry(item: Any, limit: int, where: str) -> tuple[int, int]:
    """[node, result] or [node, result, version]; nodes may only read what is before them."""
    numbers = isinstance(item, list) and len(item) in (2, 3)
    if not numbers or not all(isinstance(n, int) and n >= 0 for n in item):
        raise BadModel(f"{where} reads {item!r}, which is no result of a node")
    if item[1] >= _MOST_RESULTS:
        raise BadModel(f"{where} reads result {item[1]} of a node, which has no so many")
    if item[0] >= limit:
        raise BadModel(f"{where} reads node {item[0]}, which isn't before it")
    return item[0], item[1]


def _version(found: Mapping[str, Any]) -> str:
    """1.9.1 is written as ["int", 10901]."""
    said = (found.get("attrs") or {}).get("mxnet_version")
    number = said[1] if isinstance(said, list) and len(said) == 2 else None
    if not isinstance(number, int):
        return ""
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def _add_statistics(symbol: Symbol) -> None:
    for index, node in enumerate(symbol.nodes):
        count, parts = _STATISTICS.get(node.op, (-1, ()))
        if len(node.inputs) != count or not parts:
            continue
        first = len(symbol.nodes)
        symbol.nodes += [SymbolNode(VARIABLE, f"{node.name}_{part}", {}, ()) for part in parts]
        more = tuple((first + place, 0) for place in range(len(parts)))
        symbol.nodes[index] = SymbolNode(node.op, node.name, node.attrs, node.inputs + more)
