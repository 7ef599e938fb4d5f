"""The register of functions whose source text goes into generated code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar

from ir_hub.sdk.python_code import texts_called

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
    return texts_called(code, _SOURCES)
