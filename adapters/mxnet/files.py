"""Opens a model's files: the graph, and the arrays that its variables are bound to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.mxnet.params import LIST, read_params
from adapters.mxnet.symbol import VARIABLE, Symbol, read_symbol
from ir_hub.ir.tensor import BlobTensor
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel, Problem


@dataclass
class Loaded:
    """A graph with its arrays. `inputs` are the variables that no array is bound to, `labels` those
    of them that only a loss would read; `extra` are the arrays that no variable is bound to."""

    symbol: Symbol
    arrays: dict[str, BlobTensor]
    inputs: list[str]
    labels: list[str]
    extra: list[str]


def load(files: Files) -> Loaded:
    """The model: the first file is its graph, its arrays, or the code that the graph was written
    with; the others are what the first one isn't.

    Raises:
        BadModel: the files aren't a whole model, or don't belong together.
    """
    graph = graph_of(files)
    symbol = read_symbol(files.open_blob(graph.blob), graph.name)
    rest = [file for file in files.files if file is not graph]
    others = [file for file in rest if file.name.endswith(".params") or _is_list(file, files)]
    if len(others) > 1:
        names = ", ".join(file.name for file in others)
        raise BadModel(f"several files with arrays were given ({names}): give one")
    arrays = read_params(others[0], files) if others else {}
    variables = {i: node for i, node in enumerate(symbol.nodes) if node.op == VARIABLE}
    names = [node.name for node in variables.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadModel(f"{graph.name} has several variables named {twice[0]!r}")
    needed = symbol.needed()
    unbound = {i: node.name for i, node in variables.items() if node.name not in arrays}
    labels = [name for i, name in unbound.items() if i not in needed]
    free = [name for i, name in unbound.items() if i in needed]
    _check(symbol, arrays, free, graph, others)
    extra = sorted(arrays.keys() - set(names))
    arrays = {name: tensor for name, tensor in arrays.items() if name not in set(extra)}
    order = {node.name: _place(node.attrs.get("__input__", "")) for node in variables.values()}
    return Loaded(symbol, arrays, sorted(free, key=lambda name: order[name]), labels, extra)


def _place(text: str) -> int:
    """An input's place among the inputs, where the file says it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def graph_of(files: Files) -> SourceFile:
    """The file that is the graph.

    Raises:
        BadModel: there are arrays alone.
    """
    main = files.main
    graphs = [file for file in files.files if file.name.endswith(".json")]
    if main.name.endswith(".json") or not (main.name.endswith(".py") or _is_list(main, files)):
        return main
    if not graphs:
        stem = re.sub(r"(-\d+)?\.params$", "", main.name)
        raise BadModel(
            f"{main.name} has the weights alone: give the graph too, a file such as "
            f"{stem}-symbol.json"
        )
    return graphs[0]


def _is_list(file: SourceFile, files: Files) -> bool:
    return bytes(files.open_blob(file.blob).cast("B")[:8]) == LIST.to_bytes(8, "little")


def _check(
    symbol: Symbol,
    arrays: dict[str, BlobTensor],
    free: list[str],
    graph: SourceFile,
    others: list[SourceFile],
) -> None:
    """Refuses weights without an array."""
    weights = {node.inputs[place][0] for node in symbol.nodes for place in _weight_places(node.op)
               if place < len(node.inputs)}  # fmt: skip
    by_index = {i: n.name for i, n in enumerate(symbol.nodes) if n.op == VARIABLE}
    # Our own files say which variables are inputs: these may be an op's weights, too.
    inputs = {n.name for n in symbol.nodes if "__input__" in n.attrs}
    missing = [by_index[i] for i in sorted(weights) if by_index.get(i) in set(free) - inputs]
    if missing:
        said = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")
        stem = graph.name.removesuffix(".json").removesuffix("-symbol")
        where = (
            f"{others[0].name} has none"
            if others
            else (f"no .params file was given: give it too, a file such as {stem}-0000.params")
        )
        raise BadModel(
            f"{len(missing)} weights of {graph.name} have no array: {said}; {where}",
            [Problem(name, "it has no array") for name in missing],
        )


def _weight_places(op: str) -> tuple[int, ...]:
    """Which operands of an op are always weights."""
    return _WEIGHTS.get(op, ())


_WEIGHTS = {
    **dict.fromkeys(("Convolution", "Deconvolution", "FullyConnected"), (1, 2)),
    **dict.fromkeys(("BatchNorm", "CuDNNBatchNorm"), (1, 2, 3, 4)),
    **dict.fromkeys(("LayerNorm", "InstanceNorm", "GroupNorm"), (1, 2)),
    "Embedding": (1,),
    "RNN": (1,),
}
