"""The folder of a run: settings and data before the first fold, results after the last."""

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from train.data.dataset import Dataset
from train.data.snpinfo import SnpInfo
from train.errors import (
    IncompleteRun,
    SettingsChanged,
)
from train.runs.settings import SETTINGS, RunSettings


def fold_folder(run: Path, fold: int) -> Path:
    """Where a fold's results lie."""
    return run / "folds" / f"fold_{fold:02d}"


def is_finished(run: Path, fold: int) -> bool:
    """Whether the fold's last file is there."""
    return (fold_folder(run, fold) / "result.json").exists()


@dataclass(frozen=True)
class Run:
    """A run folder whose finished folds have been read.

    Attributes
    ----------
    folds : list of int
        The finished ones, ascending.
    results : list of dict
        Their ``result.json``, in the same order.
    rows, predicted : list of ndarray
        Test rows of each fold and the predictions for them, trait units.
    saliency, centered : ndarray (folds, SNPs) of float64
        Mean over the fold's test samples.
    """

    path: Path
    settings: RunSettings
    data: Dataset
    folds: list[int]
    results: list[dict[str, Any]]
    rows: list[np.ndarray]
    predicted: list[np.ndarray]
    saliency: np.ndarray
    centered: np.ndarray

    @property
    def is_complete(self) -> bool:
        """Whether every fold is finished."""
        return len(self.folds) == self.settings.n_folds

    def over_samples(self, per_fold: np.ndarray) -> np.ndarray:
        """Mean over all test samples of all folds, from the folds' means (folds, SNPs)."""
        return np.average(per_fold, axis=0, weights=[len(rows) for rows in self.rows])


def read_run(path: Path) -> Run:
    """Read the finished folds of a run folder.

    Raises
    ------
    IncompleteRun
        It is no run folder, or no fold is finished.
    """
    settings = RunSettings.read(path)
    try:
        return _read_folds(path, settings)
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise IncompleteRun(
            f"{path} is damaged: {' '.join(str(error).split())}",
            "Train the fold again after deleting its folder, or start the run again",
        ) from None


def _read_folds(path: Path, settings: RunSettings) -> Run:
    folds = [n for n in range(1, settings.n_folds + 1) if is_finished(path, n)]
    if not folds:
        raise IncompleteRun(f"no fold of {path} is finished")
    predictions = [np.load(fold_folder(path, n) / "predictions.npz") for n in folds]
    saliencies = [np.load(fold_folder(path, n) / "saliency.npz") for n in folds]
    return Run(
        path=path,
        settings=settings,
        data=Dataset.load(path / "data"),
        folds=folds,
        results=[fold_result(path, n) for n in folds],
        rows=[p["rows"] for p in predictions],
        predicted=[p["predicted"] for p in predictions],
        saliency=np.stack([s["saliency"] for s in saliencies]),
        centered=np.stack([s["centered"] for s in saliencies]),
    )


def fold_sizes(folds: np.ndarray) -> tuple[int, ...]:
    """Samples that are tested in each of the folds 1..K."""
    return tuple(np.bincount(folds)[1:].tolist())


def prepare(
    run: Path, data: Dataset, folds: np.ndarray, settings: RunSettings, info: SnpInfo
) -> None:
    """Create a run folder, or check that an existing one was started the same way.

    Several commands may start the same run at once, each for folds of its own: they take turns.

    Raises
    ------
    SettingsChanged
        A setting or the data differ from those on disk; both values are named.
    """
    run.mkdir(parents=True, exist_ok=True)
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (run / SETTINGS).exists():
            before = RunSettings.read(run)
            settings.require_same(run, before, "--run-dir")
            if not np.array_equal(np.load(run / "data" / "folds.npy"), folds):
                raise SettingsChanged(f"{run} was started with another assignment of folds")
            settings.continuing(before).write(run)
            return
        data.save(run / "data")
        np.save(run / "data" / "folds.npy", folds)
        info.save(run / "data" / "snp_info.json")
        settings.write(run)


def fold_result(run: Path, fold: int) -> dict[str, Any]:
    """The ``result.json`` of a finished fold."""
    return json.loads((fold_folder(run, fold) / "result.json").read_text(encoding="utf-8"))
