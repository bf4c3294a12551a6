"""How often intervals hold what they promise, measured on the run's own folds."""

from typing import Any

import numpy as np

from snpredict.formulas.conformal import coverage_known, coverage_new, rank_of
from snpredict.intervals import METHODS
from train.runs.left_out import LeftOut

#: Levels whose coverage is measured and stored.
LEVELS = (0.5, 0.8, 0.9, 0.95)


def measured_intervals(
    residuals: np.ndarray, folds: np.ndarray, left_out: LeftOut | None, scheme: str
) -> dict[str, Any]:
    """The manifest's ``intervals``: coverage measured for each kind, null where there is none.

    Parameters
    ----------
    residuals, folds : ndarray (samples,)
        Out-of-fold residuals of the run and the folds of their samples.
    scheme : str
        Where the run's folds come from.
    """
    told: dict[str, Any] = {"known": None, "new": None}
    if scheme != "family":
        sizes = np.abs(residuals)
        told["known"] = {
            "method": METHODS["known"],
            "residuals": len(sizes),
            "coverage": {f"{level:g}": coverage_known(sizes, folds, level) for level in LEVELS},
        }
    if left_out is not None:
        told["new"] = _measured_new(left_out)
    if told["known"] is not None and left_out is not None:
        told["known"]["coverage_in_new_families"] = {
            f"{level:g}": _misused(np.abs(residuals), left_out, level) for level in LEVELS
        }
    return told


def _misused(sizes: np.ndarray, left_out: LeftOut, level: float) -> float | None:
    """What intervals for known families hold of families that were left out, mean over these."""
    rank = rank_of(level, len(sizes))
    if rank > len(sizes):
        return None
    inside = np.abs(left_out.residual) <= np.sort(sizes)[rank - 1]
    member = np.unique(left_out.family, return_inverse=True)[1]
    return float(np.mean(np.bincount(member, inside) / np.bincount(member)))


def _measured_new(left_out: LeftOut) -> dict[str, Any]:
    sizes = np.abs(left_out.residual)
    shares = {
        f"{level:g}": coverage_new(sizes, left_out.family, left_out.fold, level) for level in LEVELS
    }
    return {
        "method": METHODS["new"],
        "residuals": len(sizes),
        "families": len(np.unique(left_out.family)),
        "families_from": left_out.origin,
        "coverage": {
            level: None if share is None else float(share.mean()) for level, share in shares.items()
        },
        "coverage_by_family": {
            level: None
            if share is None
            else {
                "lowest": float(share.min()),
                "tenth": float(np.quantile(share, 0.1)),
                "sd": float(share.std(ddof=1)),
            }
            for level, share in shares.items()
        },
    }
