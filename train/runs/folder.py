"""The folder of a run: one model, one target and one kind of folds, cross-validated.

======================== ==================================================================
``settings.json``        everything a figure depends on; a changed one is refused
``data/``                see `train.runs.data_folder`; of a set of runs, they share one
``folds/fold_01/`` …     see `train.runs.tasks`
``compare/``             the same run on another table over the same rows, when asked for; of
                         several also ``compare-2/`` …
``gblup/``               GBLUP on the same folds
``new_families/``        the same run with whole families left out, when asked for
======================== ==================================================================

and, after ``summarize``, the files that `train.commands.summarize` lists. A run of several traits
and an evaluation hold such folders, which share their data.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from train.data.dataset import Dataset
from train.errors import IncompleteRun
from train.runs.data_folder import DataFolder
from train.runs.settings import SETTINGS, RunSettings

#: Folder of GBLUP on the folds of a run.
GBLUP = "gblup"


def compare_folder(number: int) -> str:
    """Folder of a run on another table, by the table's number from 1."""
    return "compare" if number == 1 else f"compare-{number}"


def fold_folder(run: Path, fold: int) -> Path:
    """Where a fold's results lie."""
    return run / "folds" / f"fold_{fold:02d}"


def is_finished(run: Path, fold: int) -> bool:
    """Whether the fold's last file is there."""
    return (fold_folder(run, fold) / "result.json").exists()


def fold_result(run: Path, fold: int) -> dict[str, Any]:
    """The ``result.json`` of a finished fold."""
    return json.loads((fold_folder(run, fold) / "result.json").read_text(encoding="utf-8"))


def fold_predictions(run: Path, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Test rows of a finished fold in the data folder, and predictions (rows, columns)."""
    with np.load(fold_folder(run, fold) / "predictions.npz") as arrays:
        return arrays["rows"], arrays["predicted"]


def finished_folds(run: Path, n_folds: int) -> list[int]:
    """Numbers of the finished folds, ascending."""
    return [fold for fold in range(1, n_folds + 1) if is_finished(run, fold)]


def fold_sizes(folds: np.ndarray) -> tuple[int, ...]:
    """Samples that are tested in each of the folds 1..K."""
    return tuple(np.bincount(folds)[1:].tolist())


def data_of(run: Path, settings: RunSettings) -> DataFolder:
    """The data that a run is about."""
    return DataFolder(run / settings.data)


def prepare(
    runs: Mapping[Path, RunSettings], save_data: Callable[[], None], option: str = "--run-dir"
) -> None:
    """Create run folders, or check that existing ones were started the same way.

    Parameters
    ----------
    runs : dict of Path to RunSettings
    save_data : callable
        Writes their data, or checks it; called when no setting differs.
    option : str
        What names another folder, for hints.

    Raises
    ------
    SettingsChanged
        A setting or the data differ from those on disk; both values are named.
    """
    kept = {}
    for run, settings in runs.items():
        kept[run] = settings
        if (run / SETTINGS).exists():
            before = RunSettings.read(run)
            settings.require_same(run, before, option)
            kept[run] = settings.continuing(before)
    save_data()
    for run, settings in kept.items():
        run.mkdir(parents=True, exist_ok=True)
        settings.write(run)


@dataclass(frozen=True)
class Run:
    """A run folder whose finished folds have been read.

    Attributes
    ----------
    data : Dataset
        The samples that have the trait.
    fold_of : ndarray (samples,) of int64
        The fold that each of them is tested in.
    folds : list of int
        The finished ones, ascending.
    results : list of dict
        Their ``result.json``, in the same order.
    rows, predicted : list of ndarray
        Test rows of each fold, as places in `data`, and the predictions for them, trait units.
    covariates : ndarray (samples, numbers) of float64, or None
        Of the samples in `data`; NaN for a missing value.
    """

    path: Path
    settings: RunSettings
    data_folder: DataFolder
    data: Dataset
    fold_of: np.ndarray
    folds: list[int]
    results: list[dict[str, Any]]
    rows: list[np.ndarray]
    predicted: list[np.ndarray]
    covariates: np.ndarray | None

    @property
    def is_complete(self) -> bool:
        """Whether every fold is finished."""
        return len(self.folds) == self.settings.n_folds

    def has(self, file: str) -> bool:
        """Whether the model left that file in the folder of every finished fold."""
        return all((fold_folder(self.path, n) / file).exists() for n in self.folds)

    @property
    def saliency(self) -> np.ndarray:
        """Mean over each fold's test samples, (folds, SNPs) float64."""
        return self._of_folds("saliency.npz", "saliency")

    @property
    def centered(self) -> np.ndarray:
        """`saliency` of the centred gradient."""
        return self._of_folds("saliency.npz", "centered")

    @property
    def attributions(self) -> dict[str, np.ndarray]:
        """Mean absolute contributions over all test samples, (SNPs,) float64, by method."""
        if not self.has("attribution.npz"):
            return {}
        return {
            method: self.over_samples(self._of_folds("attribution.npz", method))
            for method in self.settings.attribution
        }

    def _of_folds(self, file: str, name: str) -> np.ndarray:
        with _damage_told(self.path):
            return np.stack([np.load(fold_folder(self.path, n) / file)[name] for n in self.folds])

    def over_samples(self, per_fold: np.ndarray) -> np.ndarray:
        """Mean over all test samples of all folds, from the folds' means (folds, SNPs)."""
        return np.average(per_fold, axis=0, weights=[len(rows) for rows in self.rows])


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """What cannot be read is told as a damaged run."""
    try:
        yield
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise IncompleteRun(
            f"{path} is damaged: {' '.join(str(error).split())}",
            "Train the fold again after deleting its folder, or start the run again",
        ) from None


def read_run(path: Path) -> Run:
    """Read the finished folds of a run folder.

    Raises
    ------
    IncompleteRun
        It is no run folder, or no fold is finished.
    """
    settings = RunSettings.read(path)
    with _damage_told(path):
        return _read_folds(path, settings)


def _read_folds(path: Path, settings: RunSettings) -> Run:
    folds = finished_folds(path, settings.n_folds)
    if not folds:
        raise IncompleteRun(f"no fold of {path} is finished")
    data = data_of(path, settings)
    target = data.target(settings.trait, settings.control)
    found = [fold_predictions(path, fold) for fold in folds]
    return Run(
        path=path,
        settings=settings,
        data_folder=data,
        data=data.dataset(target, families=settings.families is not None),
        fold_of=data.folds(settings.scheme)[target.measured],
        folds=folds,
        results=[fold_result(path, fold) for fold in folds],
        rows=[np.searchsorted(target.measured, rows) for rows, _ in found],
        predicted=[predicted[:, 0] for _, predicted in found],
        covariates=None if data.covariates is None else data.covariates[target.measured],
    )
