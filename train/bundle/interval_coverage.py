"""How often intervals hold what they promise, measured on the run's own folds."""

import math

import numpy as np

from snpredict.bundle.entries import FamilyCoverage, IntervalsEntry, KnownIntervals, NewIntervals
from snpredict.formulas.conformal import (
    coverage_known,
    coverage_new,
    pooled_quantile,
    shares_by_family,
)
from snpredict.intervals import METHODS
from train.runs.left_out import LeftOut

#: Levels whose coverage is measured and stored.
LEVELS = (0.5, 0.8, 0.9, 0.95)


def measured_intervals(
    residuals: np.ndarray, folds: np.ndarray, left_out: LeftOut | None, scheme: str
) -> IntervalsEntry:
    """Coverage measured for each kind of intervals, None where there is none.

    Parameters
    ----------
    residuals, folds : ndarray (samples,)
        Out-of-fold residuals of the run and the folds of their samples.
    left_out : LeftOut or None
    scheme : str
        Where the run's folds come from.
    """
    sizes, known = np.abs(residuals), None
    if scheme != "family":
        known = KnownIntervals(
            method=METHODS["known"],
            residuals=len(sizes),
            coverage={f"{level:g}": coverage_known(sizes, folds, level) for level in LEVELS},
            coverage_in_new_families=None
            if left_out is None
            else {f"{level:g}": _misused(sizes, left_out, level) for level in LEVELS},
        )
    return IntervalsEntry(known, None if left_out is None else _measured_new(left_out))


def _misused(sizes: np.ndarray, left_out: LeftOut, level: float) -> float | None:
    """What intervals for known families hold of families that were left out, mean over these."""
    radius = pooled_quantile(sizes, level)
    if not math.isfinite(radius):
        return None
    inside = np.abs(left_out.residual) <= radius
    return float(np.mean(shares_by_family(inside, left_out.family)))


def _measured_new(left_out: LeftOut) -> NewIntervals:
    sizes = np.abs(left_out.residual)
    shares = {
        f"{level:g}": coverage_new(sizes, left_out.family, left_out.fold, level) for level in LEVELS
    }
    return NewIntervals(
        method=METHODS["new"],
        residuals=len(sizes),
        families=len(np.unique(left_out.family)),
        families_from=left_out.origin,
        coverage={
            level: None if share is None else float(share.mean()) for level, share in shares.items()
        },
        coverage_by_family={
            level: None
            if share is None
            else FamilyCoverage(
                lowest=float(share.min()),
                tenth=float(np.quantile(share, 0.1)),
                sd=float(share.std(ddof=1)),
            )
            for level, share in shares.items()
        },
    )
