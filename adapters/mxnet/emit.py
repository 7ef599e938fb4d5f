"""Writes a model as Gluon code, runs that very code, and saves what it exports."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mxnet as mx

from adapters.mxnet.functions import sources
from adapters.mxnet.gluon import STYLE, TYPES, OpenSize
from adapters.mxnet.idle import dissolve_idle
from adapters.mxnet.open_sizes import advised, show_sizes
from adapters.mxnet.recurrent_graph import simplify_recurrent
from adapters.mxnet.run import to_mxnet
from adapters.mxnet.table import mxnet
from adapters.mxnet.truth import as_numbers
from ir_hub.codegen.hybrid import write_hybrid
from ir_hub.codegen.names import identifier
from ir_hub.codegen.spelling import Spelling
from ir_hub.codegen.steps import UnboundSize
from ir_hub.codegen.write import Written
from ir_hub.ir.fix import fix_sizes
from ir_hub.ir.graph import Graph, Model, Node, Source, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Emitted, Progress
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.errors import Internal, Problem, UnsupportedNodes
from ir_hub.sdk.fixed_sizes import read_sizes
from ir_hub.sdk.python_code import format_code, headline

CODE_FILE, SYMBOL_FILE, WEIGHTS_FILE = "model.py", "model-symbol.json", "model-0000.params"

_LOAD = f'''

def load(path="{WEIGHTS_FILE}", ctx=None):
    """The model with the weights in a file; hybridized, it runs as a graph."""
    model = {{name}}(prefix="{{prefix}}_")
    model.collect_params().load(path, ctx=ctx or mx.cpu())
    model.hybridize()
    return model
'''


def save(model: Model, sizes_text: str, folder: Path, progress: Progress) -> Emitted:
    """Writes model.py, model-symbol.json and model-0000.params; `sizes_text` fixes open sizes.

    Raises:
        BadRequest: the sizes aren't the model's.
        UnsupportedNodes: with each node that MXNet can't say faithfully.
    """
    source_names = {value: value.name for value in model.graph.constants()}
    sizes = read_sizes(sizes_text, model)
    fix_sizes(model.graph, sizes)
    types = {value.name: (value.dtype, value.shape) for value in model.graph.inputs}
    _check_inputs(model.graph)
    _return_by_nodes(model.graph)
    simplify_recurrent(model.graph)
    dissolve_idle(model.graph)
    show_sizes(model.graph)
    spellings: dict[Node, Spelling] = {**as_numbers(model.graph)}
    spellings |= spell(model.graph, spellings)
    try:
        written = write_hybrid(model, spellings, STYLE)
    except UnboundSize as error:
        advice = advised(None, model.graph)
        raise UnsupportedNodes("mxnet", [Problem("sizes", f"{error}{advice}")]) from error
    prefix = identifier(written.class_name, "model")
    text = format_code(_model_code(written, model.source, prefix))
    (folder / CODE_FILE).write_text(text, encoding="utf-8")
    progress("weights", 0.0)
    net = _built(text, written.class_name, prefix)
    named = _fill(net, written.weights)
    progress("weights", 0.8)
    _export(net, types, folder)
    names = {source_names.get(v, v.name): named[key] for key, v in written.weights.items()}
    files = [CODE_FILE, SYMBOL_FILE, WEIGHTS_FILE]
    return Emitted(files, weight_names=names, fixed_sizes=sizes)


def spell(graph: Graph, known: Mapping[Node, Spelling] | None = None) -> dict[Node, Spelling]:
    """How each node is written.

    Raises:
        UnsupportedNodes: with each node that can't be, and why.
    """
    found: dict[Node, Spelling] = {}
    problems = []
    for node in graph.nodes:
        if known and node in known:
            continue
        try:
            _check_types(node)
            found[node] = mxnet.writer(node.op)(node)
        except Unsupported as error:
            called = f"{node.name} ({', '.join(node.origins)})" if node.origins else node.name
            advice = advised(node, graph) if isinstance(error, OpenSize) else ""
            problems.append(Problem(called, f"{node.op}: {error}{advice}"))
    if problems:
        raise UnsupportedNodes(mxnet.name, problems)
    return found


def _check_inputs(graph: Graph) -> None:
    """Refuses inputs that MXNet has no tensors for."""
    problems = []
    if not graph.inputs:
        problems.append(Problem("inputs", "MXNet has no blocks without inputs"))
    for value in graph.inputs:
        if value.dtype not in TYPES:
            problems.append(Problem(value.name, f"MXNet has no tensors of {value.dtype!r}"))
        if value.shape == () or 0 in (value.shape or ()):
            problems.append(Problem(value.name, "MXNet has no tensors without axes or elements"))
    if problems:
        raise UnsupportedNodes(mxnet.name, problems)


def _check_types(node: Node) -> None:
    """Refuses what MXNet has no tensors for."""
    for value in (*(v for _, v in node.operands()), *node.results):
        if value.dtype is not None and value.dtype not in TYPES:
            raise Unsupported(f"MXNet has no tensors of {value.dtype.value}")
        if 0 in (value.shape or ()):
            raise Unsupported("MXNet has no tensors without elements")
    if any(value.shape == () for value in node.results):
        raise Unsupported("MXNet has no tensors without axes")


def _return_by_nodes(graph: Graph) -> None:
    """Gives every output that is a constant or an input a node that returns it."""
    for index, value in enumerate(graph.outputs):
        if value.producer is None:
            result = Value(value.name, value.type)
            graph.nodes.append(Node("identity", {"x": value}, [result], value.name))
            graph.outputs[index] = result


def _model_code(written: Written, source: Source, prefix: str) -> str:
    """The whole file: what it is, its imports, its classes, how it is loaded."""
    code = "\n\n\n".join([*sources(written.code), written.code])
    used = [name for name in ("nn", "rnn") if re.search(rf"(?<![\w.]){name}\.", code)]
    head = [
        headline(written.class_name, source),
        "",
        "import mxnet as mx",
        f"from mxnet.gluon import {', '.join(['HybridBlock', *used])}",
        "",
        "",
    ]
    return "\n".join(head) + code + "\n" + _LOAD.format(name=written.class_name, prefix=prefix)


def _built(code: str, name: str, prefix: str) -> Any:
    """The model that code builds."""
    linecache.cache[CODE_FILE] = len(code), None, code.splitlines(keepends=True), CODE_FILE
    namespace: dict[str, Any] = {"__name__": "model"}
    exec(compile(code, CODE_FILE, "exec"), namespace)
    return namespace[name](prefix=f"{prefix}_")


def _parameters(block: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The parameters of a block and those inside it, by their dotted names in the code."""
    for name, parameter in block._reg_params.items():
        yield f"{path}{name}", parameter
    for name, child in block._children.items():
        yield from _parameters(child, f"{path}{name}.")


def _fill(net: Any, weights: Mapping[str, Value]) -> dict[str, str]:
    """Gives a model its weights, one after another; the names that its files call them by."""
    parameters = dict(_parameters(net, ""))
    named = {}
    for key, value in weights.items():
        parameter, array = parameters[key], to_mxnet(value.array())
        parameter.shape = array.shape
        parameter.dtype = array.dtype
        parameter.initialize(init="zeros", ctx=mx.cpu())
        parameter.set_data(array)
        named[key] = parameter.name
    missing = parameters.keys() - weights.keys()
    if missing:
        raise Internal(f"the code that was written has weights without values: {sorted(missing)}")
    return named


def _export(
    net: Any, types: Mapping[str, tuple[DType | None, tuple[Any, ...] | None]], folder: Path
) -> None:
    """Saves the graph that a model's code makes, and its weights; the file says its inputs'
    types, open sizes as 0.

    Raises:
        UnsupportedNodes: the graph has no place for some inputs.
    """
    variables = []
    for place, (name, (dtype, shape)) in enumerate(types.items()):
        assert dtype is not None
        sizes = (
            {} if shape is None else {"shape": tuple(s if isinstance(s, int) else 0 for s in shape)}
        )
        attr = {"__input__": str(place)}  # a symbol lists them in the order that they are read in
        variables.append(mx.sym.var(name, attr=attr, dtype=dtype.value, **sizes))
    found = net(*variables)
    outputs = list(found) if isinstance(found, tuple | list) else [found]
    symbol = mx.sym.Group(outputs) if len(outputs) > 1 else outputs[0]
    unread = [name for name in types if name not in symbol.list_inputs()]
    if unread:
        reason = "nothing computes with it, and MXNet has no such inputs"
        raise UnsupportedNodes(mxnet.name, [Problem(name, reason) for name in unread])
    symbol.save(str(folder / SYMBOL_FILE), remove_amp_cast=False)
    states = set(symbol.list_auxiliary_states())
    arrays = {
        f"{'aux' if parameter.name in states else 'arg'}:{parameter.name}": parameter._reduce()
        for parameter in net.collect_params().values()
    }
    mx.nd.save(str(folder / WEIGHTS_FILE), arrays)
