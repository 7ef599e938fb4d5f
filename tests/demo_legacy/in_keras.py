"""Scores the digits with the generated Keras code, then trains it for one epoch more.

Run in TensorFlow's environment, in the folder of the conversion:

    python -m tests.demo_legacy.in_keras DIGITS.npz

It writes what it makes of the test set before and after: scores.npy and trained.npy.
"""

import sys

import keras
import model  # what irhub wrote
import numpy as np

BATCH, RATE, SEED = 64, 2e-4, 7  # a tenth of the rate that it was trained with


def main() -> None:
    keras.utils.set_random_seed(SEED)
    digits = np.load(sys.argv[1])
    net = model.load()
    np.save("scores.npy", net.predict(digits["test_images"], verbose=0))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.Adam(RATE), loss)
    net.fit(digits["train_images"], digits["train_labels"], batch_size=BATCH, verbose=0)
    np.save("trained.npy", net.predict(digits["test_images"], verbose=0))


if __name__ == "__main__":
    main()
