"""What can be predicted without any effect of a SNP: by family, and by which genotypes are missing.

A model is worth as much as it is above these.
"""

import numpy as np

from snpredict.bundle.manifest import BINARY, CONTINUOUS
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING
from train.baselines.kernels import KernelRidge, channel_kernel
from train.model import FittedModel, FoldData, Inputs, Model, Record


class FamilyMean(Model):
    """The mean of the family's training rows; for a family without any, of all training rows."""

    name, title = "family-mean", "family mean"
    about = "the mean of the family's training lines; of all training lines for a new family"
    together = True
    control_seeds = 50
    tasks = (CONTINUOUS, BINARY)
    dosages = True

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """Take the means of the training rows."""
        return _FamilyMeans(data.train.families, data.train_targets)

    def refit(self, data: FoldData, fitted: FittedModel) -> FittedModel:
        """Take those of training and validation rows."""
        inputs, targets = data.joined
        return _FamilyMeans(inputs.families, targets)


class _FamilyMeans(FittedModel):
    def __init__(self, families: np.ndarray | None, targets: np.ndarray):
        self.chosen = [{} for _ in range(targets.shape[1])]
        self.mean = targets.mean(axis=0)
        known = [] if families is None else np.unique(families)
        self.of_family = {family: targets[families == family].mean(axis=0) for family in known}

    def predict(self, inputs: Inputs) -> np.ndarray:
        predicted = np.tile(self.mean, (len(inputs), 1))
        if inputs.families is not None:
            for row, family in enumerate(inputs.families):
                predicted[row] = self.of_family.get(family, self.mean)
        return predicted


FAMILY_MEAN = FamilyMean()
#: Ridge regression on the 0/1 pattern of missing genotypes, and on nothing else.
MISSING_MASK = KernelRidge(
    "missing-mask",
    "missing mask only",
    "ridge regression on which genotypes are missing, and nothing else",
    kernels=channel_kernel([CHANNEL_CODES.index(MISSING)]),
)
