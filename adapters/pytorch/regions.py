"""Puts the nodes of regions in their places: the parts of an exported program that switch gradients
or autocast are graphs of their own in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.pytorch.exported import UNREADABLE, VALUES, names_of
from ir_hub.codegen.names import unique
from ir_hub.sdk.errors import BadModel

_AUTOCAST = "torch.ops.higher_order.wrap_with_autocast"
_GRADIENTS = "torch.ops.higher_order.wrap_with_set_grad_enabled"
# Which argument of a region is its graph; those after it are given to the graph.
_GRAPH = {_AUTOCAST: 4, _GRADIENTS: 1}
_ENABLED = 2
_NAMED = ("name", "as_name")  # the keys of an argument that have the name of a value
_CASTS = (
    "it computes under torch.autocast, whose casts aren't in the file: export the model without "
    "autocast, or save program.run_decompositions({}), which has them as nodes"
)


def inlined(graph: Mapping[str, Any]) -> Mapping[str, Any]:
    """The graph without regions. With gradients on or off, and with autocast off, nodes compute
    what they say; a region with autocast on becomes a node that can't be read.

    Raises:
        BadModel: a region has no graph, or one that it doesn't fit.
    """
    try:
        if not any(node["target"] in _GRAPH for node in graph["nodes"]):
            return graph
        flat = _Flat(graph)
        for node in graph["nodes"]:
            flat.add(node)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
        raise BadModel(f"the exported program makes no sense: {error!r}") from error
    return {**graph, **flat.values, "nodes": flat.nodes}


class _Flat:
    """The nodes so far and what is known of values; those of regions have names that are new."""

    def __init__(self, graph: Mapping[str, Any]) -> None:
        self.nodes: list[Mapping[str, Any]] = []
        self.values = {table: dict(graph.get(table, {})) for table in VALUES}
        self.taken = {name for table in self.values.values() for name in table}
        self.taken.update(name for node in graph["nodes"] for name in names_of(node["outputs"]))

    def add(self, node: Mapping[str, Any]) -> None:
        """Adds a node; in the place of a region, its nodes."""
        at = _GRAPH.get(node["target"])
        if at is None:
            self.nodes.append(node)
            return
        arguments = [item["arg"] for item in node["inputs"]]
        if node["target"] == _AUTOCAST and arguments[_ENABLED] != {"as_bool": False}:
            reason = {"name": "reason", "arg": {"as_string": _CASTS}, "kind": 2}
            self.nodes.append({**node, "target": UNREADABLE, "inputs": [reason]})
            return
        name, (body, *given) = node.get("name", ""), arguments[at:] or [{}]
        if "as_graph" not in body:
            raise BadModel(f"the region {name} of the program has no graph")
        graph = body["as_graph"]["graph"]
        read = _paired(graph["inputs"], given, f"inputs of the region {name}")
        results = _paired(graph["outputs"], node["outputs"], f"outputs of the region {name}")
        self.region(graph, read, results)

    def region(
        self, graph: Mapping[str, Any], read: list[tuple[str, str]], results: list[tuple[str, str]]
    ) -> None:
        """Adds a graph's nodes; what it reads and gives has names inside of it and outside."""
        names = {inside: outside for inside, outside in read if outside}
        named = dict(results)
        for node in graph["nodes"]:
            inputs = [{**item, "arg": _renamed(item["arg"], names)} for item in node["inputs"]]
            for name in filter(None, names_of(node["outputs"])):
                names[name] = named.get(name) or self.fresh(name)
            outputs = _renamed(node["outputs"], names)
            called = node.get("name", "")
            called = names.get(called, called)
            self.add({**node, "name": called, "inputs": inputs, "outputs": outputs})
        for table, values in self.values.items():
            for name in names.keys() & graph.get(table, {}).keys():
                values.setdefault(names[name], graph[table][name])
        for name, result in results:
            if name and _outside(name, names) != result:
                self.nodes.append(_alias(names[name], result))

    def fresh(self, name: str) -> str:
        """The name, or another one where the graph has that already."""
        new = unique(name, self.taken)
        self.taken.add(new)
        return new


def _paired(inside: Sequence[Any], outside: Sequence[Any], what: str) -> list[tuple[str, str]]:
    """The names of the same values inside and outside of a region."""
    ours, theirs = names_of(inside), names_of(outside)
    if len(ours) != len(theirs):
        raise BadModel(f"the program has {len(theirs)} {what}, whose graph has {len(ours)}")
    return list(zip(ours, theirs, strict=True))


def _renamed(argument: Any, names: Mapping[str, str]) -> Any:
    """An argument, or a list of them, with other names for the values."""
    if isinstance(argument, list):
        return [_renamed(each, names) for each in argument]
    if not isinstance(argument, dict) or "as_graph" in argument:  # a graph's names are its own
        return argument
    return {
        key: _outside(item, names) if key in _NAMED else _renamed(item, names)
        for key, item in argument.items()
    }


def _outside(name: str, names: Mapping[str, str]) -> str:
    if name not in names:
        raise BadModel(f"a region of the program needs {name}, which nothing in it computes")
    return names[name]


def _alias(name: str, result: str) -> Mapping[str, Any]:
    """A node that gives a tensor another name."""
    return {
        "target": "torch.ops.aten.alias.default",
        "inputs": [{"name": "self", "arg": {"as_tensor": {"name": name}}, "kind": 1}],
        "outputs": [{"as_tensor": {"name": result}}],
        "name": result,
    }
