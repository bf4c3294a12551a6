"""How well predictions fit observations."""

import numpy as np


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
