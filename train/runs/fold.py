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
from snpredict.formulas.genotypes import Genotypes
from train.data.dataset import Dataset
from train.data.folds import split
from train.errors import FoldBusy
from train.metrics import metrics
from train.model import FoldData, Inputs
from train.registry import find_model
from train.runs.folder import fold_folder
from train.runs.history import History
from train.runs.orphans import hold, holder
from train.runs.settings import RunSettings


def run_fold(run: Path, fold: int, settings: RunSettings) -> None:
    """Train, test, explain and export one fold; see `train.runs.processes` for the folder.

    Writes ``history.csv`` while it trains, then ``predictions.npz``, what the model saves for a
    bundle, and ``result.json``.
    """
    folder = fold_folder(run, fold)
    folder.mkdir(parents=True, exist_ok=True)
    # Held until this process ends, however it ends.
    lock = hold(folder / "lock")
    if lock is None:
        raise _busy(run, fold)

    model = find_model(settings.model, settings.preset)
    model.prepare(settings.threads)

    started = time.perf_counter()
    history = folder / "history.csv"
    history.unlink(missing_ok=True)
    data = Dataset.load(run / "data")
    rows = split(np.load(run / "data" / "folds.npy"), fold, settings.seed)
    inputs = Inputs(Genotypes(data.codes))
    fold_data = FoldData.of(
        inputs,
        data.phenotype[:, None],
        rows,
        seed=settings.seed,
        threads=settings.threads,
        fold=fold,
    )
    fitted = model.fit(fold_data, History(history))
    fitted_s = time.perf_counter() - started

    test = inputs.rows(rows.test)
    predicted = fitted.predict(test)[:, 0]
    np.savez(folder / "predictions.npz", rows=rows.test, predicted=predicted)
    saved = fitted.save(folder, test)

    result = {
        "fold": fold,
        "n_train": len(rows.train),
        "n_validation": len(rows.validation),
        "n_test": len(rows.test),
        **saved,
        "chosen": _without_nan(fitted.chosen[0]),
        "metrics": _without_nan(metrics(predicted, data.phenotype[rows.test])),
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
