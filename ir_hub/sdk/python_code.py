"""What the files of Python code that adapters write have alike: their first line, what they bring
along, and their form."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Mapping

import ruff  # type: ignore[import-untyped]

from ir_hub.ir.graph import Source
from ir_hub.sdk.errors import Internal


def headline(name: str, source: Source) -> str:
    """The docstring of a file: which model it is, and where that came from."""
    origin = _plain(" ".join(filter(None, (source.framework, source.producer))))
    return f'"""{name}, converted{" from " + origin if origin else ""} by irhub."""'


def texts_called(code: str, texts: Mapping[str, str]) -> list[str]:
    """Of the texts of functions and classes, by their names: those of what code calls, and of what
    these call in turn."""
    found: set[str] = set()
    pending = [code]
    while pending:
        for name in re.findall(r"(?<![\w.])\w+(?=\()", pending.pop()):
            if name in texts and name not in found:
                found.add(name)
                pending.append(texts[name])
    return [text for name, text in texts.items() if name in found]


def format_code(text: str) -> str:
    """Code as ruff formats it.

    Raises:
        Internal: it isn't Python.
    """
    command = [ruff.find_ruff_bin(), "format", "--isolated", "--no-cache", "--line-length=100", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Internal(f"the code that was written isn't Python: {done.stderr.strip()[:500]}")
    ast.parse(done.stdout)
    return done.stdout


def _plain(text: str) -> str:
    """Text from a model file, fit for a docstring: nothing that could end it."""
    return re.sub(r"[^0-9A-Za-z_.,:+() -]+", " ", text)[:80].strip()
