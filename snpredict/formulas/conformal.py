"""CV+ prediction intervals: exact order statistics over folds, without forming all sums.

Barber, Candès, Ramdas and Tibshirani (2021), "Predictive inference with the jackknife+", Annals of
Statistics 49(1), section 3 (CV+). A new sample x has a prediction μ_k(x) by every fold model;
training sample i, tested in fold k(i), left the residual R_i = |y_i − μ_k(i)(x_i)|. The interval
ends at the ⌊α(n+1)⌋-th smallest of the n values μ_k(i)(x) − R_i and at the ⌈(1−α)(n+1)⌉-th smallest
of the n values μ_k(i)(x) + R_i.
"""

import math
from fractions import Fraction

import numpy as np

#: Samples taken together: 10 folds of them are 640 kB.
_BLOCK = 8192

#: Sums looked at one by one once a sample has no more than these left.
_FEW = 24


def rank_of(level: float, n: int) -> int:
    """⌈level (n + 1)⌉, exact for the decimal number that a person wrote; beyond `n` = infinite."""
    # 0.9 is a little more than nine tenths as a float, and the ceiling would notice.
    return math.ceil(Fraction(repr(float(level))) * (n + 1))


def cv_plus(
    folds: np.ndarray, residuals: list[np.ndarray], level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the intervals.

    Parameters
    ----------
    folds : ndarray (samples, folds) of float
        Prediction of every fold model, finite.
    residuals : list of ndarray (test samples,) of float64
        Per fold, the absolute residuals of its test samples, ascending; n of them together.
    level : float
        ``rank_of(level, n)`` must not exceed n.

    Returns
    -------
    lower, upper : ndarray (samples,) of float64
    """
    n = sum(map(len, residuals))
    rank = rank_of(level, n)
    if not 1 <= rank <= n:
        raise ValueError(f"rank {rank} of {n} residuals")
    means = np.asarray(folds, np.float64)
    # The ⌊α(n+1)⌋-th smallest of n values is their ⌈(1−α)(n+1)⌉-th largest.
    return -smallest_sum(-means, residuals, rank), smallest_sum(means, residuals, rank)


def smallest_sum(folds: np.ndarray, residuals: list[np.ndarray], rank: int) -> np.ndarray:
    """The `rank`-th smallest of all ``folds[s, k] + residuals[k][j]``, for every sample s.

    A bracket around the answer is narrowed by counting the sums up to a value, one bisection of
    each fold's residuals, until few sums are left in it. Exact but for the rounding of a sum.

    Parameters
    ----------
    folds : ndarray (samples, folds) of float64
    residuals : list of ndarray of float64
        Ascending.
    rank : int
        From 1 to the number of residuals.

    Returns
    -------
    ndarray (samples,) of float64
    """
    used = [k for k, values in enumerate(residuals) if len(values)]
    residuals = [residuals[k] for k in used]
    pooled = np.sort(np.concatenate(residuals))
    found = np.empty(len(folds))
    for start in range(0, len(folds), _BLOCK):
        block = np.ascontiguousarray(folds[start : start + _BLOCK, used])
        found[start : start + _BLOCK] = _smallest(block, residuals, rank, pooled)
    return found


def _smallest(
    folds: np.ndarray, residuals: list[np.ndarray], rank: int, pooled: np.ndarray
) -> np.ndarray:
    # With all folds at the lowest (highest) prediction, the answer is this plus that of the pooled
    # residuals; a little outside, so that rounding leaves the answer in between.
    centre = pooled[rank - 1]
    margin = 1e-9 * (1 + np.abs(folds).max(axis=1) + centre)
    low = folds.min(axis=1) + centre - margin
    high = folds.max(axis=1) + centre + margin
    below = np.zeros(folds.shape, np.int64)
    upto = np.tile([len(values) for values in residuals], (len(folds), 1))
    middle = folds.mean(axis=1) + centre
    found = np.empty(len(folds))
    rows = np.arange(len(folds))
    step = 0
    while len(rows):
        counts = _counts(folds, residuals, middle)
        n = counts.sum(axis=1)
        reached = n >= rank
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
        upto = np.where(reached[:, None], counts, upto)
        below = np.where(reached[:, None], below, counts)
        few = (upto - below).sum(axis=1) <= _FEW
        if few.any():
            found[rows[few]] = _pick(folds[few], residuals, below[few], upto[few], rank)
        # On from the last value by the spacing of the pooled residuals, and a little beyond the
        # answer, so that both ends of the bracket come near; now and then by halves, which
        # cannot stall.
        beyond = np.where(reached, -(_FEW // 3), _FEW // 3)
        middle = middle + _at(pooled, rank + beyond) - _at(pooled, n)
        inside = (middle > low) & (middle < high) & (step % 3 < 2)
        middle = np.where(inside, middle, low + (high - low) / 2)
        # Equal sums never part: the bracket has shrunk to one number, and that is the answer.
        stuck = ~few & ~((middle > low) & (middle < high))
        found[rows[stuck]] = high[stuck]
        rest = ~(few | stuck)
        rows, folds, low, high = rows[rest], folds[rest], low[rest], high[rest]
        below, upto, middle = below[rest], upto[rest], middle[rest]
        step += 1
    return found


def _at(pooled: np.ndarray, rank: np.ndarray) -> np.ndarray:
    return pooled[np.clip(rank - 1, 0, len(pooled) - 1)]


def _counts(folds: np.ndarray, residuals: list[np.ndarray], value: np.ndarray) -> np.ndarray:
    """How many sums of each fold are at most `value`: (samples, folds) int64."""
    counts = np.empty(folds.shape, np.int64)
    for k, values in enumerate(residuals):
        counts[:, k] = values.searchsorted(value - folds[:, k], side="right")
    return counts


def _pick(
    folds: np.ndarray,
    residuals: list[np.ndarray],
    below: np.ndarray,
    upto: np.ndarray,
    rank: int,
) -> np.ndarray:
    """The `rank`-th smallest sum, which lies at places `below` to `upto` of the residuals."""
    width = int((upto - below).max())
    sums = np.empty((len(folds), len(residuals), width))
    for k, values in enumerate(residuals):
        places = below[:, k, None] + np.arange(width)
        picked = folds[:, k, None] + values[np.minimum(places, len(values) - 1)]
        sums[:, k] = np.where(places < upto[:, k, None], picked, np.inf)
    ordered = np.sort(sums.reshape(len(folds), -1), axis=1)
    return ordered[np.arange(len(folds)), rank - below.sum(axis=1) - 1]


def pooled_quantile(residuals: np.ndarray, level: float) -> float:
    """Radius that holds `level` of the samples to come; infinite for too few residuals.

    Parameters
    ----------
    residuals : ndarray (samples,) of float64
        Absolute.
    """
    rank = rank_of(level, len(residuals))
    return math.inf if rank > len(residuals) else float(np.sort(residuals)[rank - 1])


def family_quantile(residuals: np.ndarray, family: np.ndarray, level: float) -> float:
    """Radius that holds `level` of the samples of a family to come; infinite for too few families.

    The smallest r with ``Σ_k share_k(|residual| ≤ r) / K ≥ level`` over the K families. It is
    infinite above K / (K + 1): if the errors of a family were all the same, a family to come would
    err more than all K with a probability of 1 / (K + 1).

    Parameters
    ----------
    residuals : ndarray (samples,) of float64
        Absolute.
    family : ndarray (samples,)
        Whose family each sample is.
    """
    _, member, sizes = np.unique(family, return_inverse=True, return_counts=True)
    if rank_of(level, len(sizes)) > len(sizes):
        return math.inf
    order = np.argsort(residuals, kind="stable")
    reached = np.cumsum(1.0 / sizes[member[order]])
    # The sum of many shares may miss a whole number by rounding.
    place = int(np.searchsorted(reached, level * len(sizes) * (1 - 1e-12)))
    return float(residuals[order[place]])


def coverage_known(residuals: np.ndarray, folds: np.ndarray, level: float) -> float | None:
    """Share of samples within intervals around their fold's prediction, made of other folds.

    Parameters
    ----------
    residuals : ndarray (samples,) of float64
        Absolute, out of fold.
    folds : ndarray (samples,)

    Returns
    -------
    float, or None where the other folds have too few residuals for the level.
    """
    inside = 0
    for fold in np.unique(folds):
        radius = pooled_quantile(residuals[folds != fold], level)
        if not math.isfinite(radius):
            return None
        inside += int(np.count_nonzero(residuals[folds == fold] <= radius))
    return inside / len(residuals)


def coverage_new(
    residuals: np.ndarray, family: np.ndarray, family_fold: np.ndarray, level: float
) -> np.ndarray | None:
    """Per family the share of samples within intervals made of the families of other folds.

    Parameters
    ----------
    residuals : ndarray (samples,) of float64
        Absolute, of samples predicted without their family.
    family : ndarray (samples,)
    family_fold : ndarray (samples,)
        Which families were left out together.

    Returns
    -------
    ndarray (families,) of float64, families ascending; None where the others are too few.
    """
    inside = np.zeros(len(residuals), bool)
    for fold in np.unique(family_fold):
        tested = family_fold == fold
        radius = family_quantile(residuals[~tested], family[~tested], level)
        if not math.isfinite(radius):
            return None
        inside[tested] = residuals[tested] <= radius
    return shares_by_family(inside, family)


def shares_by_family(inside: np.ndarray, family: np.ndarray) -> np.ndarray:
    """Per family the share of its samples that are inside: (families,), families ascending."""
    member = np.unique(family, return_inverse=True)[1]
    return np.bincount(member, inside) / np.bincount(member)
