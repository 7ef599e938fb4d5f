"""Writes a SavedModel with two signatures into a folder; run in TensorFlow's environment."""

from __future__ import annotations

import sys

import tensorflow as tf


def main(folder: str) -> None:
    """`serving_default` doubles, `negated` doesn't; they agree in nothing but their input."""
    spec = [tf.TensorSpec((None, 3), tf.float32, name="x")]
    double = tf.function(lambda x: {"y": x * 2.0}, input_signature=spec)
    negated = tf.function(lambda x: {"y": -x}, input_signature=spec)
    tf.saved_model.save(
        tf.Module(), folder, signatures={"serving_default": double, "negated": negated}
    )


if __name__ == "__main__":
    main(sys.argv[1])
