"""Tells a source's framework from its files: by the content where it says so, else by the name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from ir_hub.hub.bundle import SUFFIX, is_bundle
from ir_hub.hub.plan import IR
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
        names: its files' names, the model itself first.
        head: how the first file begins.
        adapters: what those adapters that answer can do, by framework.

    Raises:
        NoAdapter: no adapter reads such files, or several do.
    """
    if is_bundle(head):
        return IR
    suffixes = [
        (suffix, framework)
        for framework, description in adapters.items()
        for format_ in description.reads
        for suffix in format_.suffixes
        if PurePosixPath(names[0]).name.lower().endswith(suffix.lower())
    ]
    # "-symbol.json" says more than ".json" does.
    longest = max((len(suffix) for suffix, _ in suffixes), default=0)
    found = sorted({framework for suffix, framework in suffixes if len(suffix) == longest})
    if len(found) == 1:
        return found[0]
    if found:
        raise NoAdapter(
            f"{names[0]!r} may be a model of {' or '.join(found)}: say which it is with --from.",
            [Problem("spec.source", f"one of: {', '.join(found)}")],
            {"candidates": ",".join(found)},
        )
    raise NoAdapter(
        f"No adapter reads files like {names[0]!r}. {_readable(adapters)}",
        [Problem("spec.files", "no adapter reads files of such a name")],
        {"adapters": ",".join(sorted(adapters))},
    )


def _readable(adapters: Mapping[str, adapter_pb2.DescribeResponse]) -> str:
    read = {name: sorted(_suffixes(adapter.reads)) for name, adapter in sorted(adapters.items())}
    said = [f"{name} reads {', '.join(suffixes)}" for name, suffixes in read.items() if suffixes]
    return f"What there is: {'; '.join([*said, f'irhub itself reads {SUFFIX}'])}."


def _suffixes(formats: Iterable[adapter_pb2.Format]) -> set[str]:
    return {suffix for format_ in formats for suffix in format_.suffixes}
