"""Writes a model as PyTorch code with its weights."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import ruff  # type: ignore[import-untyped]

from adapters.pytorch.functions import sources
from adapters.pytorch.sequences import join_directions
from adapters.pytorch.spell import Bodies, return_by_nodes, spell
from adapters.pytorch.table import pytorch
from adapters.pytorch.weights import write_weights
from ir_hub.codegen.steps import UnboundSize
from ir_hub.codegen.write import Written, write
from ir_hub.ir.graph import Model, Source, Value
from ir_hub.sdk.adapter import Emitted, Progress
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


def _names(outputs: Sequence[Value]) -> list[str]:
    return [value.name for value in outputs]
