"""The report of a conversion: everything that is known of it, as JSON for people and scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import json_format

from ir_hub import __version__
from ir_hub.hub.plan import Plan
from irhub.hub.v1 import hub_pb2

FORMAT = 1


def report(
    conversion: hub_pb2.Conversion,
    state: hub_pb2.Conversion.State.ValueType,
    plan: Plan,
    versions: Mapping[str, Sequence[str]],
    weight_names: Mapping[str, str],
) -> bytes:
    """A conversion as JSON in UTF-8.

    Args:
        conversion: what was asked and what came of it.
        state: how it ends.
        plan: its source and target.
        versions: the framework's, the adapter's and the op set's version of either side.
        weight_names: the source's names of weights by those in the target.
    """
    said = _plain(conversion)
    spec = said.pop("spec", {})
    for each in said.get("stages", ()):
        each["state"] = each["state"].removeprefix("STATE_").lower()
    whole = {
        "report_format": FORMAT,
        "irhub": __version__,
        "source": plan.source,
        "target": plan.target,
        "versions": {name: _versions(found) for name, found in versions.items()},
        "request": spec,
        **said,
        "state": hub_pb2.Conversion.State.Name(state).removeprefix("STATE_").lower(),
        "weight_names": dict(weight_names),
    }
    return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()


def _versions(found: Sequence[str]) -> dict[str, str]:
    return dict(zip(("name", "version", "adapter", "opset"), found, strict=True))


def _plain(message: Any) -> dict[str, Any]:
    whole = json_format.MessageToDict(message, preserving_proto_field_name=True)
    found: dict[str, Any] = _with_numbers(whole)
    return found


def _with_numbers(message: Any) -> Any:
    """The message's JSON with its 64-bit integers as numbers, which JSON has, and not as texts."""
    if isinstance(message, list):
        return [_with_numbers(item) for item in message]
    if not isinstance(message, dict):
        return message
    return {
        name: int(item)
        if name in ("size_bytes", "parameters") and isinstance(item, str)
        else [int(size) for size in item]
        if name == "shape" and all(isinstance(size, str) for size in item)
        else _with_numbers(item)
        for name, item in message.items()
    }
