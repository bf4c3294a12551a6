"""How well predictions fit observations: numbers, or probabilities of 1."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from snpredict.bundle.manifest import BINARY, CONTINUOUS


def pearson(predicted: np.ndarray, observed: np.ndarray) -> float:
    """Pearson correlation (PCC); NaN where either side does not vary."""
    # By range: the mean of equal numbers need not equal them, which would leave a variance.
    if len(observed) < 2 or np.ptp(predicted) == 0 or np.ptp(observed) == 0:
        return float("nan")
    p = np.asarray(predicted, np.float64) - np.mean(predicted, dtype=np.float64)
    o = np.asarray(observed, np.float64) - np.mean(observed, dtype=np.float64)
    return float(p @ o / np.sqrt((p @ p) * (o @ o)))


def metrics(predicted: np.ndarray, observed: np.ndarray) -> dict[str, float]:
    """PCC, MAE (trait units), MSE (squared units) and R² = 1 − SSE/SST of one set of samples."""
    p = np.asarray(predicted, np.float64)
    o = np.asarray(observed, np.float64)
    error = p - o
    total = np.sum((o - o.mean()) ** 2)
    return {
        "pcc": pearson(p, o),
        "mae": float(np.abs(error).mean()),
        "mse": float((error**2).mean()),
        "r2": float(1 - np.sum(error**2) / total) if total > 0 else float("nan"),
    }


def within_group_pearson(
    predicted: np.ndarray, observed: np.ndarray, groups: np.ndarray, smallest: int = 5
) -> float:
    """Mean PCC inside groups (families), each weighted by its number of samples.

    Groups of fewer than ``smallest`` samples, or without variance, are left out; NaN when none
    remains.
    """
    values, weights = [], []
    for group in np.unique(groups):
        rows = groups == group
        value = pearson(predicted[rows], observed[rows]) if rows.sum() >= smallest else np.nan
        if np.isfinite(value):
            values.append(value)
            weights.append(int(rows.sum()))
    return float(np.average(values, weights=weights)) if values else float("nan")


def calibration_slope(predicted: np.ndarray, observed: np.ndarray) -> float:
    """Slope of the regression of observed on predicted: 1 where differences are neither over- nor
    understated, below 1 where they are overstated; NaN where predictions do not vary.
    """
    if len(observed) < 2 or np.ptp(predicted) == 0:
        return float("nan")
    p = np.asarray(predicted, np.float64) - np.mean(predicted, dtype=np.float64)
    o = np.asarray(observed, np.float64) - np.mean(observed, dtype=np.float64)
    return float(p @ o / (p @ p))


def top_hit_rate(predicted: np.ndarray, observed: np.ndarray, share: float = 0.1) -> float:
    """Part of the truly best that is among the predicted best, ``share`` of the samples each.

    Values that tie at the border share its places evenly, so that equal predictions score what
    chance does: ``share``.
    """
    places = max(1, round(share * len(observed)))
    return float(_membership(predicted, places) @ _membership(observed, places) / places)


def _membership(values: np.ndarray, places: int) -> np.ndarray:
    """Chance of each value to be among the largest ``places``, ties broken at random."""
    border = np.partition(values, len(values) - places)[len(values) - places]
    above, tied = values > border, values == border
    return above + tied * ((places - above.sum()) / tied.sum())


def fold_figures(predicted: np.ndarray, observed: np.ndarray) -> dict[str, float]:
    """Everything of `metrics`, and ``slope`` and ``top10``, of one fold's test samples."""
    return {
        **metrics(predicted, observed),
        "slope": calibration_slope(predicted, observed),
        "top10": top_hit_rate(predicted, observed),
    }


def area_under_curve(predicted: np.ndarray, observed: np.ndarray) -> float:
    """Area under the ROC curve (AUC); NaN where one of the two classes is not there.

    The chance that a sample of class 1 is predicted above one of class 0, ties counting half: 0.5
    for predictions that say nothing.
    """
    if np.ptp(observed) == 0:
        return float("nan")
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(observed, predicted))


def average_precision(predicted: np.ndarray, observed: np.ndarray) -> float:
    """Mean precision over the steps of recall; NaN where one of the two classes is not there.

    The share of class 1 for predictions that say nothing.
    """
    if np.ptp(observed) == 0:
        return float("nan")
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(observed, predicted))


def brier(predicted: np.ndarray, observed: np.ndarray) -> float:
    """Mean squared distance of the probabilities to what was observed (Brier 1950), from 0 to 1."""
    return float(np.mean((np.asarray(predicted, np.float64) - observed) ** 2))


#: What `binary_figures` gives.
BINARY_FIGURES = ("auc", "average_precision", "brier")


def binary_figures(predicted: np.ndarray, observed: np.ndarray) -> dict[str, float]:
    """``auc``, ``average_precision`` and ``brier`` of one fold's test samples.

    Parameters
    ----------
    predicted : ndarray (samples,)
        Probabilities of 1.
    observed : ndarray (samples,)
        0 or 1.
    """
    return {
        "auc": area_under_curve(predicted, observed),
        "average_precision": average_precision(predicted, observed),
        "brier": brier(predicted, observed),
    }


def figures(task: str) -> Callable[[np.ndarray, np.ndarray], dict[str, float]]:
    """What a fold's test samples are judged by: `fold_figures`, or `binary_figures`."""
    return {CONTINUOUS: fold_figures, BINARY: binary_figures}[task]


def group_pearsons(
    predicted: np.ndarray,
    observed: np.ndarray,
    groups: np.ndarray,
    folds: np.ndarray,
    smallest: int = 5,
) -> dict[str, float]:
    """PCC inside each group (family) over its out-of-fold predictions, by the group's name.

    Both sides are taken as deviations from their means over the group's samples of a fold. Without
    that, predictions by different fold models are compared with each other, and what is left of a
    family's mean counts against a model: a fold whose lines are tall leaves a lower mean to train
    on.

    Parameters
    ----------
    predicted, observed : ndarray (samples,) of float64
    groups, folds : ndarray (samples,)
    smallest : int
        Groups of fewer samples are left out.

    Returns
    -------
    dict of str to float
        NaN where the predictions or the observations of a group do not vary.
    """
    found = {}
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        if len(rows) < smallest:
            continue
        p, o = _deviations(predicted[rows], folds[rows]), _deviations(observed[rows], folds[rows])
        found[str(group)] = pearson(p, o)
    return found


def _deviations(values: np.ndarray, folds: np.ndarray) -> np.ndarray:
    found = np.zeros(len(values))
    for fold in np.unique(folds):
        these = values[folds == fold]
        # Equal values deviate by exactly 0, which the mean of equal numbers does not promise.
        if np.ptp(these) > 0:
            found[folds == fold] = these - these.mean()
    return found


def bootstrap_interval(
    values: np.ndarray, *, seed: int, level: float = 0.95, repeats: int = 10_000
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of independent units (folds, or families).

    The same seed and number of units give the same resamples, so that two models are resampled
    alike. With K units the interval is too short by about √((K − 1)/K): a tenth is missing with
    five, a twentieth with ten.

    Parameters
    ----------
    values : ndarray (units,) of float64
        Units that are NaN are left out.

    Returns
    -------
    (low, high) : float
        NaN with fewer than two units.
    """
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return float("nan"), float("nan")
    means = values[resamples(len(values), seed=seed, repeats=repeats)].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@lru_cache(maxsize=32)
def resamples(units: int, *, seed: int, repeats: int = 10_000) -> np.ndarray:
    """Which units each bootstrap sample draws, (repeats, units) int64, not to be written to."""
    drawn = np.random.default_rng([seed, units]).integers(0, units, (repeats, units))
    drawn.setflags(write=False)
    return drawn


def pooled_pearson_interval(
    predicted: list[np.ndarray],
    observed: list[np.ndarray],
    *,
    seed: int,
    level: float = 0.95,
    repeats: int = 10_000,
) -> tuple[float, float]:
    """Bootstrap interval over folds of the PCC of all folds' samples together.

    Parameters
    ----------
    predicted, observed : list of ndarray (samples,)
        One entry per fold.
    """
    if len(predicted) < 2:
        return float("nan"), float("nan")
    # Centred once, so that the sums below lose no digits.
    p_mean, o_mean = np.mean(np.concatenate(predicted)), np.mean(np.concatenate(observed))
    sums = np.array(
        [
            [len(p), p.sum(), o.sum(), p @ p, o @ o, p @ o]
            for p, o in (
                (np.asarray(p, np.float64) - p_mean, np.asarray(o, np.float64) - o_mean)
                for p, o in zip(predicted, observed, strict=True)
            )
        ]
    )
    drawn = sums[resamples(len(sums), seed=seed, repeats=repeats)].sum(axis=1)
    n, p, o, pp, oo, po = drawn.T
    spread = (pp - p * p / n) * (oo - o * o / n)
    if np.any(spread <= 0):
        return float("nan"), float("nan")
    low, high = np.quantile((po - p * o / n) / np.sqrt(spread), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
