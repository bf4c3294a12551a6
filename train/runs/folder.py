"""The folder of a run: settings and data before the first fold, results after the last."""

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.files import write_file
from train.data.dataset import Dataset
from train.data.snpinfo import SnpInfo
from train.errors import (
    IncompleteRun,
    SettingsChanged,
)
from train.networks.presets import without_alpha_by_trait
from train.runtime import software_versions

SETTINGS = "settings.json"
#: Settings whose values are digests, which tell a person nothing: what may differ then.
_DIGESTS = {
    "data_digest": "genotypes, phenotypes, samples, SNPs, folds or families",
    "snp_info": "SNPs, or other places or alleles of them",
}
#: Settings that may differ when a run is continued: they change no figure.
_FREE = ("bundle",)


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
    settings: dict[str, Any]
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
        return len(self.folds) == self.settings["n_folds"]

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
    settings = read_settings(path)
    try:
        return _read_folds(path, settings)
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise IncompleteRun(
            f"{path} is damaged: {' '.join(str(error).split())}",
            "Train the fold again after deleting its folder, or start the run again",
        ) from None


def _read_folds(path: Path, settings: dict[str, Any]) -> Run:
    folds = [n for n in range(1, settings["n_folds"] + 1) if is_finished(path, n)]
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


def read_settings(run: Path) -> dict[str, Any]:
    """The settings of a run folder.

    Raises
    ------
    IncompleteRun
        The folder is not there or is no run.
    """
    try:
        settings = json.loads((run / SETTINGS).read_text(encoding="utf-8"))
        preset = without_alpha_by_trait(settings["preset"], settings["trait"])
        return {**settings, "preset": preset}
    except (OSError, ValueError, KeyError, TypeError):
        raise IncompleteRun(
            f"{run} is not a run folder: it has no readable {SETTINGS}",
            hint="Start one: python -m train run TABLE --trait NAME --unit UNIT --out FOLDER",
        ) from None


def prepare(
    run: Path, data: Dataset, folds: np.ndarray, settings: dict[str, Any], info: SnpInfo
) -> None:
    """Create a run folder, or check that an existing one was started the same way.

    Several commands may start the same run at once, each for folds of its own: they take turns.

    Raises
    ------
    SettingsChanged
        A setting or the data differ from those on disk; both values are named.
    """
    settings = {
        **settings,
        "data_digest": data.digest,
        "n_folds": int(folds.max()),
        "fold_sizes": np.bincount(folds)[1:].tolist(),
        "software": software_versions(),
    }
    run.mkdir(parents=True, exist_ok=True)
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _prepare(run, data, folds, settings, info)


def _prepare(
    run: Path, data: Dataset, folds: np.ndarray, settings: dict[str, Any], info: SnpInfo
) -> None:
    if (run / SETTINGS).exists():
        before = read_settings(run)
        for key in settings:
            if key not in _FREE:
                _require_equal(run, key, before.get(key), settings[key])
        if not np.array_equal(np.load(run / "data" / "folds.npy"), folds):
            raise SettingsChanged(f"{run} was started with another assignment of folds")
        _write_settings(run, {**before, "bundle": before["bundle"] | settings["bundle"]})
        return
    data.save(run / "data")
    np.save(run / "data" / "folds.npy", folds)
    info.save(run / "data" / "snp_info.json")
    _write_settings(run, settings)


def _write_settings(run: Path, settings: dict[str, Any]) -> None:
    write_file(f"{json.dumps(settings, indent=1)}\n".encode(), run / SETTINGS)


def _require_equal(run: Path, key: str, before: Any, now: Any) -> None:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted(before.keys() | now.keys()):
            _require_equal(run, f"{key}.{name}", before.get(name), now.get(name))
    elif before != now and key in _DIGESTS:
        raise SettingsChanged(
            f"{run} was started with other {_DIGESTS[key]} ({key} differs)",
            hint="Give the table and the options that it was started with, such as --ignore, or "
            "another --run-dir, or delete this one to start again",
        )
    elif before != now:
        raise SettingsChanged(
            f"{run} was started with {key} = {before!r}; now it is {now!r}",
            hint="Give another --run-dir, or delete this one to start again",
        )


def fold_result(run: Path, fold: int) -> dict[str, Any]:
    """The ``result.json`` of a finished fold."""
    return json.loads((fold_folder(run, fold) / "result.json").read_text(encoding="utf-8"))
