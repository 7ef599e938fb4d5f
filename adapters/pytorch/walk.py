"""An opened exported program as a source graph: what the SDK reads by the op tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.pytorch.aliases import Aliases, is_view
from adapters.pytorch.exported import (
    TYPES,
    UNREADABLE,
    Decoder,
    Ref,
    is_size,
    names_of,
    outputs_of,
)
from adapters.pytorch.program import Program
from adapters.pytorch.scopes import scope_of
from ir_hub.ir.dims import Dim, Expr, solve
from ir_hub.ir.graph import Source
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import TensorType
from ir_hub.sdk.errors import BadModel, BadRequest
from ir_hub.sdk.source import SourceGraph, SourceNode

NUMBER = "irhub::number"  # computes a Python number in a way that isn't read; for shapes it may do
# They only check what was promised when the model was exported.
CHECKS = frozenset(
    ("aten._assert_tensor_metadata", "aten._assert_scalar", "aten._assert_async",
     "aten.sym_constrain_range_for_size", "aten.sym_constrain_range", "torch._check")
)  # fmt: skip


def walk(program: Program, inputs: Mapping[str, TensorType]) -> SourceGraph:
    """The program's graph; `inputs` are types that override the file's own.

    Raises:
        BadModel: the file contradicts itself.
        BadRequest: `inputs` aren't what the program was exported for.
    """
    try:
        return _Walker(program).graph(inputs)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadModel(f"the exported program makes no sense: {error!r}") from error


class _Walker:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.json = program.graph
        self.decoder = Decoder(self.json, program.json["range_constraints"])
        self.aliases = Aliases()
        self.used = _used(program)
        self.names: dict[str, str] = {}  # of parameters and buffers: as the module has them
        self.constants: dict[str, Tensor] = {}
        self.inputs: dict[str, TensorType | None] = {}
        self.refused: list[SourceNode] = []
        self.scopes: dict[str, str] = {}

    def graph(self, given: Mapping[str, TensorType]) -> SourceGraph:
        for spec in self.program.signature["input_specs"]:
            ((kind, what),) = spec.items()
            self.input(kind, what)
        self.fix(given)
        for spec in self.program.signature["output_specs"]:
            self.check_output(spec)
        nodes = list(self.nodes())
        outputs = []
        for name, called in outputs_of(self.program.signature):
            if self.aliases.stale(name):
                self.refuse(f"output {name}", self.changed(name))
            if name != called:
                read = (self.name(name),)
                nodes.append(SourceNode("aten.alias.default", read, (called,), {"self": Ref(0)}))
            outputs.append(self.name(called))
        return SourceGraph(
            inputs=self.inputs,
            constants=self.constants,
            nodes=[*self.refused, *nodes],
            outputs=outputs,
            scopes=self.scopes,
            symbols={n: s for n, s in self.decoder.symbols.items() if n not in self.decoder.fixed},
            source=Source("pytorch", self.producer(), "torch.export 8"),
        )

    def producer(self) -> str:
        return f"torch {self.program.json.get('torch_version', '')}".strip()

    def input(self, kind: str, what: Mapping[str, Any]) -> None:
        """What an input of the graph is: the user's, or a tensor of the module."""
        if kind == "user_input":
            self.user_input(what["arg"])
        elif kind in ("parameter", "buffer", "tensor_constant"):
            graph_name, module_name = what["arg"]["name"], what[f"{kind}_name"]
            name = self.fresh(module_name, graph_name)
            self.names[graph_name] = name
            self.constants[name] = self.program.tensor(module_name)
        elif kind != "constant_input":
            name = what.get("arg", {}).get("name", kind)
            self.refuse(name, f"an input that is a {kind.replace('_', ' ')}, not a tensor")

    def user_input(self, argument: Mapping[str, Any]) -> None:
        ((kind, what),) = argument.items()
        if kind == "as_tensor":
            type_ = self.inputs[what["name"]] = self.decoder.type(what["name"])
            if type_ is None or type_.shape is None:
                raise BadModel(f"the file doesn't say what the input {what['name']} is")
        elif kind == "as_sym_int":
            self.refuse(what.get("as_name", "a number"), "an input that is a number, not a tensor")

    def fresh(self, module_name: str, graph_name: str) -> str:
        """A weight's name in the module, unless a value of the graph is called so."""
        taken = module_name in self.json["tensor_values"] or module_name in self.constants
        return graph_name if taken else module_name

    def refuse(self, name: str, reason: str) -> None:
        node = SourceNode(UNREADABLE, (), (name,), {"reason": reason}, name=name)
        self.refused.append(node)

    def fix(self, given: Mapping[str, TensorType]) -> None:
        """Takes the sizes that the caller gives; they must be what the file leaves open."""
        for name, wanted in given.items():
            said = self.inputs.get(name)
            if said is None:
                has = ", ".join(self.inputs)
                raise BadRequest(f"the model has no input {name}; its inputs are {has}")
            fits = wanted.dtype is said.dtype and len(wanted.shape or ()) == len(said.shape or ())
            pairs = zip(said.shape or (), wanted.shape or (), strict=False)
            if wanted.shape is None or not fits or not all(self.fits(a, b) for a, b in pairs):
                raise BadRequest(f"the model was exported for {said} as {name}, not for {wanted}")
        if self.decoder.fixed:
            self.inputs = {name: self.decoder.type(name) for name in self.inputs}

    def fits(self, said: Dim, wanted: Dim) -> bool:
        """Whether a size may be `wanted`; a symbol of the file is fixed to it."""
        if said == wanted or isinstance(wanted, Expr):
            return said == wanted
        solved = solve(said, wanted)
        if solved is None:
            return False
        name, size = solved
        limits = self.decoder.symbols[name]
        if not limits.min <= size <= (size if limits.max is None else limits.max):
            return False
        return self.decoder.fixed.setdefault(name, size) == size

    def check_output(self, spec: Mapping[str, Any]) -> None:
        """Refuses what the program gives that is no tensor of the user's."""
        ((kind, what),) = spec.items()
        if kind != "user_output":
            given = what.get("buffer_name") or what.get("parameter_name") or kind
            self.refuse(f"output {given}", f"an output that is a {kind.replace('_', ' ')}")
        elif not what["arg"].keys() & {"as_tensor", "as_none"}:
            self.refuse(f"output {what['arg']}"[:100], "an output that is no tensor")

    def name(self, graph_name: str) -> str:
        """What a value is called in the source graph, after changes made in place."""
        now = self.aliases.current(graph_name)
        return self.names.get(now, now)

    def nodes(self) -> Iterator[SourceNode]:
        for node in self.json["nodes"]:
            target = node["target"].removeprefix("torch.ops.")
            if target.rpartition(".")[0] in CHECKS or target in CHECKS:
                continue
            yield from self.node(node, target)

    def node(self, node: Mapping[str, Any], target: str) -> Iterator[SourceNode]:
        inputs: list[str] = []
        attrs = {
            item["name"]: self.decoder.argument(item["arg"], inputs) for item in node["inputs"]
        }
        results = names_of(node["outputs"])
        attrs[TYPES] = tuple(self.decoder.type(name) for name in results)
        name, scope = node.get("name") or "", scope_of(node.get("metadata", {}), self.scopes)
        reason = next((self.changed(name) for name in inputs if self.aliases.stale(name)), "")
        target, in_place = functional(target)
        numbers = results and all(is_size(name, self.json) for name in results)
        if numbers and not target.startswith("aten."):
            attrs["op"], target = target, NUMBER
        read = tuple(map(self.name, inputs))
        used = tuple(name if name in self.used else "" for name in results)
        made = SourceNode(target, read, used, attrs, name=name, scope=scope)
        parts: list[SourceNode] = []
        if inputs and is_view(target, in_place=in_place):
            self.aliases.view(inputs[0], results, made)
            if in_place and target != "aten.detach.default":
                reason = reason or f"it changes the shape of {inputs[0]} in place"
        elif in_place and inputs and results:
            made = replace(made, outputs=results)
            reason = reason or self.lasting(inputs[0])
            parts = self.aliases.change(inputs[0], results[0], name or target)
        if reason:
            made = SourceNode(UNREADABLE, read, results, {"reason": reason}, name=name)
        yield made
        yield from parts

    def lasting(self, changed: str) -> str:
        """Why a value can't be changed in place, or ""."""
        weights = [self.names[name] for name in self.aliases.of(changed) if name in self.names]
        if not weights:
            return ""
        return f"it changes {', '.join(weights)}, which the next call would see"

    def changed(self, name: str) -> str:
        node = self.aliases.stale(name)
        return f"it reads {name}, of which {node} changed elements through another view"


def _used(program: Program) -> set[str]:
    """The names of the values that a node reads or the program gives."""
    decoder = Decoder(program.graph, {})
    found: list[str] = [name for name, _ in outputs_of(program.signature)]
    for node in program.graph["nodes"]:
        for item in node["inputs"]:
            decoder.argument(item["arg"], found)
    return set(found)


def functional(target: str) -> tuple[str, bool]:
    """The op that computes what an op does in place, and whether it does."""
    space, _, rest = target.partition(".")
    op, _, overload = rest.partition(".")
    if space != "aten" or not op.endswith("_") or op.startswith("__"):
        return target, False
    return f"aten.{op[:-1]}.{overload}", True
