"""One fit, from the data on disk to its results on disk.

A task is a model on one fold, for one run or for several that differ in their target alone. The
folder of a run's fold holds

======================== ==================================================================
``attribution.npz``      mean absolute contributions, where they were asked for
``history.csv``          the epochs of a network, while it trains
``predictions.npz``      ``rows`` in the data folder, ``predicted`` (rows, columns), trait units
what the model saves     for a bundle: ``model.onnx``, ``score.npz``, ``saliency.npz`` …
``result.json``          what was chosen, figures, seconds; written last, whole
``log.txt``, ``lock``    what was said, and who is at it
======================== ==================================================================

A fold is finished when its ``result.json`` exists, so that a killed run leaves either a finished
fold or one that starts again.
"""

import json
import math
import resource
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.bundle.manifest import BINARY
from snpredict.errors import SnpredictError
from snpredict.files import write_file
from snpredict.formulas.genotypes import Genotypes
from train.attribution.methods import attribute
from train.data.folds import Split, split
from train.errors import FoldBusy, OutsideModelError
from train.metrics import binary_figures, metrics
from train.model import FittedModel, FoldData, Inputs, Model, single_target
from train.registry import find_model
from train.runs.data_folder import Target
from train.runs.filtered import FilteredModel
from train.runs.folder import data_of, fold_folder, is_finished
from train.runs.history import History
from train.runs.orphans import hold, holder
from train.runs.settings import RunSettings


@dataclass(frozen=True)
class Task:
    """One fit.

    Attributes
    ----------
    runs : tuple of Path
        Folders of runs that differ in their target alone.
    fold : int
    refits : tuple of (Path or None)
        Per run, the folder of the same fitted again on training and validation rows; or empty.
    command : int or None
        Number of the command that asked for it, see `train.evaluation.command_line`.
    kind : str
        Tasks of one kind take about the same time.
    what : str
        In words, for the progress.
    unit : str
        Of the trait.
    """

    runs: tuple[Path, ...]
    fold: int
    refits: tuple[Path | None, ...] = ()
    command: int | None = None
    kind: str = ""
    what: str = ""
    unit: str = ""

    @property
    def folder(self) -> Path:
        """Where its log, its lock and its history are."""
        return fold_folder(self.runs[0], self.fold)

    @property
    def is_finished(self) -> bool:
        """Whether all its results are on disk."""
        folders = [run for run in (*self.runs, *self.refits) if run is not None]
        return all(is_finished(run, self.fold) for run in folders)

    def as_line(self) -> bytes:
        """As a line of JSON for another process."""
        paths = [[p and str(p.resolve()) for p in part] for part in (self.runs, self.refits)]
        return json.dumps([*paths, self.fold, self.command]).encode() + b"\n"

    @staticmethod
    def of_line(line: str | bytes) -> "Task":
        """The reverse of `as_line`, without words."""
        runs, refits, fold, command = json.loads(line)
        again = tuple(path and Path(path) for path in refits)
        return Task(tuple(map(Path, runs)), fold, again, command)


def run_task(task: Task) -> None:
    """Fit, predict the test rows, and write the results of every run of the task.

    Raises
    ------
    FoldBusy
        Another process is at it.
    """
    task.folder.mkdir(parents=True, exist_ok=True)
    lock = hold(task.folder / "lock")
    if lock is None:
        raise _busy(task)
    with lock:
        settings = [RunSettings.read(run) for run in task.runs]
        first = settings[0]
        model = find_model(first.model, first.preset)
        model.prepare(first.threads)
        for run in task.runs:
            (fold_folder(run, task.fold) / "history.csv").unlink(missing_ok=True)
        data = data_of(task.runs[0], first)
        if first.filters.active:
            model = FilteredModel(model, first.filters, data.snp_info.along)
        families = None if first.families is None else data.families
        covariates = data.covariates if first.covariates else None
        # A model that cannot learn from dosages has their nearest codes.
        genotypes = data.genotypes if model.dosages else Genotypes(data.genotypes.nearest())
        inputs = Inputs(genotypes, covariates, families)
        folds = data.folds(first.scheme)
        targets = [data.target(s.trait, s.control) for s in settings]
        for group in _by_rows(targets, model.control_seeds):
            _Fit(task, model, first, inputs, folds, group).run()


def _by_rows(targets: Sequence[Target], seeds: int) -> Iterator[dict[int, Target]]:
    """Targets measured in the same rows, which share everything but their columns, by place."""
    groups: dict[bytes, dict[int, Target]] = {}
    for place, target in enumerate(targets):
        if target.control is not None:
            target = replace(target, values=target.values[:, :seeds])
        groups.setdefault(target.measured.tobytes(), {})[place] = target
    yield from groups.values()


@dataclass(frozen=True)
class _Fit:
    """A fit of a task, for targets of the same rows by their place among the task's runs."""

    task: Task
    model: Model
    settings: RunSettings
    inputs: Inputs
    folds: np.ndarray
    group: dict[int, Target]

    def run(self) -> None:
        """Fit and write."""
        began = time.perf_counter()
        targets, rows = list(self.group.values()), self._rows()
        fold = FoldData.of(
            self.inputs,
            np.concatenate([target.values for target in targets], axis=1),
            rows,
            seed=self.settings.seed,
            threads=self.settings.threads,
            fold=self.task.fold,
            task=self.settings.task,
        )
        test = self.inputs.rows(rows.test)
        self._folder(0).mkdir(parents=True, exist_ok=True)
        with self._mistakes_named():
            fitted = self.model.fit(fold, History(self._folder(0) / "history.csv"))
            fit_seconds = time.perf_counter() - began
            predicted = np.asarray(fitted.predict(test))
            chosen = [dict(each) for each in fitted.chosen]
        self._require_sound(predicted, chosen, (len(test), fold.n_targets))
        refits = {p: run for p, run in enumerate(self.task.refits) if run and p in self.group}
        again = self.model.refit(fold, fitted) if refits else None
        predicted_again = None if again is None else again.predict(test)
        first = 0
        for number, (place, target) in enumerate(self.group.items()):
            these = slice(first, first + target.values.shape[1])
            first = these.stop
            result = {
                **self._save(fitted, these, test, number),
                "fold": self.task.fold,
                "n_train": len(rows.train),
                "n_validation": len(rows.validation),
                "n_test": len(rows.test),
                "chosen": without_nan(chosen[these.start]),
                # Shared among the targets, so that seconds add up to the time it took.
                "fit_seconds": round(fit_seconds / len(targets), 3),
                "seconds": round((time.perf_counter() - began) / len(targets), 3),
                # Linux counts kilobytes.
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
            self._write(self.task.runs[place], target, rows, predicted[:, these], result)
            if predicted_again is not None and place in refits:
                result |= {"fit_seconds": 0.0, "seconds": 0.0}
                self._write(refits[place], target, rows, predicted_again[:, these], result)

    def _folder(self, number: int) -> Path:
        """The fold's, in the run of a target of the group."""
        return fold_folder(self.task.runs[list(self.group)[number]], self.task.fold)

    def _save(
        self, fitted: FittedModel, columns: slice, test: Inputs, number: int
    ) -> dict[str, Any]:
        """Write what a bundle needs of a trait's model; further entries of its result."""
        part = single_target(fitted, columns.start)
        if columns.stop - columns.start > 1 or part is None:
            return {}
        folder, first = self._folder(number), self._folder(0)
        folder.mkdir(parents=True, exist_ok=True)
        if number and (first / "history.csv").exists():
            # Targets that share a network share its epochs.
            shutil.copyfile(first / "history.csv", folder / "history.csv")
        saved = part.save(folder, test)
        if self.settings.attribution:
            self._attribute(part, test, folder)
        return saved

    def _attribute(self, fitted: FittedModel, test: Inputs, folder: Path) -> None:
        """Write ``attribution.npz``: mean absolute contributions of the test rows, by method."""
        found = fitted.explained()
        if found is None:
            return
        network, inputs_of = found
        scores = {
            method: attribute(
                network,
                lambda rows: inputs_of(test.rows(rows)),
                len(test),
                method,
                seed=self.settings.seed + self.task.fold,
            ).score
            for method in self.settings.attribution
        }
        np.savez(folder / "attribution.npz", **scores)

    @contextmanager
    def _mistakes_named(self) -> Iterator[None]:
        """A mistake in a model from outside is said to be that model's."""
        try:
            yield
        except SnpredictError:
            raise
        except Exception as error:
            if ":" not in self.settings.model:
                raise
            raise self._unsound(f"raised {type(error).__name__}: {error}") from error

    def _require_sound(
        self, predicted: np.ndarray, chosen: list[dict[str, Any]], shape: tuple[int, int]
    ) -> None:
        """Refuse predictions that no figure can be made of."""
        if predicted.shape != shape:
            raise self._unsound(
                f"gives predictions of shape {predicted.shape}, expected {shape}: samples, targets"
            )
        if len(chosen) != shape[1]:
            raise self._unsound(f"says {len(chosen)} times what was chosen, expected {shape[1]}")
        if not np.isfinite(predicted).all():
            raise self._unsound("gives a prediction that is not finite")
        if self.settings.task == BINARY and not ((predicted >= 0) & (predicted <= 1)).all():
            raise self._unsound(
                f"gives {predicted.min():g} to {predicted.max():g} for a binary trait, expected "
                "probabilities, 0 to 1"
            )

    def _unsound(self, what: str) -> OutsideModelError:
        return OutsideModelError(
            f"model '{self.settings.model}' {what}", "try it with train.check_model.check_model"
        )

    def _rows(self) -> Split:
        """Rows of the data folder that train, validate and test."""
        measured = next(iter(self.group.values())).measured
        part = split(self.folds[measured], self.task.fold, self.settings.seed)
        return Split(measured[part.train], measured[part.validation], measured[part.test])

    def _write(
        self, run: Path, target: Target, rows: Split, predicted: np.ndarray, result: dict[str, Any]
    ) -> None:
        """Write predictions, then the result, of which figures are those of the first column."""
        folder = fold_folder(run, self.task.fold)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "predictions.npz", rows=rows.test, predicted=predicted)
        of_test = predicted[:, 0], target.values[rows.test, 0]
        figures = metrics(*of_test)
        if self.settings.task == BINARY:
            figures |= binary_figures(*of_test)
        result = {**result, "metrics": without_nan(figures)}
        if self.task.command is not None:
            result["command"] = self.task.command
        text = json.dumps(result, indent=1, allow_nan=False)
        write_file(f"{text}\n".encode(), folder / "result.json")


def _busy(task: Task) -> FoldBusy:
    """Name the process that holds a fold."""
    found, what = holder(task.folder / "lock"), f"fold {task.fold} of {task.runs[0]}"
    if found is None:
        return FoldBusy(f"{what} is being trained by another process", "wait for it, or stop it")
    return FoldBusy(
        f"{what} is being trained by process {found['process']} on {found['host']}, "
        f"since {found['since']}",
        f"wait for it, or stop it on that machine: kill {found['process']}",
    )


def without_nan(figures: dict[str, Any]) -> dict[str, Any]:
    """A figure that does not exist, such as the PCC of equal phenotypes, is null in JSON."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }
