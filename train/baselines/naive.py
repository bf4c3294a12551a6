"""What can be predicted without any effect of a SNP: by family, and by which genotypes are missing.

A model is worth as much as it is above these.
"""

import numpy as np

from snpredict.formulas.encoding import CHANNEL_CODES, MISSING
from train.baselines.kernels import channel_kernel, fit_kernel
from train.model import Fitted, FoldInput


def family_mean(fold: FoldInput, refit: bool) -> Fitted:
    """The mean of the family's training rows; for a family without any, of all training rows."""

    def predict(targets: np.ndarray, families: np.ndarray) -> np.ndarray:
        predicted = np.tile(targets.mean(axis=0), (len(fold.test_families), 1))
        for family in np.intersect1d(families, fold.test_families):
            predicted[fold.test_families == family] = targets[families == family].mean(axis=0)
        return predicted

    test = predict(fold.train_targets, fold.train_families)
    again = None
    if refit:
        _, targets, families = fold.joined()
        again = predict(targets, families)
    return Fitted(test, again, [{} for _ in range(test.shape[1])])


def missing_mask(fold: FoldInput, refit: bool) -> Fitted:
    """Ridge regression on the 0/1 pattern of missing genotypes, and on nothing else."""
    return fit_kernel(fold, refit, channel_kernel([CHANNEL_CODES.index(MISSING)]))
