"""Each op of TensorFlow's that is read means what TensorFlow computes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.saved.elements import dtype_of
from adapters.tensorflow.saved.model import GraphModel, Port, Signature
from adapters.tensorflow.saved.walk import walk
from adapters.tensorflow.tests.graph_ops import CASES, OpCase
from ir_hub.ir.graph import Model
from ir_hub.sdk.conformance import difference
from ir_hub.sdk.source import read
from ir_hub.simplify import reference

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()


def _model(case: OpCase) -> Model:
    """The graph of a function of the case's inputs."""
    specs = [tf.TensorSpec(array.shape, array.dtype) for array in case.inputs]
    concrete = tf.function(case.function).get_concrete_function(*specs)
    graph = concrete.graph.as_graph_def(add_shapes=True)
    inputs, outputs = (
        [
            Port(
                f"{kind}{i}",
                tensor.name,
                dtype_of(tensor.dtype.as_datatype_enum, tensor.name),
                tuple(tensor.shape),
            )
            for i, tensor in enumerate(tensors)
        ]
        for kind, tensors in (("x", concrete.inputs), ("y", concrete.outputs))
    )
    functions = {each.signature.name: each for each in graph.library.function}
    signatures = {"serving_default": Signature(inputs, outputs)}
    return read(walk(GraphModel(graph, functions, signatures), "", {}), ADAPTER.dialect())


@pytest.mark.parametrize("name", CASES)
def test_op(name: str) -> None:
    case = CASES[name]
    wanted = np.asarray(case.function(*map(tf.constant, case.inputs)))
    (found,) = reference.run(_model(case), list(case.inputs))
    assert not difference(wanted, found, 1e-5)
