"""LD-score regression: the squares of z-scores alone, each by itself (Finucane et al. 2015).

χ_j = z_j² is expected to be Σ_m r²_jm Λ_m + σ. The loss of a window is the mean over its core of
((expected − χ) / sd)² / ℓ_j, with the LD score ℓ_j = Σ_m r²_jm and sd_j = N h² ℓ_j / M + 1 at
h² = ½: weights for unequal variances, and for neighbours that say the same.
"""

import numpy as np

from train.deepwas.likelihood import Loss
from train.deepwas.window import Window

#: Heritability at which the weights are taken.
_H2 = 0.5


def ld_score_loss(
    window: Window, prior: np.ndarray, sigma: float = 1.0, *, mean_effect: float = 1.0
) -> Loss:
    """The loss and its gradient; `Loss.value` is the sum over the core.

    Parameters
    ----------
    prior : ndarray (all,)
        Λ, of core and halo.
    mean_effect : float
        N / M: people of the study by variants of the genome.
    """
    chi2 = window.z.astype(np.float64) ** 2
    scores = np.maximum(window.squares.sum(axis=1, dtype=np.float64), 1)
    weights = 1 / ((mean_effect * _H2 * scores + 1) ** 2 * scores)
    off = window.squares @ prior.astype(window.squares.dtype) + sigma - chi2
    by_expected = 2 * weights * off
    by_prior = by_expected.astype(window.squares.dtype) @ window.squares
    return Loss(
        float(weights @ off**2),
        prior * by_prior.astype(np.float64),
        float(by_expected.sum() * sigma),
    )
