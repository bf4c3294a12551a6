"""The re-weighted ridge, the start of the preset ``linear``, as a baseline.

The preset ``reweighted`` is the same regression as a network of no epochs. It passes an ISRU, and
it can become a bundle.
"""

import numpy as np

from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import ScoreFunction
from train.baselines.dual import START_SHARES
from train.baselines.ridge import RidgeSolution, fit_ridge
from train.baselines.sums import sum_over_snps
from train.model import FittedModel, FoldData, Inputs, Record, SingleTargetModel

#: How often effects are re-weighted, and how far down, as in the start of the preset ``linear``.
REWEIGHTINGS, SHRINKAGE_FLOOR = 1, 0.1


class ReweightedRidge(SingleTargetModel):
    """Ridge regression whose prior variances follow the squared effects of a first one."""

    name, title = "reweighted", "re-weighted ridge"
    about = "ridge regression with prior variances from a first one's squared effects"
    dosages = True

    def fit_one(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """The validation rows choose λ in both rounds."""
        return FittedRidge(data.train, data.train_targets[:, 0], data)

    def refit_one(self, data: FoldData, fitted: FittedModel) -> FittedModel:
        """With λ of the last round in both."""
        inputs, targets = data.joined
        # With one λ to choose from, the validation rows among the training rows choose nothing.
        return FittedRidge(inputs, targets[:, 0], data, (fitted.chosen[0]["heritability"],))


class FittedRidge(FittedModel):
    """The solution for a standardised target, and its scale."""

    def __init__(
        self,
        inputs: Inputs,
        y: np.ndarray,
        data: FoldData,
        shares: tuple[float, ...] = START_SHARES,
    ):
        self.center, self.scale = float(y.mean()), float(y.std())
        self.solution: RidgeSolution = fit_ridge(
            inputs.genotypes,
            self._standardised(y),
            data.validation.genotypes,
            self._standardised(data.validation_targets[:, 0]),
            reweightings=REWEIGHTINGS,
            floor=SHRINKAGE_FLOOR,
            shares=shares,
        )
        mse = self.solution.validation_mse * self.scale**2
        self.chosen = [{"heritability": self.solution.heritability, "validation_mse": mse}]

    def _standardised(self, y: np.ndarray) -> np.ndarray:
        return ((y - self.center) / self.scale).astype(np.float32)

    def predict(self, inputs: Inputs) -> np.ndarray:
        """A sum over SNPs."""
        score = inputs.genotypes.centred(self.solution.means) @ self.solution.effects
        return (self.center + self.scale * score.astype(np.float64))[:, None]

    def score_function(self) -> tuple[ScoreFunction, TraitScale]:
        """That sum."""
        effects = self.solution.effects[:, None]
        return sum_over_snps(effects, self.solution.means, self.center, self.scale)


REWEIGHTED_RIDGE = ReweightedRidge()
