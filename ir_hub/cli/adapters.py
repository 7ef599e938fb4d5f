"""The adapters that this irhub comes with, known without starting or importing a framework."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import adapters
from ir_hub.hub import detect
from ir_hub.hub.bundle import SUFFIX
from ir_hub.hub.plan import IR
from ir_hub.sdk.adapter import Adapter


@cache
def known() -> dict[str, type[Adapter]]:
    """The adapters' classes, by framework."""
    found = {}
    for path in sorted(Path(adapters.__path__[0]).glob("*/adapter.py")):
        # Such a module imports no framework: the service's front, which has none, loads it too.
        defined = vars(importlib.import_module(f"adapters.{path.parent.name}.adapter")).values()
        for each in defined:
            if isinstance(each, type) and issubclass(each, Adapter) and each is not Adapter:
                found[each.framework] = each
    return found


def readers(path: Path) -> list[str]:
    """The adapters that read files with such a name, or that a folder has; "ir" among them."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    names = [file.name.lower() for file in files]
    suffixes = {
        framework: [suffix for format_ in adapter.reads for suffix in format_.suffixes]
        for framework, adapter in known().items()
    }
    suffixes[IR] = [SUFFIX]
    return [
        framework
        for framework, endings in suffixes.items()
        if any(name.endswith(ending.lower()) for name in names for ending in endings)
    ]


def advice(path: Path) -> str:
    """What to do with a file that nothing reads, and a blank; empty if nobody knows."""
    return detect.advice(path.name, (each for a in known().values() for each in a.unread))


def writers() -> Sequence[str]:
    """What can be converted to."""
    return [*sorted(f for f, adapter in known().items() if adapter.writes), IR]


def options_of(framework: str) -> set[tuple[str, str]]:
    """The options of an adapter: stage and name of each."""
    adapter = known().get(framework)
    return {(option.stage, option.name) for option in adapter.options} if adapter else set()


def readable() -> str:
    """What can be read, as a sentence."""
    said = [
        f"{framework} ({', '.join(s for f in adapter.reads for s in f.suffixes)})"
        for framework, adapter in sorted(known().items())
        if adapter.reads
    ]
    return ", ".join([*said, f"irhub itself ({SUFFIX})"])
