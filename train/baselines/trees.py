"""Gradient-boosted trees (LightGBM), stopped on the validation rows.

Source: Ke et al. (2017). Unlike the other baselines trees see interactions of SNPs.
"""

from typing import Any

import numpy as np

from snpredict.formulas.encoding import MISSING
from train.baselines import boosting
from train.model import FittedModel, FoldData, Inputs, Record, SingleTargetModel

#: Settings that the validation rows choose between: many small trees, or fewer large ones that
#: are held back by more shrinkage.
CANDIDATES: tuple[dict[str, float], ...] = (
    boosting.SMALL_TREES,
    {"num_leaves": 31, "feature_fraction": 0.1, "min_data_in_leaf": 50, "lambda_l2": 10.0},
)


class BoostedTrees(SingleTargetModel):
    """Boosted regression trees on the codes, a gap being LightGBM's own missing value.

    The number of trees and one of `CANDIDATES` are chosen by validation MSE.
    """

    name, title = "lightgbm", "LightGBM"
    about = "boosted trees on the codes, stopped on the validation lines"
    dosages = True

    def fit_one(self, data: FoldData, record: Record | None = None) -> "FittedTrees":
        """Stop every candidate's trees on the validation rows, and take the better one."""
        import lightgbm as lgb

        # LightGBM holds labels as float32: standardised, a trait with a large mean loses nothing.
        y, center, scale = _standardised(data.train_targets)
        y_validation = (data.validation_targets[:, 0] - center) / scale
        common = _settings(CANDIDATES[0], data)
        train = lgb.Dataset(_features(data.train), y, params=common, free_raw_data=False)
        validation = lgb.Dataset(
            _features(data.validation), y_validation, reference=train, params=common
        )
        best: FittedTrees | None = None
        for candidate in CANDIDATES:
            parameters = _settings(candidate, data)
            booster = boosting.boost(parameters, train, validation)
            mse = float(booster.best_score["validation"]["l2"]) * scale**2
            if best is None or mse < best.chosen[0]["validation_mse"]:
                chosen = {
                    **{name: parameters[name] for name in candidate},
                    "trees": booster.best_iteration,
                    "validation_mse": mse,
                }
                best = FittedTrees(booster, center, scale, chosen)
        assert best is not None
        return best

    def refit_one(self, data: FoldData, fitted: FittedModel) -> "FittedTrees":
        """As many trees of the same kind on training and validation rows."""
        import lightgbm as lgb

        inputs, targets = data.joined
        y, center, scale = _standardised(targets)
        common = _settings(CANDIDATES[0], data)
        (chosen,) = fitted.chosen
        own = {name: chosen[name] for name in CANDIDATES[0]}
        rows = lgb.Dataset(_features(inputs), y, params=common, free_raw_data=False)
        booster = lgb.train(common | own, rows, chosen["trees"])
        return FittedTrees(booster, center, scale, chosen)


class FittedTrees(FittedModel):
    """Trees of a standardised target."""

    def __init__(self, booster: Any, center: float, scale: float, chosen: dict[str, Any]):
        self.booster, self.center, self.scale = booster, center, scale
        self.chosen = [chosen]

    def predict(self, inputs: Inputs) -> np.ndarray:
        """By all trees up to the best."""
        predicted = self.booster.predict(_features(inputs))
        return (self.center + self.scale * predicted)[:, None]


def _settings(candidate: dict[str, float], data: FoldData) -> dict[str, Any]:
    n_snps = data.train.genotypes.n_snps
    return boosting.settings(candidate, n_snps, seed=data.seed, threads=data.threads)


def _standardised(targets: np.ndarray) -> tuple[np.ndarray, float, float]:
    y = targets[:, 0]
    center, scale = y.mean(), y.std() or 1.0
    return (y - center) / scale, center, scale


def _features(inputs: Inputs) -> np.ndarray:
    genotypes = inputs.genotypes
    values = genotypes.codes.astype(np.float32)
    if genotypes.fractions is not None:
        values += genotypes.fractions
    values[genotypes.codes == MISSING] = np.nan
    return values


BOOSTED_TREES = BoostedTrees()
