"""Our defaults are ONNX's: leaving an attribute out means what writing its default means."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import onnx
import pytest

from adapters.onnx.ops import table
from adapters.onnx.tests.backend_case import load_cases
from adapters.onnx.tests.models import parsed
from ir_hub.ir.text import model_text
from ir_hub.sdk.dialect import Row, as_declared
from ir_hub.sdk.errors import AdapterError

ROWS = [row for row in table.rows if row.literals]
NEWEST = onnx.defs.onnx_opset_version()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.theirs}-{row.since}")
def test_rows(row: Row) -> None:
    schema = onnx.defs.get_schema(row.theirs, NEWEST)
    for mine, other in row.literals.items():
        assert other in schema.attributes
        declared, param = schema.attributes[other], row.op.params[mine]
        if not param.required:
            assert not declared.required
            assert _default(declared, param) == _narrow(param.default)


def _default(declared: Any, param: Any) -> Any:
    if declared.default_value.type == onnx.AttributeProto.UNDEFINED:
        return None
    value = onnx.helper.get_attribute_value(declared.default_value)
    if isinstance(value, bytes):
        return value.decode()
    return _narrow(as_declared(param, value))


def _narrow(value: Any) -> Any:
    """A number as ONNX stores it."""
    return float(np.float32(value)) if isinstance(value, float) else value


def _text(model: onnx.ModelProto) -> str:
    """A model's IR as text, its numbers as ONNX stores them."""
    text = model_text(parsed(model))
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda found: str(np.float32(found[0])), text)


def explicit(model: onnx.ModelProto) -> tuple[onnx.ModelProto, int]:
    """The model with every default attribute written out, and how many those were."""
    model, added = copy.deepcopy(model), 0
    versions = {entry.domain: entry.version for entry in model.opset_import}
    for node in model.graph.node:
        if node.domain not in versions or node.op_type == "Constant":
            continue
        schema = onnx.defs.get_schema(node.op_type, versions[node.domain], node.domain)
        present = {attribute.name for attribute in node.attribute}
        for name, declared in schema.attributes.items():
            default = declared.default_value
            if name not in present and default.type != onnx.AttributeProto.UNDEFINED:
                node.attribute.add().CopyFrom(default)
                added += 1
    return model, added


def test_every_rule_reads_defaults_as_absent() -> None:
    compared = 0
    for _, case in load_cases():
        if case.model is None or not (found := explicit(case.model))[1]:
            continue
        try:
            expected = _text(case.model)
        except AdapterError:
            continue
        assert _text(found[0]) == expected, case.name
        compared += 1
    assert compared > 500
