"""Gradient-boosted trees (LightGBM) on genotypes: settings that the baseline and a teacher share.

Source: Ke et al. (2017).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import lightgbm

#: Many small trees. With thousands of correlated SNPs a tree needs only a fraction of them, which
#: also makes it several times faster.
SMALL_TREES: dict[str, float] = {
    "num_leaves": 7,
    "feature_fraction": 0.2,
    "min_data_in_leaf": 20,
    "lambda_l2": 1.0,
}
#: A tree is offered this many SNPs at least, or all there are: two need to meet to interact.
LEAST_SNPS = 50
LEARNING_RATE = 0.05
MOST_TREES = 5000
PATIENCE = 100


def settings(
    candidate: dict[str, float], n_snps: int, *, seed: int, threads: int
) -> dict[str, Any]:
    """LightGBM's parameters: those of a candidate, and those that all trees here have."""
    least = min(1.0, LEAST_SNPS / n_snps)
    return {
        "objective": "regression",
        "learning_rate": LEARNING_RATE,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        # Three genotypes and missing: no need to look for bins.
        "max_bin": 7,
        "min_data_in_bin": 1,
        "feature_pre_filter": False,
        "enable_bundle": False,
        "num_threads": threads,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
        **candidate,
        "feature_fraction": max(least, candidate["feature_fraction"]),
    }


def boost(
    parameters: dict[str, Any], train: "lightgbm.Dataset", validation: "lightgbm.Dataset"
) -> "lightgbm.Booster":
    """Add trees until the validation rows have not gained for `PATIENCE` of them."""
    import lightgbm

    return lightgbm.train(
        parameters,
        train,
        MOST_TREES,
        valid_sets=[validation],
        valid_names=["validation"],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )


@dataclass(frozen=True)
class Trees:
    """Boosted trees, cut after the best one."""

    booster: "lightgbm.Booster"

    @property
    def count(self) -> int:
        """How many trees predict."""
        return int(self.booster.best_iteration)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Expected phenotypes of inputs (lines, inputs): ndarray (lines,) of float32."""
        return np.asarray(self.booster.predict(x), np.float32)


def fit_trees(
    x: np.ndarray,
    y: np.ndarray,
    x_validation: np.ndarray,
    y_validation: np.ndarray,
    *,
    seed: int,
    threads: int,
) -> Trees:
    """Fit `SMALL_TREES`; the validation rows choose how many.

    Parameters
    ----------
    x, x_validation : ndarray (lines, SNPs) of float32
        Any increasing function of the codes: trees see their order only.
    y, y_validation : ndarray (lines,) of float32
        Standardised: LightGBM holds labels as float32.
    """
    import lightgbm

    parameters = settings(SMALL_TREES, x.shape[1], seed=seed, threads=threads)
    train = lightgbm.Dataset(x, label=y, params=parameters)
    validation = lightgbm.Dataset(x_validation, y_validation, reference=train, params=parameters)
    return Trees(boost(parameters, train, validation))
