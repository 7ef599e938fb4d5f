"""A framework that doesn't exist: a model is a text of one layer a line, such as `leaky 0.2`."""

from __future__ import annotations

import numpy as np

from ir_hub.sdk.adapter import Adapter, Emitted, Format
from ir_hub.sdk.dialect import Dialect, Unsupported
from ir_hub.sdk.errors import BadModel, RunFailed
from ir_hub.sdk.serve import serve
from ir_hub.sdk.source import SourceGraph, SourceNode

TEXT = Format("toy", (".toy",), "One layer a line.")
dialect = Dialect("toy")
dialect.same("relu", "relu")
dialect.same("tanh", "tanh")
dialect.same("leaky_relu", "leaky", alpha="number")
LAYERS = {
    "relu": lambda x, number: np.maximum(x, 0),
    "tanh": lambda x, number: np.tanh(x),
    "leaky": lambda x, number: np.where(x > 0, x, x.dtype.type(number) * x),
}


class Line:
    """What a write rule makes of a node: a line of text."""

    def node(self, layer, tensors, attributes, count):
        return " ".join([layer, *map(repr, attributes.values())])


class ToyAdapter(Adapter):
    """Reads, writes and runs texts of layers."""

    framework = "toy"
    reads = writes = (TEXT,)

    def framework_version(self):
        return "1.0"

    def dialect(self):
        return dialect

    def load(self, files):
        try:
            return files.main.path.read_text().splitlines()
        except UnicodeDecodeError as error:
            raise BadModel(f"{files.main.name} isn't text: {error}") from error

    def walk(self, loaded, files, inputs, work):
        nodes = []
        for index, line in enumerate(loaded):
            layer, *number = line.split()
            attrs = {"number": float(number[0])} if number else {}
            nodes.append(SourceNode(layer, (f"y{index}",), (f"y{index + 1}",), attrs))
        return SourceGraph({"y0": inputs.get("x")}, {}, nodes, [f"y{len(nodes)}"])

    def save(self, model, format_name, folder, work):
        previous, lines = model.graph.inputs[0], []
        for node in model.graph.nodes:
            if node.x is not previous:
                raise Unsupported(f"{node.name} isn't part of a chain")
            lines.append(dialect.writer(node.op)(node, Line()))
            previous = node.result
        (folder / "model.toy").write_text("\n".join(lines))
        return Emitted(["model.toy"])

    def run(self, files, inputs, work):
        (x,) = inputs.values()
        for line in self.load(files):
            layer, *number = line.split()
            if layer not in LAYERS:
                raise RunFailed(f"there is no layer {layer!r}")
            x = LAYERS[layer](x, *(number or [0]))
        return {"y": x}


if __name__ == "__main__":
    serve(ToyAdapter())
