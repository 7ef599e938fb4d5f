"""Small Keras models, each with one thing that converters get wrong, and their conversions."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ir_hub.environments import python_of
from irhub.hub.v1 import hub_pb2
from tests.matrix.services import HOME, Services

ROOT = Path(__file__).parents[2]
TARGETS = ("pytorch", "onnx", "mxnet", "tensorflow")
PROBES = (
    "two_inputs", "shared_layer", "nested_model", "lstm", "gru", "embedding", "conv1d",
    "separable", "transposed", "upsampling", "leaky_relu_and_prelu", "softplus", "two_outputs",
    "stride_2_odd", "stride_2_even", "depthwise_relu6", "reshape", "concat",
    "batch_norm_without_scale", "dropout", "mlp", "conv_flatten_dense", "attention",
)  # fmt: skip
_RECURRENT = ("lstm", "gru")


def write_probes(folder: Path) -> None:
    """Writes every probe as NAME.keras; Keras does, in its own environment."""
    command = [python_of("tensorflow", HOME), "-m", "adapters.tensorflow.tests.models", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the probes can't be written: {done.stderr}")


def check_conversion(services: Services, file: Path, target: str) -> None:
    """Fails unless the hub converts a probe, and both runtimes give the same, at two batches."""
    spec = hub_pb2.ConversionSpec(files=services.upload(file), target=target)
    conversion = services.convert(spec)
    assert conversion.state == hub_pb2.Conversion.STATE_SUCCEEDED, conversion.failure
    outputs = conversion.comparison.outputs
    assert len({tuple(output.inputs) for output in outputs}) == 2, "the batch isn't open"
    tolerance = 1e-4 if file.stem in _RECURRENT else 1e-5
    assert all(output.equal and output.max_error <= tolerance for output in outputs), outputs
