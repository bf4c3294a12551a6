"""A network beside covariates: these are fixed effects, and the network learns what they leave.

The slopes are those of GBLUP, by generalised least squares with the covariance of the lines
(Henderson 1975), at the heritability that the validation rows choose: lines of a family that grew
at one site do not turn the family's genetic value into an effect of the site. The network is then
trained on the trait less the fixed effects, and the prediction is the sum of both.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.formulas.fixed_effects import FixedEffects
from train.attribution.explained import Explained
from train.baselines.kernels import GBLUP
from train.model import FittedModel, FoldData, Inputs, Record

#: `SingleTargetModel.fit_one` of data without covariates.
Fit = Callable[[FoldData, Record | None], FittedModel]


def fit_beside_covariates(data: FoldData, record: Record | None, fit: Fit) -> FittedModel:
    """Fit to one target, whose covariates, if there are any, become fixed effects."""
    if data.train.covariates is None:
        return fit(data, record)
    fixed = GBLUP.fit(data).fixed_effects()
    left = replace(
        data,
        train=replace(data.train, covariates=None),
        validation=replace(data.validation, covariates=None),
        train_targets=data.train_targets - _added(fixed, data.train),
        validation_targets=data.validation_targets - _added(fixed, data.validation),
    )
    return BesideCovariates(fit(left, record), fixed)


def _added(fixed: FixedEffects, inputs: Inputs) -> np.ndarray:
    assert inputs.covariates is not None
    return fixed.added(inputs.covariates)


class BesideCovariates(FittedModel):
    """A network of what fixed effects leave.

    Attributes
    ----------
    inner : FittedModel
    fixed : FixedEffects
        Of one fold.
    """

    def __init__(self, inner: FittedModel, fixed: FixedEffects):
        self.inner, self.fixed = inner, fixed
        slopes = fixed.slopes[:, 0].tolist()
        self.chosen = [{**chosen, "covariate_slopes": slopes} for chosen in inner.chosen]

    def predict(self, inputs: Inputs) -> np.ndarray:
        """The network's prediction and the fixed effects."""
        blind = replace(inputs, covariates=None)
        return self.inner.predict(blind) + _added(self.fixed, inputs)

    def explained(self) -> tuple[Explained, Callable[[Inputs], np.ndarray]] | None:
        """The network's: covariates change no attribution of a SNP."""
        return self.inner.explained()

    def save(self, folder: Path, test: Inputs) -> dict[str, Any]:
        """What the network writes, with fixed effects in ``model.onnx`` and ``score.npz``.

        Raises
        ------
        ParityError
            See the network's.
        """
        from train.networks.covariates_onnx import with_fixed_effects

        told = self.inner.save(folder, replace(test, covariates=None))
        path = folder / "model.onnx"
        path.write_bytes(with_fixed_effects(path.read_bytes(), self.fixed))
        score = dict(np.load(folder / "score.npz"))
        score |= {f"covariate_{name}": values[:, 0] for name, values in vars(self.fixed).items()}
        np.savez(folder / "score.npz", **score)
        return told
