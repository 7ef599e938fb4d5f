"""Scores the digits with ONNX Runtime.

Run in ONNX's environment, in the folder of the conversion:

    python -m tests.demo_legacy.in_onnx DIGITS.npz

It writes what it makes of the test set: scores.npy.
"""

import sys

import numpy as np
import onnxruntime


def main() -> None:
    digits = np.load(sys.argv[1])
    session = onnxruntime.InferenceSession("model.onnx")
    (scores,) = session.run(None, {session.get_inputs()[0].name: digits["test_images"]})
    np.save("scores.npy", scores)


if __name__ == "__main__":
    main()
