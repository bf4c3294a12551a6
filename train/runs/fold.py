"""One fold, from the run folder's data to the fold's results on disk.

A fold is finished when its ``result.json`` exists; it is written last, by a rename, so that a
killed run leaves either a finished fold or one that starts again.
"""

import json
import math
import resource
import time
from pathlib import Path

import numpy as np

from snpredict.files import write_file
from snpredict.formulas.encoding import genotype_frequencies
from train.data.dataset import Dataset
from train.data.folds import split
from train.errors import FoldBusy
from train.metrics import metrics
from train.parity import parity_genotypes
from train.runs.folder import fold_folder
from train.runs.orphans import hold, holder
from train.runs.settings import RunSettings


def run_fold(run: Path, fold: int, settings: RunSettings) -> None:
    """Train, test, explain and export one fold; see `train.runs.processes` for the folder.

    Writes ``history.csv`` while it trains, then ``model.onnx``, ``score.npz`` (the score before the
    ISRU as numbers), ``saliency.npz``, ``predictions.npz`` and ``result.json``.
    """
    folder = fold_folder(run, fold)
    folder.mkdir(parents=True, exist_ok=True)
    # Held until this process ends, however it ends.
    lock = hold(folder / "lock")
    if lock is None:
        raise _busy(run, fold)

    from train.runtime import configure_tensorflow

    configure_tensorflow(settings.threads)

    # These pull in TensorFlow, whose threads must be set before.
    from snpredict.scoring.onnx_session import onnx_predictions
    from train.networks.fitting import fit, predict
    from train.networks.onnx_export import fold_onnx
    from train.networks.saliency import mean_saliency
    from train.parity import require_parity

    started = time.perf_counter()
    (folder / "history.csv").unlink(missing_ok=True)
    data = Dataset.load(run / "data")
    rows = split(np.load(run / "data" / "folds.npy"), fold, settings.seed)
    assert settings.preset is not None

    fitted = fit(
        data.codes,
        data.phenotype,
        rows,
        settings.preset,
        seed=settings.seed + fold,
        history_path=folder / "history.csv",
    )
    fitted_s = time.perf_counter() - started

    predicted = predict(fitted, data.codes[rows.test])
    np.savez(folder / "predictions.npz", rows=rows.test, predicted=predicted)

    occurs = genotype_frequencies(data.codes[rows.train]) > 0
    plain, centered = mean_saliency(fitted.model, np.asarray(data.codes[rows.test]), occurs)
    np.savez(folder / "saliency.npz", saliency=plain, centered=centered)

    model_bytes = fold_onnx(fitted)
    (folder / "model.onnx").write_bytes(model_bytes)
    codes = parity_genotypes(len(data.snps), settings.seed)
    by_keras = predict(fitted, codes)
    parity = require_parity(
        f"fold {fold}: Keras and ONNX",
        by_keras,
        onnx_predictions(model_bytes, codes),
        fitted.scale,
    )
    hidden = {} if fitted.hidden is None else vars(fitted.hidden)
    np.savez(
        folder / "score.npz",
        weights=fitted.weights,
        bias=fitted.bias,
        parity_predictions=by_keras,
        **{f"hidden_{name}": array for name, array in hidden.items()},
    )
    fitted.model.network.save_weights(folder / "network.weights.h5")

    result = {
        "fold": fold,
        "center": fitted.center,
        "scale": fitted.scale,
        "n_train": len(rows.train),
        "n_validation": len(rows.validation),
        "n_test": len(rows.test),
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch,
        "chosen": _without_nan(fitted.chosen),
        "metrics": _without_nan(metrics(predicted, data.phenotype[rows.test])),
        "parity_keras_onnx": parity,
        "fit_seconds": round(fitted_s, 2),
        "seconds": round(time.perf_counter() - started, 2),
        # Linux counts kilobytes; the process is this fold's alone.
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    text = json.dumps(result, indent=1, allow_nan=False)
    write_file(f"{text}\n".encode(), folder / "result.json")


def _busy(run: Path, fold: int) -> FoldBusy:
    """Name the process that holds a fold."""
    found = holder(fold_folder(run, fold) / "lock")
    if found is None:
        return FoldBusy(
            f"fold {fold} of {run} is being trained by another process", "wait for it, or stop it"
        )
    return FoldBusy(
        f"fold {fold} of {run} is being trained by process {found['process']} on {found['host']}, "
        f"since {found['since']}",
        f"wait for it, or stop it on that machine: kill {found['process']}",
    )


def _without_nan(figures: dict[str, float]) -> dict[str, float | None]:
    """A figure that does not exist, such as the PCC of equal phenotypes, is null in JSON."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
