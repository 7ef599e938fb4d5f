"""TensorFlow: Keras 3 as a source and as a target, and a runtime to compare with."""
