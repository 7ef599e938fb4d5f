"""Tells a source's framework from its files: by the content where it says so, else by the name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from ir_hub.hub.bundle import SUFFIX, is_bundle
from ir_hub.hub.plan import IR
from ir_hub.sdk.adapter import Format
from ir_hub.sdk.errors import AdapterError, Problem
from irhub.adapter.v1 import adapter_pb2


class NoAdapter(AdapterError):
    """Nothing reads the source, or writes the target; metadata lists what is there."""

    reason = "NO_ADAPTER"


def detect(
    names: Sequence[str], head: bytes, adapters: Mapping[str, adapter_pb2.DescribeResponse]
) -> str:
    """The framework of a model.

    Args:
        names: its files' names, the model itself first; those of a folder in any order.
        head: how the first file begins.
        adapters: what those adapters that answer can do, by framework.

    Raises:
        NoAdapter: no adapter reads such files, or several do.
    """
    if is_bundle(head):
        return IR
    read = {name: _suffixes(adapter.reads) for name, adapter in adapters.items()} | {IR: {SUFFIX}}
    found = _named_like(names[:1], read) or _named_like(names, read)
    if len(found) > 1:
        raise _undecided(names[0], found)
    if not found:
        raise _unread(names[0], read, adapters)
    return found[0]


def advice(name: str, unread: Iterable[adapter_pb2.Format | Format]) -> str:
    """What to do with a file in a format that isn't read, and a blank; empty if nobody knows."""
    lower = name.lower()
    said = [each.description for each in unread if lower.endswith(tuple(each.suffixes))]
    return "".join(f"{description} " for description in said)


def _named_like(names: Sequence[str], read: Mapping[str, set[str]]) -> list[str]:
    """Who reads files of such names; where several do, who says more of a name."""
    suffixes = [
        (suffix, framework)
        for framework, endings in read.items()
        for suffix in endings
        if any(PurePosixPath(name).name.lower().endswith(suffix.lower()) for name in names)
    ]
    # "-symbol.json" says more than ".json" does.
    longest = max((len(suffix) for suffix, _ in suffixes), default=0)
    return sorted({framework for suffix, framework in suffixes if len(suffix) == longest})


def _undecided(name: str, found: Sequence[str]) -> NoAdapter:
    return NoAdapter(
        f"{name!r} may be a model of {' or '.join(found)}: say which it is with --from.",
        [Problem("spec.source", f"one of: {', '.join(found)}")],
        {"candidates": ",".join(found)},
    )


def _unread(
    name: str,
    read: Mapping[str, set[str]],
    adapters: Mapping[str, adapter_pb2.DescribeResponse],
) -> NoAdapter:
    unread = [format_ for each in sorted(adapters) for format_ in adapters[each].unread]
    return NoAdapter(
        f"No adapter reads files like {name!r}. {advice(name, unread)}{_readable(read)}",
        [Problem("spec.files", "no adapter reads files of such a name")],
        {"adapters": ",".join(sorted(set(read) - {IR}))},
    )


def _readable(read: Mapping[str, set[str]]) -> str:
    said = [
        f"{name} reads {', '.join(sorted(ends))}" for name, ends in sorted(read.items()) if ends
    ]
    return f"What there is: {'; '.join(said)}."


def _suffixes(formats: Iterable[adapter_pb2.Format]) -> set[str]:
    return {suffix for format_ in formats for suffix in format_.suffixes}
