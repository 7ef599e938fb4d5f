"""Which module of the source each node belongs to: from exporters' metadata, or from node names."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

_NAMES = "pkg.torch.onnx.name_scopes"
_CLASSES = "pkg.torch.onnx.class_hierarchy"
_NOWHERE = "_empty_nn_module_stack_from_metadata_hook"  # torch's for what no module asked for
_LONGEST = 20_000  # characters of metadata that are read


def scope_of(name: str, metadata: Mapping[str, str], scopes: dict[str, str]) -> str:
    """The dotted path of the innermost module that a node belongs to, "" when that isn't said.

    The modules on the way are added to `scopes`, with their classes where those are said.
    """
    path = _from_torch(metadata, scopes) if _NAMES in metadata else _from_path(name)
    parts = path.split(".") if path else []
    for end in range(1, len(parts) + 1):
        scopes.setdefault(".".join(parts[:end]), "")
    return path


def _from_torch(metadata: Mapping[str, str], scopes: dict[str, str]) -> str:
    """torch.onnx says the modules from the outermost on, and at the end the op itself."""
    paths = _texts(metadata[_NAMES])[:-1]
    if _NOWHERE in paths:
        return ""
    classes = _texts(metadata.get(_CLASSES, ""))
    for path, class_name in zip(paths, classes, strict=False):
        scopes[path] = scopes.get(path) or class_name
    return paths[-1] if paths else ""


def _from_path(name: str) -> str:
    """`/layer1/layer1.0/conv1/Conv` is of the module layer1.0.conv1."""
    parts: list[str] = []
    for part in [part for part in name.split("/") if part][:-1] if "/" in name else []:
        if parts and part.startswith(parts[-1] + "."):
            parts.pop()  # torch repeats the list's name before that of its item
        parts.append(part)
    return ".".join(part for part in parts if part.strip("."))


def _texts(text: str) -> list[str]:
    """A list of texts as Python writes it; empty when it is anything else."""
    if not text or len(text) > _LONGEST:
        return []
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return found if isinstance(found, list) and all(isinstance(t, str) for t in found) else []


def metadata_for(scope: str, op: str, scopes: Mapping[str, str]) -> dict[str, str]:
    """What torch.onnx would write for a node of that module, which `scope_of` reads again."""
    names = scope.split(".") if scope else []
    paths = ["", *(".".join(names[: i + 1]) for i in range(len(names)))]
    return {
        _NAMES: repr([*paths, op]),
        _CLASSES: repr([*(scopes.get(path, "") for path in paths), op]),
    }


def metadata_of(entries: Iterable[object]) -> dict[str, str]:
    """Metadata entries as a dictionary."""
    return {entry.key: entry.value for entry in entries}  # type: ignore[attr-defined]
