"""Writes a model as PyTorch code with its weights."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from adapters.pytorch.functions import sources
from adapters.pytorch.sequences import join_directions
from adapters.pytorch.spell import Bodies, return_by_nodes, spell
from adapters.pytorch.table import pytorch
from adapters.pytorch.weights import write_weights
from ir_hub.codegen.steps import UnboundSize
from ir_hub.codegen.write import Written, write
from ir_hub.ir.graph import Model, Source, Value
from ir_hub.sdk.adapter import Emitted, Progress
from ir_hub.sdk.errors import Problem, UnsupportedNodes
from ir_hub.sdk.python_code import format_code, headline

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
    return_by_nodes(model.graph)
    join_directions(model.graph)
    bodies = Bodies(model.scopes)
    spellings = spell(model.graph, bodies)
    try:
        written = write(model, spellings, bodies.style)
    except UnboundSize as error:
        raise UnsupportedNodes(pytorch.name, [Problem("sizes", str(error))]) from error
    text = format_code(model_code(written, model.source, bodies.texts))
    (folder / CODE_FILE).write_text(text, encoding="utf-8")
    metadata = {
        "inputs": json.dumps([value.name for value in model.graph.inputs]),
        "outputs": json.dumps(_names(model.graph.outputs)),
    }
    tensors = {name: value.data for name, value in written.weights.items() if value.data}
    write_weights(folder / WEIGHTS_FILE, tensors, metadata, progress)
    sources_of = {n: source_names.get(v, v.name) for n, v in written.weights.items()}
    names = {source: name for name, source in sources_of.items() if source}
    return Emitted([CODE_FILE, WEIGHTS_FILE], _notes(text), names)


def _notes(text: str) -> list[str]:
    """What a person should know of the code."""
    brought = re.findall(r"^def (_\w+)", text, re.MULTILINE)
    return [f"{CODE_FILE} defines what PyTorch lacks: {', '.join(brought)}"] if brought else []


def model_code(written: Written, source: Source, bodies: Sequence[str] = ()) -> str:
    """The whole file: what it is, its imports, its classes, those of bodies first, how it is
    loaded."""
    classes = "\n\n\n".join([*bodies, written.code])
    code = "\n\n\n".join([*sources(classes), classes])
    head = [
        headline(written.class_name, source),
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


def _names(outputs: Sequence[Value]) -> list[str]:
    return [value.name for value in outputs]
