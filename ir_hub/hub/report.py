"""The report of a conversion: everything that is known of it, as JSON for people and scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from ir_hub import __version__
from ir_hub.hub.plan import Plan
from irhub.hub.v1 import hub_pb2

FORMAT = 1

_LONG = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)


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
        "summary": _plain(conversion.summary, zeros=True),
        "state": hub_pb2.Conversion.State.Name(state).removeprefix("STATE_").lower(),
        "weight_names": dict(weight_names),
    }
    return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()


def _versions(found: Sequence[str]) -> dict[str, str]:
    return dict(zip(("name", "version", "adapter", "opset"), found, strict=True))


def _plain(message: Message, *, zeros: bool = False) -> dict[str, Any]:
    """As protobuf's JSON, but 64-bit integers are numbers, which JSON has, and not texts. With
    `zeros` also what is 0 or empty."""
    said: dict[str, Any] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=zeros
    )
    for field in message.DESCRIPTOR.fields:
        if field.name in said:
            value = getattr(message, field.name)
            said[field.name] = _with_numbers(field, value, said[field.name])
    return said


def _with_numbers(field: Any, value: Any, said: Any) -> Any:
    """A field's JSON, from its descriptor, its value and protobuf's own JSON of it."""
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry and isinstance(said, dict):
        entry = kind.fields_by_name["value"]
        return {key: _with_numbers(entry, value[key], each) for key, each in said.items()}
    if isinstance(said, list):
        return [_with_numbers(field, *pair) for pair in zip(value, said, strict=True)]
    if isinstance(said, dict):
        return _plain(value)
    return value if field.cpp_type in _LONG else said
