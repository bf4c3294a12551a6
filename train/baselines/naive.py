"""What can be predicted without any effect of a SNP: by family, covariates, or missing genotypes.

A model is worth as much as it is above these.
"""

import numpy as np

from snpredict.bundle.manifest import BINARY, CONTINUOUS
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING
from snpredict.formulas.links import sigmoid
from train.baselines.kernels import KernelRidge, channel_kernel
from train.data.covariates import CovariateScale
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


class CovariatesAlone(Model):
    """Linear regression on the covariates, of a trait of 0 and 1 logistic regression.

    A missing covariate is the mean of the training rows. Without any all lines have that mean.
    """

    name, title = "covariates", "covariates alone"
    about = "regression on the covariates, without any SNP"
    together = True
    control_seeds = 50
    tasks = (CONTINUOUS, BINARY)
    covariates = True
    dosages = True

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """Regress on those of the training rows."""
        return _ByCovariates(data.train, data.train_targets, data.task)

    def refit(self, data: FoldData, fitted: FittedModel) -> FittedModel:
        """Regress on those of training and validation rows."""
        return _ByCovariates(*data.joined, data.task)


class _ByCovariates(FittedModel):
    def __init__(self, inputs: Inputs, targets: np.ndarray, task: str):
        self.chosen = [{} for _ in range(targets.shape[1])]
        self._binary = task == BINARY
        self._scale = CovariateScale.of(_covariates(inputs))
        x = self._scale.standardised(_covariates(inputs))
        self._slopes = np.zeros((x.shape[1], targets.shape[1]))
        self._intercept = targets.mean(axis=0)
        if self._binary:
            self._intercept = np.log(self._intercept / (1 - self._intercept))
            if x.shape[1]:
                from sklearn.linear_model import LogisticRegression

                for at, y in enumerate(targets.T):
                    # A little of a penalty, for indicators of all categories and for separation.
                    found = LogisticRegression(C=100, tol=1e-8, max_iter=1000).fit(x, y)
                    self._slopes[:, at], self._intercept[at] = found.coef_[0], found.intercept_[0]
        elif x.shape[1]:
            self._slopes = np.linalg.lstsq(x, targets - self._intercept)[0]

    def predict(self, inputs: Inputs) -> np.ndarray:
        score = self._scale.standardised(_covariates(inputs)) @ self._slopes + self._intercept
        return sigmoid(score) if self._binary else score


def _covariates(inputs: Inputs) -> np.ndarray:
    return np.zeros((len(inputs), 0)) if inputs.covariates is None else inputs.covariates


FAMILY_MEAN = FamilyMean()
COVARIATES_ALONE = CovariatesAlone()
#: Ridge regression on the 0/1 pattern of missing genotypes, and on nothing else.
MISSING_MASK = KernelRidge(
    "missing-mask",
    "missing mask only",
    "ridge regression on which genotypes are missing, and nothing else",
    kernels=channel_kernel([CHANNEL_CODES.index(MISSING)]),
)
