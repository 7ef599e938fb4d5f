"""The register of functions whose source text goes into generated code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])

_SOURCES: dict[str, str] = {}


def pasted(function: Function) -> Function:
    """Registers a function. It may use torch, Tensor, nn, F, math and other such functions; its
    name starts with an underscore, as no name that comes from a model does."""
    text = inspect.getsource(function)
    _SOURCES[function.__name__] = text[text.index("def ") :].rstrip()
    return function


def sources(code: str) -> list[str]:
    """The texts of the functions that code calls, and of those that these call in turn."""
    found: dict[str, str] = {}
    pending = [code]
    while pending:
        for name in re.findall(r"(?<![\w.])_\w+(?=\()", pending.pop()):
            if name in _SOURCES and name not in found:
                found[name] = _SOURCES[name]
                pending.append(found[name])
    return [text for name, text in _SOURCES.items() if name in found]
