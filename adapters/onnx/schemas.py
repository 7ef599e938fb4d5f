"""Checks the names and nodes of a model, so that rules may trust them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import onnx

from ir_hub.sdk.errors import BadModel


def check_node(node: onnx.NodeProto, domain: str, version: int) -> None:
    """Checks how many operands a node has, and which attributes; unknown ops pass.

    Raises:
        BadModel: it isn't a node as the op set has it; the message says why.
    """
    schema = _schema(node.op_type, version, domain)
    if schema is None:
        return
    problem = _operand_problem(node, schema) or _attribute_problem(node, schema)
    if problem:
        where = f"{node.name} ({node.op_type})" if node.name else node.op_type
        raise BadModel(
            f"node {where} {problem}; the file is broken, or of another opset than it says"
        )


def check_names(graph: onnx.GraphProto) -> None:
    """Checks that names are text: protobuf gives those that aren't UTF-8 as bytes.

    Raises:
        BadModel: one isn't.
    """
    if any(not isinstance(name, str) for name in _names(graph)):
        raise BadModel("the model has a name that isn't text: the file is damaged")


def _names(graph: onnx.GraphProto) -> Iterator[str | bytes]:
    for named in (*graph.input, *graph.output, *graph.initializer):
        yield named.name
    for node in graph.node:
        yield from (*node.input, *node.output, node.name, node.op_type, node.domain)
        yield from (attribute.name for attribute in node.attribute)


@lru_cache(maxsize=4096)
def _schema(op_type: str, version: int, domain: str) -> Any:
    try:
        return onnx.defs.get_schema(op_type, version, domain)
    except onnx.defs.SchemaError:
        return None


@lru_cache(maxsize=4096)
def _required(schema: Any) -> tuple[str, ...]:
    return tuple(name for name, attribute in schema.attributes.items() if attribute.required)


def _operand_problem(node: onnx.NodeProto, schema: Any) -> str:
    count = len(node.input)
    if not schema.min_input <= count <= schema.max_input:
        return f"has {count} operands, {schema.name} takes {schema.min_input} at least" + (
            f", {schema.max_input} at most" if schema.max_input < 1000 else ""
        )
    if len(node.output) > schema.max_output:
        return f"has {len(node.output)} results, {schema.name} gives {schema.max_output} at most"
    single = onnx.defs.OpSchema.FormalParameterOption.Single
    operands = zip(node.input, schema.inputs, strict=False)
    left_out = [i for i, (name, formal) in enumerate(operands)
                if not name and formal.option == single]  # fmt: skip
    return f"leaves out its operand {left_out[0]}" if left_out else ""


def _attribute_problem(node: onnx.NodeProto, schema: Any) -> str:
    present = {attribute.name: attribute.type for attribute in node.attribute}
    missing = [name for name in _required(schema) if name not in present]
    if missing:
        return f"has no attribute {missing[0]}"
    for name, kind in present.items():
        declared = schema.attributes.get(name)
        if declared is not None and declared.type.value != kind:
            return f"has an attribute {name} of another type than {schema.name} declares"
    return ""
