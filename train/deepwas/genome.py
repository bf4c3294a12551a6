"""Effects of all variants of a genome given a prior, window by window, and a score without one."""

from collections.abc import Sequence

import numpy as np

from train.deepwas.likelihood import Posterior, posterior
from train.deepwas.solving import full_loss
from train.deepwas.window import Window

#: p-values of clumping and thresholding, as |z|: 5e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.5, 1.
THRESHOLDS = {
    5e-8: 5.4513,
    1e-6: 4.8916,
    1e-4: 3.8906,
    1e-3: 3.2905,
    0.01: 2.5758,
    0.05: 1.9600,
    0.1: 1.6449,
    0.5: 0.6745,
    1.0: 0.0,
}
_CLUMP_R2, _CLUMP_REACH = 0.1, 250_000


def losses(
    windows: Sequence[Window], log_prior: np.ndarray, sigma: float, solver: str = "auto"
) -> np.ndarray:
    """`full_loss` of each window, (windows,) float64, in nats over its core.

    Parameters
    ----------
    log_prior : ndarray (variants,)
        log Λ of the whole genome.
    """
    own = (np.exp(log_prior[w.span.start : w.span.stop]) for w in windows)
    return np.array(
        [full_loss(w, p, sigma, solver).value for w, p in zip(windows, own, strict=True)]
    )


def posterior_effects(windows: Sequence[Window], log_prior: np.ndarray, sigma: float) -> Posterior:
    """Means and variances of √N b of all core variants given their window's z-scores.

    NaN for variants that are in no core.
    """
    mean, variance = np.full((2, len(log_prior)), np.nan)
    for w in windows:
        found = posterior(w, np.exp(log_prior[w.span.start : w.span.stop]), sigma)
        rows = slice(w.span.core_start, w.span.core_stop)
        mean[rows], variance[rows] = found.mean[w.span.core], found.variance[w.span.core]
    return Posterior(mean, variance)


def clumped(windows: Sequence[Window], z: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Which variants are left when each takes out its neighbours with smaller |z|.

    Neighbours are within 250 kb and have r² above 0.1, as plink's ``--clump`` with these numbers.

    Returns
    -------
    ndarray (variants,) of bool
    """
    size, taken = np.abs(z), np.zeros(len(z), bool)
    home = np.full(len(z), -1)
    for number, w in enumerate(windows):
        home[w.span.core_start : w.span.core_stop] = number
    index = np.zeros(len(z), bool)
    for at in np.argsort(-size, kind="stable").tolist():
        if taken[at] or home[at] < 0:
            continue
        index[at] = taken[at] = True
        w = windows[home[at]]
        rows = np.arange(w.span.start, w.span.stop)
        near = np.abs(position[rows] - position[at]) <= _CLUMP_REACH
        taken[rows[near & (w.squares[at - w.span.core_start] > _CLUMP_R2)]] = True
    return index
