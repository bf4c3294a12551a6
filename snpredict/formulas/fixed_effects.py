"""Covariates as fixed effects: what they add to a prediction beside the SNPs.

    Σ_k slope_k (c_k − mean_k)

in trait units, over the numbers that covariates are coded as. A missing one counts as its mean in
the fold's training rows, and adds nothing.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FixedEffects:
    """Those of all folds.

    Attributes
    ----------
    means, slopes : ndarray (numbers, folds) of float64
        Slopes are in trait units per unit of the number.
    """

    means: np.ndarray
    slopes: np.ndarray

    @property
    def n_numbers(self) -> int:
        """Numbers that covariates are coded as."""
        return len(self.means)

    def only(self, fold: int) -> "FixedEffects":
        """The fold at that place by itself."""
        at = slice(fold, fold + 1)
        return FixedEffects(self.means[:, at], self.slopes[:, at])

    def by_number(self, fold: int, covariates: np.ndarray) -> np.ndarray:
        """What every number adds in one fold, (samples, numbers) float64.

        Parameters
        ----------
        fold : int
        covariates : ndarray (samples, numbers)
            NaN for a missing value.
        """
        away = covariates - self.means[:, fold]
        return np.nan_to_num(away, nan=0.0) * self.slopes[:, fold]

    def added(self, covariates: np.ndarray) -> np.ndarray:
        """What all together add in every fold, (samples, folds) float64."""
        folds = range(self.means.shape[1])
        return np.stack([self.by_number(f, covariates).sum(axis=1) for f in folds], axis=1)
