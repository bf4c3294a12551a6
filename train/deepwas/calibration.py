"""Whether posterior effects are as sure as they say, where the true effects are known."""

import numpy as np

from train.deepwas.likelihood import Posterior

#: Probability from which on an effect's sign counts as called, and of the intervals.
_CALLED, _INTERVAL = 0.95, 0.9


def calibration(effects: Posterior, truth: np.ndarray) -> dict[str, float]:
    """Intervals and signs against true effects.

    Parameters
    ----------
    effects : Posterior
        √N b of the variants; NaN where there is none.
    truth : ndarray (variants,)
        True √N b.

    Returns
    -------
    dict
        ``coverage_90``: share of the intervals of 90 % that hold the true effect;
        ``coverage_90_by_variance``: every variant counts as its posterior variance does, so that
        the many with next to no effect do not.
        ``called_95``: variants whose sign is sure by 95 % or more; ``called_right``: how many of
        these signs are right, ``called_expected``: how many the posterior expects to be.
        ``r``: correlation of mean and truth. ``slope``: of the truth on the mean, 1 where effects
        are shrunk as they ought to be.
    """
    from scipy.special import ndtr, ndtri

    known = np.isfinite(effects.mean) & (effects.variance > 0)
    mean, sd, true = effects.mean[known], np.sqrt(effects.variance[known]), truth[known]
    inside = np.abs(true - mean) <= ndtri((1 + _INTERVAL) / 2) * sd
    sure = ndtr(np.abs(mean) / sd)
    called = sure >= _CALLED
    right = np.sign(mean[called]) == np.sign(true[called])
    none = float("nan")
    return {
        "coverage_90": float(inside.mean()),
        "coverage_90_by_variance": float(inside @ sd**2 / (sd**2).sum()),
        "called_95": int(called.sum()),
        "called_right": float(right.mean()) if called.any() else none,
        "called_expected": float(sure[called].mean()) if called.any() else none,
        "r": float(np.corrcoef(mean, true)[0, 1]) if np.ptp(mean) and np.ptp(true) else none,
        "slope": float(np.polyfit(mean, true, 1)[0]) if np.ptp(mean) else none,
    }
