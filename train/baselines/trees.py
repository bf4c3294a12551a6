"""Gradient-boosted trees (LightGBM), stopped on the validation rows.

Source: Ke et al. (2017). Unlike the other baselines trees see interactions of SNPs.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from snpredict.encoding import MISSING
from train.baselines.fold import Fitted, FoldInput

if TYPE_CHECKING:
    import lightgbm

#: Settings that the validation rows choose between: many small trees, or fewer large ones that
#: are held back by more shrinkage. With thousands of correlated SNPs a tree needs only a fraction
#: of them, which also makes it several times faster.
CANDIDATES: tuple[dict[str, float], ...] = (
    {"num_leaves": 7, "feature_fraction": 0.2, "min_data_in_leaf": 20, "lambda_l2": 1.0},
    {"num_leaves": 31, "feature_fraction": 0.1, "min_data_in_leaf": 50, "lambda_l2": 10.0},
)
#: A tree is offered this many SNPs at least, or all there are: two need to meet to interact.
LEAST_SNPS = 50
LEARNING_RATE = 0.05
MOST_TREES = 5000
PATIENCE = 100


def boosted_trees(fold: FoldInput, refit: bool) -> Fitted:
    """Boosted regression trees on the codes, a gap being LightGBM's own missing value.

    The number of trees and one of `CANDIDATES` are chosen by validation MSE.
    """
    import lightgbm as lgb

    common: dict[str, Any] = {
        "objective": "regression",
        "learning_rate": LEARNING_RATE,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        # Three genotypes and missing: no need to look for bins.
        "max_bin": 7,
        "min_data_in_bin": 1,
        "feature_pre_filter": False,
        "enable_bundle": False,
        "num_threads": fold.threads,
        "seed": fold.seed,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }
    x, x_validation = _features(fold.train_codes), _features(fold.validation_codes)
    x_test = _features(fold.test_codes)
    y, y_validation = fold.train_targets, fold.validation_targets
    train = lgb.Dataset(x, label=y[:, 0], params=common, free_raw_data=False)
    validation = lgb.Dataset(x_validation, y_validation[:, 0], reference=train, params=common)

    least = min(1.0, LEAST_SNPS / x.shape[1])
    candidates = [
        {**candidate, "feature_fraction": max(least, candidate["feature_fraction"])}
        for candidate in CANDIDATES
    ]
    test = np.empty((len(x_test), y.shape[1]))
    chosen: list[dict[str, Any]] = []
    for target in range(y.shape[1]):
        # LightGBM holds labels as float32: standardised, a trait with a large mean loses nothing.
        center, scale = y[:, target].mean(), y[:, target].std() or 1.0
        train.construct().set_label((y[:, target] - center) / scale)
        validation.construct().set_label((y_validation[:, target] - center) / scale)
        best: dict[str, Any] | None = None
        for candidate in candidates:
            booster = _train(lgb, common | candidate, train, validation)
            mse = float(booster.best_score["validation"]["l2"]) * scale**2
            if best is None or mse < best["validation_mse"]:
                best = {
                    **candidate,
                    "trees": booster.best_iteration,
                    "validation_mse": mse,
                }
                test[:, target] = center + scale * booster.predict(x_test)
        assert best is not None
        chosen.append(best)
    again = None
    if refit:
        codes, targets, _ = fold.joined()
        again = _refit(lgb, common, chosen, _features(codes), targets, x_test)
    return Fitted(test, again, chosen)


def _features(codes: np.ndarray) -> np.ndarray:
    values = codes.astype(np.float32)
    values[codes == MISSING] = np.nan
    return values


def _train(
    lgb: Any, settings: dict[str, Any], train: "lightgbm.Dataset", validation: "lightgbm.Dataset"
) -> "lightgbm.Booster":
    return lgb.train(
        settings,
        train,
        MOST_TREES,
        valid_sets=[validation],
        valid_names=["validation"],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )


def _refit(
    lgb: Any,
    common: dict[str, Any],
    chosen: list[dict[str, Any]],
    x: np.ndarray,
    y: np.ndarray,
    x_test: np.ndarray,
) -> np.ndarray:
    data = lgb.Dataset(x, label=y[:, 0], params=common, free_raw_data=False).construct()
    test = np.empty((len(x_test), y.shape[1]))
    for target, setting in enumerate(chosen):
        center, scale = y[:, target].mean(), y[:, target].std() or 1.0
        data.set_label((y[:, target] - center) / scale)
        setting = dict(setting)
        trees = setting.pop("trees")
        del setting["validation_mse"]
        test[:, target] = center + scale * lgb.train(common | setting, data, trees).predict(x_test)
    return test
