"""Writes a model as functional Keras code, runs it, and writes the model that it makes."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from adapters.tensorflow.batches import find_carriers
from adapters.tensorflow.dialect import DTYPES
from adapters.tensorflow.fuse import drop_pooled_axes, fuse_activations
from adapters.tensorflow.idle import compute_idle
from adapters.tensorflow.names import input_names, op_names, rename_scopes
from adapters.tensorflow.padding import split_padding
from adapters.tensorflow.places import cast_places
from adapters.tensorflow.strides import split_strides
from adapters.tensorflow.table import STYLE, tensorflow
from adapters.tensorflow.views import batch_first
from ir_hub.codegen.functional import CONSTANTS, Functions, write_functional
from ir_hub.codegen.spelling import Expr, Layer, Spelling
from ir_hub.codegen.steps import UnboundSize
from ir_hub.ir.dims import Expr as Size
from ir_hub.ir.fix import fix_sizes
from ir_hub.ir.graph import Graph, Model, Node, Source, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Emitted, Progress
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.errors import Internal, Problem, UnsupportedNodes
from ir_hub.sdk.fixed_sizes import read_sizes
from ir_hub.sdk.python_code import format_code, headline

CODE_FILE, MODEL_FILE, CONSTANTS_FILE = "model.py", "model.keras", "constants.npz"
_NAMED = 10  # constants that a note names
WEIGHTS_FILE, SAVED_FOLDER = "model.weights.h5", "saved_model"

_LOAD = '''

def load(path="{file}"):
    """The model with the weights in a file."""
    model = {name}()
    model.load_weights(path)
    return model
'''


def save(
    model: Model, format_name: str, sizes_text: str, folder: Path, progress: Progress
) -> Emitted:
    """Writes model.py and, by running it, model.keras or a SavedModel; `sizes_text` fixes open
    sizes.

    Raises:
        BadRequest: the sizes aren't the model's.
        UnsupportedNodes: with each node that Keras can't say faithfully.
    """
    source_names = {value: value.name for value in model.graph.constants()}
    sizes = read_sizes(sizes_text, model)
    fix_sizes(model.graph, sizes)
    written = _written(model)
    weights_file = MODEL_FILE if format_name == "keras" else WEIGHTS_FILE
    code = format_code(model_code(written, model.source, weights_file))
    (folder / CODE_FILE).write_text(code, encoding="utf-8")
    files = [CODE_FILE]
    if written.constants:
        arrays = {name: value.array() for name, value in written.constants.items()}
        np.savez(folder / CONSTANTS_FILE, **arrays)
        files.append(CONSTANTS_FILE)
    progress("build", 0.3)
    built = build(code, written.function, folder)
    assign(built, written.weights)
    progress("write", 0.7)
    files += _save(built, format_name, folder)
    del built
    keras.utils.clear_session()
    gc.collect()
    named = {**written.weights, **written.constants}
    names = {source_names.get(value, value.name): name for name, value in named.items()}
    return Emitted(files, _notes(written), names, sizes)


def _save(built: Any, format_name: str, folder: Path) -> list[str]:
    if format_name == "keras":
        built.save(folder / MODEL_FILE)
        return [MODEL_FILE]
    built.save_weights(folder / WEIGHTS_FILE)
    built.export(folder / SAVED_FOLDER, verbose=False)
    made = sorted(path for path in (folder / SAVED_FOLDER).rglob("*") if path.is_file())
    return [WEIGHTS_FILE, *(str(path.relative_to(folder)) for path in made)]


def _written(model: Model) -> Functions:
    graph = model.graph
    graph.prune()
    compute_idle(graph)
    refuse_constant_outputs(graph)
    batch_first(graph)
    drop_pooled_axes(graph)
    find_carriers(graph)
    cast_places(graph)
    try:
        split_strides(graph)
        split_padding(graph)
    except Unsupported as error:
        raise UnsupportedNodes(tensorflow.name, [Problem("padding", str(error))]) from error
    spellings = spell(graph)
    fuse_activations(graph, spellings)
    ops = op_names(spellings.values())
    rename_scopes(model, ops)
    names = input_names([value.name for value in graph.inputs])
    inputs = [input_code(v, name) for v, name in zip(graph.inputs, names, strict=True)]
    style = replace(STYLE, reserved=STYLE.reserved | ops | set(names))
    try:
        return write_functional(model, spellings, style, inputs, "create_model")
    except UnboundSize as error:
        raise UnsupportedNodes(tensorflow.name, [Problem("sizes", str(error))]) from error


def input_code(value: Value, name: str) -> str:
    """The code that makes an input of the model; sizes that aren't known are None."""
    if value.shape is None:
        problem = Problem(value.name, "the rank of this input isn't known: say its type")
        raise UnsupportedNodes(tensorflow.name, [problem])
    sizes = tuple(size if isinstance(size, int) else None for size in value.shape)
    shape = f"{sizes[1:]!r}" if sizes and sizes[0] is None else f"batch_shape={sizes!r}"
    typed = "" if value.dtype is DType.FLOAT32 or value.dtype is None else value.dtype.value
    said = f', dtype="{typed}"' if typed else ""
    return f'keras.Input({shape}{said}, name="{name}")'


def spell(graph: Graph) -> dict[Node, Spelling]:
    """How each node is written.

    Raises:
        UnsupportedNodes: with each node that can't be, and why.
    """
    found: dict[Node, Spelling] = {}
    problems = []
    flowing = set(graph.inputs)
    for node in graph.nodes:
        try:
            _check_types([*(v for _, v in node.operands()), *node.results])
            found[node] = tensorflow.writer(node.op)(node)
            _check(found[node], flowing)
        except Unsupported as error:
            called = f"{node.name} ({', '.join(node.origins)})" if node.origins else node.name
            problems.append(Problem(called, f"{node.op}: {error}"))
        flowing.update(node.results)
    if problems:
        raise UnsupportedNodes(tensorflow.name, problems)
    return found


def _check(what: Spelling, flowing: set[Value]) -> None:
    """Refuses what would be computed while the model is built, and sizes that it can't say."""
    if not any(value in flowing for value in what.inputs):
        raise Unsupported("it depends on no input of the model")
    if isinstance(what, Layer) and any(value.is_constant for value in what.inputs):
        raise Unsupported("a layer is given a constant")
    if any(value.is_constant and 0 in (value.shape or ()) for value in what.inputs):
        raise Unsupported("a constant has no elements, and Keras' files lose its shape")
    literals = what.literals if isinstance(what, Expr) else what.kwargs
    if any(_has_symbol(item) for item in literals.values()):
        raise Unsupported(
            "functional Keras can't say a size that only the run knows: fix it by the option sizes"
        )


def _has_symbol(literal: Any) -> bool:
    if isinstance(literal, tuple):
        return any(map(_has_symbol, literal))
    return isinstance(literal, Size)


def _check_types(values: Iterable[Value]) -> None:
    for value in values:
        if value.dtype is not None and value.dtype.value not in DTYPES:
            raise Unsupported(f"Keras has no tensors of {value.dtype.value}")
        if value.dtype is DType.UINT64:
            raise Unsupported("Keras computes uint64 in uint32")
        if value.is_constant and value.dtype is DType.BFLOAT16:
            raise Unsupported("a constant is of bfloat16")


def refuse_constant_outputs(graph: Graph) -> None:
    """Keras returns only what depends on an input."""
    constants = [value.name for value in graph.outputs if value.is_constant]
    if constants or not graph.inputs:
        reason = "this output is a constant, and Keras returns only what depends on an input"
        raise UnsupportedNodes(
            tensorflow.name, [Problem(name, reason) for name in constants or ["model"]]
        )


def model_code(written: Functions, source: Source, weights_file: str) -> str:
    """The whole file: what it is, its imports, its functions, how it is loaded."""
    kept = bool(written.constants)
    from_keras = [n for n in ("layers", "ops") if re.search(rf"\b{n}\.", written.code)]
    head = [
        headline(written.function, source),
        "",
        *(["from pathlib import Path", ""] if kept else []),
        "import keras",
        *(["import numpy as np"] if kept else []),
        *([f"from keras import {', '.join(from_keras)}"] if from_keras else []),
        *(
            ["", f'{CONSTANTS} = np.load(Path(__file__).with_name("{CONSTANTS_FILE}"))']
            if kept
            else []
        ),
        "",
        "",
    ]
    return (
        "\n".join(head)
        + written.code
        + "\n"
        + _LOAD.format(name=written.function, file=weights_file)
    )


def build(code: str, function: str, folder: Path) -> Any:
    """The model that code makes.

    Raises:
        UnsupportedNodes: Keras refuses a layer or an op.
    """
    keras.utils.clear_session()
    namespace: dict[str, Any] = {"__name__": "model", "__file__": str(folder / CODE_FILE)}
    try:
        exec(compile(code, CODE_FILE, "exec"), namespace)
        return namespace[function]()
    except Exception as error:  # Keras raises anything
        reason = f"Keras can't build it: {type(error).__name__}: {error}"[:600]
        raise UnsupportedNodes(tensorflow.name, [Problem("model", reason)]) from error


def assign(model: Any, weights: Mapping[str, Value]) -> None:
    """Gives each layer its weights, which are named by the layers' paths."""
    left = dict(weights)
    for name, variable in variables(model):
        if name not in left:
            raise Internal(f"the code has a weight {name!r} that the model lacks")
        value = left.pop(name).array()
        if tuple(variable.shape) != value.shape:
            raise Internal(f"the weight {name!r} is {value.shape}, Keras' is {variable.shape}")
        variable.assign(value)
    if left:
        raise Internal(f"the code has no weights {sorted(left)[:5]}")


def variables(model: Any, prefix: str = "") -> Iterable[tuple[str, Any]]:
    """The weights of a model's layers, by the layers' paths in it."""
    for layer in model.layers:
        path = f"{prefix}{layer.name.removeprefix(prefix)}"
        if isinstance(layer, keras.Model):
            yield from variables(layer, f"{path}.")
            continue
        for variable in layer.weights:
            own = variable.path.split("/", 1)[1].replace("/", ".")
            yield f"{path}.{own}", variable


def _notes(written: Functions) -> list[str]:
    if not written.constants:
        return []
    names = ", ".join(sorted(written.constants)[:_NAMED])
    count = len(written.constants)
    return [f"{count} constants aren't weights of a layer, and aren't trained: {names}"]
