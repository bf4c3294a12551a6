"""The fused ensemble, the fold models on onnxruntime, and Keras models called per sample.

PYTHONPATH=. python benchmarks/ensemble.py

The third is how the original research scripts score: every fold's Keras model is loaded, and
`predict` is called for one sample at a time. Its models have the paper's network and random
weights, which cost the same time. All in one process, after the imports, two threads each.
"""

import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from snpredict.bundle.load import load_bundle
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.onnx_session import open_session
from snpredict.scoring.scorer import Scorer
from train.networks.presets import load_preset
from train.networks.residual import residual_network
from train.runtime import configure_tensorflow

N_SAMPLES, N_KERAS, THREADS, REPEATS = 5142, 20, 2, 5


def best(function, repeats: int = REPEATS) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def fold_models(files: list[bytes], codes: np.ndarray) -> None:
    sessions = [open_session(file, THREADS) for file in files]
    for session in sessions:
        for start in range(0, len(codes), 64):
            session.run(["prediction"], {"genotypes": codes[start : start + 64]})


def keras_models(paths: list[Path], one_hot: np.ndarray) -> None:
    for path in paths:
        model = keras.models.load_model(path)
        for row in range(len(one_hot)):
            model.predict(one_hot[row : row + 1], verbose=0)


def main() -> None:
    configure_tensorflow(THREADS)
    bundle = load_bundle()
    codes = np.random.default_rng(1).integers(-1, 3, (N_SAMPLES, len(bundle.snps)), np.int8)
    one_hot = np.eye(4, dtype=np.float32)[codes[:N_KERAS] + 1]
    # A bundle with an ensemble holds no fold models; their row is then left out.
    folds = [bundle.files[f.model] for f in bundle.manifest.folds if f.model is not None]

    rows = {}
    seconds = best(lambda: Scorer(bundle, THREADS).predict(Genotypes(codes)))
    rows["fused ensemble, load and score"] = N_SAMPLES / seconds
    if folds:
        seconds = best(lambda: fold_models(folds, codes), 2)
        rows["ten fold models on onnxruntime, load and score"] = N_SAMPLES / seconds
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for fold in bundle.manifest.folds:
            network = residual_network(load_preset("paper").architecture, len(bundle.snps))
            paths.append(Path(folder) / f"{fold.name}.keras")
            network.save(paths[-1])
        seconds = best(lambda: keras_models(paths, one_hot), 2)
    rows[f"ten Keras models, load and call per sample ({N_KERAS} samples)"] = N_KERAS / seconds

    slowest = min(rows.values())
    print("| what | samples per second | ratio |\n| --- | --- | --- |")
    for name, rate in rows.items():
        print(f"| {name} | {rate:,.1f} | {rate / slowest:,.0f} |")


if __name__ == "__main__":
    main()
