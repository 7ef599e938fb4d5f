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
    """A graph with its arrays; variables that are neither bound nor labels are the inputs."""

    symbol: Symbol
    arrays: dict[str, BlobTensor]
    inputs: list[str]
    labels: list[str]


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
    labels = _labels(symbol, arrays)
    free = [name for name in names if name not in arrays and name not in labels]
    _check(symbol, arrays, free, graph, others)
    order = {node.name: _place(node.attrs.get("__input__", "")) for node in variables.values()}
    return Loaded(symbol, arrays, sorted(free, key=lambda name: order[name]), labels)


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


def _labels(symbol: Symbol, arrays: dict[str, BlobTensor]) -> list[str]:
    """Variables that only the second operand of a loss is."""
    read: dict[int, list[bool]] = {}
    for node in symbol.nodes:
        for place, (index, _) in enumerate(node.inputs):
            is_label = place == 1 and node.op in LOSSES
            read.setdefault(index, []).append(is_label)
    return [
        node.name
        for index, node in enumerate(symbol.nodes)
        if node.op == VARIABLE and node.name not in arrays and all(read.get(index, [False]))
    ]


LOSSES = frozenset({
    "LinearRegressionOutput", "LogisticRegressionOutput", "MAERegressionOutput", "SVMOutput",
    "Softmax", "SoftmaxOutput",
})  # fmt: skip


def _check(
    symbol: Symbol,
    arrays: dict[str, BlobTensor],
    free: list[str],
    graph: SourceFile,
    others: list[SourceFile],
) -> None:
    """Refuses weights without an array, and arrays that are no weights."""
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
    extra = sorted(arrays.keys() - set(by_index.values()))
    if extra:
        said = ", ".join(extra[:10]) + (", ..." if len(extra) > 10 else "")
        raise BadModel(
            f"{others[0].name} has {len(extra)} arrays that {graph.name} has no variables for: "
            f"{said}; the two files are of different models",
            [Problem(name, "no variable has this name") for name in extra],
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
