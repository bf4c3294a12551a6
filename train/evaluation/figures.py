"""What an evaluation has found: its files, read into figures with intervals."""

import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from train.data.controls import CONTROLS
from train.errors import IncompleteRun
from train.evaluation.command_line import UNRECORDED, read_commands
from train.evaluation.storage import REFIT, Place, file_name, load_target
from train.metrics import (
    bootstrap_interval,
    fold_figures,
    group_pearsons,
    pearson,
    pooled_pearson_interval,
    within_group_pearson,
)
from train.registry import BASELINES
from train.runs.settings import EvaluationSettings

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
        """A figure by its name in `train.evaluation.report.FIGURES`, with its interval."""
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
    try:
        families = np.load(folder / "data" / "families.npy")
        samples = np.load(folder / "data" / "samples.npy")
    except (OSError, ValueError) as error:
        raise IncompleteRun(
            f"{folder} is not an evaluation folder: {error}", "start one: python -m train evaluate"
        ) from None
    scores, controls, control_folds = {}, {}, {}
    for trait in settings.traits:
        observed = load_target(folder / "data", trait, control=False).values[:, 0]
        for scheme, n_folds in settings.schemes.items():
            for model in _models_in(folder, scheme, trait):
                found = _read_scores(folder, scheme, trait, model, n_folds, observed, families)
                if found is not None:
                    scores[trait, scheme, model] = found
    for name in CONTROLS:
        target = f"control {name}"
        for scheme, n_folds in settings.schemes.items():
            for model in _models_in(folder, scheme, target):
                by_seed = _read_control(folder, scheme, target, model, n_folds)
                if by_seed is not None:
                    controls[name, scheme, model] = by_seed
                    control_folds[name, scheme, model] = sum(
                        Place(folder, scheme, target, model, fold).is_finished
                        for fold in range(1, n_folds + 1)
                    )
    if not scores:
        raise IncompleteRun(f"{folder} holds no finished result")
    details, fits_by = [], defaultdict[int, Counter[str]](Counter)
    for path in sorted((folder / "predictions").glob("*/*/*/fold_*.json")):
        details.append(json.loads(path.read_text(encoding="utf-8")))
        fits_by[details[-1].get("command", UNRECORDED)][path.parent.name] += 1
    return Evaluation(
        folder,
        settings,
        read_commands(folder),
        fits_by,
        families,
        samples,
        scores,
        controls,
        control_folds=control_folds,
        n_fits=len(details),
        fit_seconds=sum(fit["seconds"] for fit in details),
        threads=sorted({fit["threads"] for fit in details}),
    )


def _models_in(folder: Path, scheme: str, target: str) -> list[str]:
    parent = folder / "predictions" / scheme / file_name(target)
    return sorted(path.name for path in parent.iterdir()) if parent.is_dir() else []


def _read_scores(
    folder: Path,
    scheme: str,
    trait: str,
    model: str,
    n_folds: int,
    observed: np.ndarray,
    families: np.ndarray,
) -> Scores | None:
    places = [Place(folder, scheme, trait, model, fold) for fold in range(1, n_folds + 1)]
    places = [place for place in places if place.is_finished]
    if not places:
        return None
    rows, predicted, seconds, figures = [], [], [], []
    for place in places:
        these, values, details = place.read()
        rows.append(these)
        predicted.append(values[:, 0])
        seconds.append(details["seconds"])
        figures.append(
            {
                **fold_figures(values[:, 0], observed[these]),
                "within": within_group_pearson(values[:, 0], observed[these], families[these]),
            }
        )
    together = np.concatenate(rows)
    return Scores(
        folds=[place.fold for place in places],
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
        seconds=float(np.mean(seconds)),
    )


def _read_control(
    folder: Path, scheme: str, target: str, model: str, n_folds: int
) -> np.ndarray | None:
    observed = load_target(folder / "data", target, control=True).values
    by_fold = []
    for fold in range(1, n_folds + 1):
        place = Place(folder, scheme, target, model, fold)
        if place.is_finished:
            rows, predicted, _ = place.read()
            columns = range(predicted.shape[1])
            by_fold.append([pearson(predicted[:, c], observed[rows, c]) for c in columns])
    if not by_fold or not np.isfinite(by_fold).any():
        return None
    values = np.array(by_fold, np.float64)
    # A column without any figure would only warn.
    return np.nanmean(values[:, np.isfinite(values).any(axis=0)], axis=0)
