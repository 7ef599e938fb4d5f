"""Writes a model as PyTorch code with its weights."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import ruff

from adapters.pytorch.functions import sources
from adapters.pytorch.table import STYLE, pytorch
from adapters.pytorch.unsigned import computed
from adapters.pytorch.weights import CODES, write_weights
from ir_hub.codegen.spelling import Spelling
from ir_hub.codegen.steps import UnboundSize
from ir_hub.codegen.write import Written, write
from ir_hub.ir.graph import Graph, Model, Node, Source, Value
from ir_hub.sdk.adapter import Emitted, Progress
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.errors import Internal, Problem, UnsupportedNodes

CODE_FILE, WEIGHTS_FILE = "model.py", "model.safetensors"

_LOAD = f'''

def load(path="{WEIGHTS_FILE}", device="cpu"):
    """The model with the weights in a file, ready for inference."""
    with torch.device("meta"):
        model = {{name}}()
    model.load_state_dict(load_file(path, device=device), assign=True)
    return model.eval()
'''


def save(model: Model, folder: Path, progress: Progress) -> Emitted:
    """Writes model.py and model.safetensors.

    Raises:
        UnsupportedNodes: with each node that PyTorch can't say faithfully.
    """
    source_names = {value: value.name for value in model.graph.constants()}
    _return_by_nodes(model.graph)
    spellings = spell(model.graph)
    try:
        written = write(model, spellings, STYLE)
    except UnboundSize as error:
        raise UnsupportedNodes("pytorch", [Problem("sizes", str(error))]) from error
    text = format_code(model_code(written, model.source))
    (folder / CODE_FILE).write_text(text, encoding="utf-8")
    metadata = {
        "inputs": json.dumps([value.name for value in model.graph.inputs]),
        "outputs": json.dumps(_names(model.graph.outputs)),
    }
    tensors = {name: value.data for name, value in written.weights.items() if value.data}
    write_weights(folder / WEIGHTS_FILE, tensors, metadata, progress)
    names = {source_names.get(value, value.name): name for name, value in written.weights.items()}
    return Emitted([CODE_FILE, WEIGHTS_FILE], weight_names=names)


def spell(graph: Graph) -> dict[Node, Spelling]:
    """How each node is written.

    Raises:
        UnsupportedNodes: with each node that can't be, and why.
    """
    found: dict[Node, Spelling] = {}
    problems = []
    for node in graph.nodes:
        try:
            _check_types(node)
            found[node] = computed(node, pytorch.writer(node.op)(node))
        except Unsupported as error:
            called = f"{node.name} ({', '.join(node.origins)})" if node.origins else node.name
            problems.append(Problem(called, f"{node.op}: {error}"))
    if problems:
        raise UnsupportedNodes(pytorch.name, problems)
    return found


def model_code(written: Written, source: Source) -> str:
    """The whole file: what it is, its imports, its classes, how it is loaded."""
    called = sources(written.code)
    code = "\n\n\n".join([*called, written.code])
    origin = _plain(" ".join(filter(None, (source.framework, source.producer))))
    head = [
        f'"""{written.class_name}, converted{" from " + origin if origin else ""} by irhub."""',
        "",
        *_standard_imports(code),
        "import torch",
        "from safetensors.torch import load_file",
        f"from torch import {'Tensor, ' if re.search(r'Tensor', code) else ''}nn",
        *(["from torch.nn import functional as F"] if re.search(r"\bF\.", code) else []),
        "",
        "",
    ]
    return "\n".join(head) + code + "\n" + _LOAD.format(name=written.class_name)


def _standard_imports(code: str) -> list[str]:
    lines = {
        r"\bmath\.": "import math",
        r"\bOrderedDict\(": "from collections import OrderedDict",
        r"\bCallable\[": "from collections.abc import Callable",
        r"\bFraction\(": "from fractions import Fraction",
    }
    found = [line for pattern, line in lines.items() if re.search(pattern, code)]
    return [*found, ""] if found else []


def format_code(text: str) -> str:
    """Code as ruff formats it."""
    command = [ruff.find_ruff_bin(), "format", "--isolated", "--no-cache", "--line-length=100", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Internal(f"the code that was written isn't Python: {done.stderr.strip()[:500]}")
    ast.parse(done.stdout)
    return done.stdout


def _plain(text: str) -> str:
    """Text from a model file, fit for a docstring: nothing that could end it."""
    return re.sub(r"[^0-9A-Za-z_.,:+() -]+", " ", text)[:80].strip()


def _return_by_nodes(graph: Graph) -> None:
    """Gives every constant among the outputs a node that returns it, for code to be written of."""
    for index, value in enumerate(graph.outputs):
        if value.is_constant:
            result = Value(value.name, value.type)
            graph.nodes.append(Node("identity", {"x": value}, [result], value.name))
            graph.outputs[index] = result


def _names(outputs: Sequence[Value]) -> list[str]:
    return [value.name for value in outputs]


def _check_types(node: Node) -> None:
    """Refuses what PyTorch has no elements for."""
    for value in (*(v for _, v in node.operands()), *node.results):
        if value.is_constant and node.op == "dequantize_linear":
            continue  # it is written in a wider type
        if value.dtype is not None and value.dtype not in CODES:
            raise Unsupported(f"PyTorch has no tensors of {value.dtype.value}")
