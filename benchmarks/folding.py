"""Seconds per epoch of the network of `linear`, through its convolutions and folded, in one run.

python benchmarks/folding.py
"""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from train.networks.genotype_model import GenotypeModel
from train.networks.presets import load_preset
from train.networks.residual import residual_network
from train.runtime import configure_tensorflow

N_SAMPLES, N_SNPS, THREADS = 4112, 4312, 2


def seconds_per_epoch(folded: bool, batch_size: int) -> float:
    """The second epoch of two: the first one compiles."""
    keras.utils.set_random_seed(1)
    network = residual_network(load_preset("linear").architecture, N_SNPS)
    model = GenotypeModel(network, alpha=0.03, folded=folded)
    model.compile(keras.optimizers.Adam(1e-5), "mse")
    random = np.random.default_rng(1)
    codes = random.integers(-1, 3, (N_SAMPLES, N_SNPS), dtype=np.int8)
    target = random.normal(size=N_SAMPLES).astype(np.float32)
    data = tf.data.Dataset.from_tensor_slices((codes, target)).batch(batch_size).prefetch(2)
    for _ in range(2):
        began = time.perf_counter()
        model.fit(data, epochs=1, verbose=0)
    return time.perf_counter() - began


def main() -> None:
    configure_tensorflow(THREADS)
    print("| batch | convolutions (s) | folded (s) | ratio |\n| --- | --- | --- | --- |")
    for batch_size in (4, 64, 256):
        plain, folded = (seconds_per_epoch(way, batch_size) for way in (False, True))
        print(f"| {batch_size} | {plain:.2f} | {folded:.2f} | {plain / folded:.1f} |", flush=True)


if __name__ == "__main__":
    main()
