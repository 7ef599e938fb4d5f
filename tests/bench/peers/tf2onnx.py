"""tf2onnx: ResNet-50 from Keras to ONNX."""

import logging
import time
from pathlib import Path

import keras
import tensorflow as tf
import tf2onnx

from tests.bench.peers.serve import serve


def write(seed: int, folder: str) -> list[str]:
    """The network of keras.applications with random weights."""
    keras.utils.set_random_seed(seed)
    file = Path(folder) / "resnet50.keras"
    keras.applications.ResNet50(weights=None).save(file)
    return [str(file)]


def convert(files: list[str], into: str) -> dict[str, float]:
    """Read, trace, and convert the trace."""
    start = time.perf_counter()
    model = keras.models.load_model(files[0], compile=False)
    read = time.perf_counter()
    tf2onnx.convert.from_function(
        tf.function(lambda x: model(x, training=False)),
        input_signature=(tf.TensorSpec((None, 224, 224, 3), tf.float32, name="input"),),
        output_path=str(Path(into) / "resnet50.onnx"),
    )
    end = time.perf_counter()
    return {"tf2onnx": end - start, "keras.models.load_model": read - start}


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    serve(write, convert)
