"""What an evaluation has found: its files, read into figures with intervals."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from train.data.controls import CONTROLS
from train.errors import IncompleteRun
from train.evaluation.command_line import UNRECORDED, read_commands
from train.evaluation.fits import REFIT, models_in, run_folder
from train.metrics import (
    binary_figures,
    bootstrap_interval,
    fold_figures,
    group_pearsons,
    pearson,
    pooled_pearson_interval,
    within_group_pearson,
)
from train.registry import BASELINES
from train.runs.data_folder import DataFolder, Target
from train.runs.folder import finished_folds, fold_predictions, fold_result
from train.runs.settings import SETTINGS, EvaluationSettings, RunSettings

#: Schemes in the order of reports, and what people call them.
SCHEME_TITLES = {
    "given": "given folds",
    "random": "random folds",
    "family": "families left out",
}


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % bootstrap interval; NaN where it does not exist."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def text(self, decimals: int = 3, *, signed: bool = False) -> str:
        """``0.736 [0.728, 0.745]``, a dash where there is no figure."""
        if not math.isfinite(self.value):
            return "–"
        form = f"{'+' if signed else ''}.{decimals}f"
        shown = format(self.value, form)
        if math.isfinite(self.low):
            shown += f" [{format(self.low, form)}, {format(self.high, form)}]"
        return shown.replace("-", "−")


@dataclass(frozen=True)
class Scores:
    """One model under one scheme for one trait.

    Attributes
    ----------
    folds : list of int
        The finished ones, ascending.
    by_fold : dict of str to ndarray (folds,)
        `train.metrics.fold_figures`, and ``within``: the mean PCC inside the families of the
        fold, weighted by size.
    by_family : dict of str to float
        PCC inside each family over its out-of-fold predictions of all folds; see
        `train.metrics.group_pearsons`.
    rows, predicted, observed : list of ndarray
        Per fold.
    seconds : float
        Mean over the folds.
    """

    folds: list[int]
    by_fold: dict[str, np.ndarray]
    by_family: dict[str, float]
    rows: list[np.ndarray]
    predicted: list[np.ndarray]
    observed: list[np.ndarray]
    seconds: float

    def figure(self, name: str, seed: int) -> Interval:
        """A figure by its name in `train.evaluation.markdown.FIGURES`, with its interval."""
        if name == "pcc_pooled":
            if not np.isfinite(self.by_fold["pcc"]).any():
                # Predictions that differ between folds alone, such as training means, correlate
                # negatively by how folds are cut.
                return Interval(math.nan)
            value = pearson(np.concatenate(self.predicted), np.concatenate(self.observed))
            return Interval(
                value, *pooled_pearson_interval(self.predicted, self.observed, seed=seed)
            )
        units = self._families() if name == "within" else self.by_fold[name]
        return mean_interval(units, seed)

    def _families(self) -> np.ndarray:
        return np.array(list(self.by_family.values()), np.float64)

    def ahead_of(self, other: "Scores", name: str, seed: int) -> Interval:
        """Paired difference of ``pcc`` (over folds) or ``within`` (over families)."""
        if name == "within":
            shared = [f for f in self.by_family if f in other.by_family]
            difference = [self.by_family[f] - other.by_family[f] for f in shared]
        else:
            shared_folds = [f for f in self.folds if f in other.folds]
            difference = [
                self.by_fold[name][self.folds.index(f)] - other.by_fold[name][other.folds.index(f)]
                for f in shared_folds
            ]
        return mean_interval(np.array(difference, np.float64), seed)


def mean_interval(values: np.ndarray, seed: int) -> Interval:
    """Mean over units that have a value; none where most of them have not."""
    finite = values[np.isfinite(values)]
    if not len(finite) or 2 * len(finite) < len(values):
        return Interval(math.nan)
    return Interval(float(finite.mean()), *bootstrap_interval(finite, seed=seed))


@dataclass(frozen=True)
class Evaluation:
    """Everything that an evaluation folder holds.

    Attributes
    ----------
    scores : dict
        (trait, scheme, model) → `Scores`; refits are models of their own.
    controls : dict
        (control, scheme, model) → mean PCC over the folds, (seeds,) float64.
    control_folds : dict
        The same keys → how many folds are finished.
    commands : list of dict
        See `train.evaluation.command_line`.
    fits_by : dict of int to Counter
        Number of the command → how many fits of each model it made.
    n_fits, fit_seconds, threads
        Of all results together, controls included.
    """

    folder: Path
    settings: EvaluationSettings
    commands: list[dict[str, Any]]
    fits_by: dict[int, Counter[str]]
    families: np.ndarray
    samples: np.ndarray
    scores: dict[tuple[str, str, str], Scores]
    controls: dict[tuple[str, str, str], np.ndarray]
    control_folds: dict[tuple[str, str, str], int]
    n_fits: int
    fit_seconds: float
    threads: list[int]

    @property
    def schemes(self) -> list[str]:
        """Those with results, in the order of reports."""
        return [s for s in SCHEME_TITLES if any(key[1] == s for key in self.scores)]

    @property
    def models(self) -> list[str]:
        """Those with results, baselines first, a refit behind its model."""
        found = {key[2] for key in self.scores}
        order = list(BASELINES)

        def place(name: str) -> tuple[int, str]:
            base = name.removesuffix(REFIT)
            return (order.index(base) if base in order else len(order), name)

        return sorted(found, key=place)


def read_evaluation(folder: Path) -> Evaluation:
    """Read the finished results of an evaluation folder.

    Raises
    ------
    IncompleteRun
        It is no evaluation folder, or nothing in it is finished.
    """
    settings = EvaluationSettings.read(folder)
    data = DataFolder(folder / "data")
    families, models = data.families, models_in(folder)
    if families is None:
        raise IncompleteRun(f"{folder} is damaged: it has no families", "start it again")
    scores, controls, control_folds = {}, {}, {}
    for trait, scheme, model in product(settings.traits, settings.schemes, models):
        run = run_folder(folder, model, scheme, trait)
        if folds := finished_folds(run, settings.schemes[scheme]):
            target = data.target(trait, None)
            scores[trait, scheme, model] = _scores(
                run, folds, target, families, binary=trait in settings.binary
            )
    for key in product(CONTROLS, settings.schemes, models):
        control, scheme, model = key
        run = run_folder(folder, model, scheme, f"control {control}")
        if folds := finished_folds(run, settings.schemes[scheme]):
            observed = data.target(settings.control_trait or "", control).values
            if (by_seed := _control_pcc(run, folds, observed)) is not None:
                controls[key], control_folds[key] = by_seed, len(folds)
    if not scores:
        raise IncompleteRun(f"{folder} holds no finished result")
    return Evaluation(
        folder,
        settings,
        read_commands(folder),
        families=families,
        samples=np.array(data.labels["samples"]),
        scores=scores,
        controls=controls,
        control_folds=control_folds,
        **_fits(folder),
    )


def _fits(folder: Path) -> dict[str, Any]:
    """What `Evaluation` says of all fits together."""
    fits_by: dict[int, Counter[str]] = defaultdict(Counter)
    seconds, threads = 0.0, set()
    for path in sorted((folder / "runs").glob(f"*/*/*/{SETTINGS}")):
        run, settings = path.parent, RunSettings.read(path.parent)
        for fold in finished_folds(run, settings.n_folds):
            result = fold_result(run, fold)
            model = settings.model + REFIT * settings.refit
            fits_by[result.get("command") or UNRECORDED][model] += 1
            seconds += result["seconds"]
            threads.add(settings.threads)
    return {
        "fits_by": fits_by,
        "n_fits": sum(sum(counts.values()) for counts in fits_by.values()),
        "fit_seconds": seconds,
        "threads": sorted(threads),
    }


def _scores(
    run: Path, folds: list[int], target: Target, families: np.ndarray, *, binary: bool
) -> Scores:
    observed = target.values[:, 0]
    found = [fold_predictions(run, fold) for fold in folds]
    rows, predicted = [of for of, _ in found], [values[:, 0] for _, values in found]
    figures = [
        {
            **fold_figures(values, observed[these]),
            **(binary_figures(values, observed[these]) if binary else {}),
            "within": within_group_pearson(values, observed[these], families[these]),
        }
        for these, values in zip(rows, predicted, strict=True)
    ]
    together = np.concatenate(rows)
    return Scores(
        folds=folds,
        by_fold={name: np.array([f[name] for f in figures]) for name in figures[0]},
        by_family=group_pearsons(
            np.concatenate(predicted),
            observed[together],
            families[together],
            np.repeat(np.arange(len(rows)), [len(these) for these in rows]),
        ),
        rows=rows,
        predicted=predicted,
        observed=[observed[these] for these in rows],
        seconds=float(np.mean([fold_result(run, fold)["seconds"] for fold in folds])),
    )


def _control_pcc(run: Path, folds: list[int], observed: np.ndarray) -> np.ndarray | None:
    """Mean over folds of the PCC of every seed, (seeds,) float64; None without any."""
    by_fold = []
    for fold in folds:
        rows, predicted = fold_predictions(run, fold)
        columns = range(predicted.shape[1])
        by_fold.append([pearson(predicted[:, c], observed[rows, c]) for c in columns])
    values = np.array(by_fold, np.float64)
    if not np.isfinite(values).any():
        return None
    # A column without any figure would only warn.
    return np.nanmean(values[:, np.isfinite(values).any(axis=0)], axis=0)
