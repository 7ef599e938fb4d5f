"""Which module of the source each node belongs to, by the stack of modules that torch.export
notes."""

from __future__ import annotations

from collections.abc import Mapping

_NOWHERE = "_empty_nn_module_stack_from_metadata_hook"
_LONGEST = 100_000  # characters of metadata that are read


def scope_of(metadata: Mapping[str, str], scopes: dict[str, str]) -> str:
    """The dotted path of the innermost module that a node belongs to, "" when that isn't said.

    The modules around it are added to `scopes` with their classes. Each entry of the stack is
    "key,path,class"; keys tell repeated calls of a module apart, paths don't.
    """
    stack = metadata.get("nn_module_stack", "")
    if not isinstance(stack, str) or len(stack) > _LONGEST or stack.startswith(_NOWHERE):
        return ""
    path = ""
    for entry in stack.split(";"):
        parts = _parts(entry)
        if len(parts) != 3:
            break
        _, path, class_name = parts
        if not scopes.get(path):
            scopes[path] = class_name
    return path


def _parts(entry: str) -> list[str]:
    """The parts of an entry between those commas that are in no brackets."""
    parts, depth = [""], 0
    for sign in entry:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
