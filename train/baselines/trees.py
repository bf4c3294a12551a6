"""Gradient-boosted trees (LightGBM), stopped on the validation rows.

Source: Ke et al. (2017). Unlike the other baselines trees see interactions of SNPs.
"""

from typing import Any

import numpy as np

from snpredict.formulas.encoding import MISSING
from train.baselines import boosting
from train.model import Fitted, FoldInput

#: Settings that the validation rows choose between: many small trees, or fewer large ones that
#: are held back by more shrinkage.
CANDIDATES: tuple[dict[str, float], ...] = (
    boosting.SMALL_TREES,
    {"num_leaves": 31, "feature_fraction": 0.1, "min_data_in_leaf": 50, "lambda_l2": 10.0},
)


def boosted_trees(fold: FoldInput, refit: bool) -> Fitted:
    """Boosted regression trees on the codes, a gap being LightGBM's own missing value.

    The number of trees and one of `CANDIDATES` are chosen by validation MSE.
    """
    import lightgbm as lgb

    x, x_validation = _features(fold.train_codes), _features(fold.validation_codes)
    x_test = _features(fold.test_codes)
    y, y_validation = fold.train_targets, fold.validation_targets
    common = boosting.settings(CANDIDATES[0], x.shape[1], seed=fold.seed, threads=fold.threads)
    train = lgb.Dataset(x, label=y[:, 0], params=common, free_raw_data=False)
    validation = lgb.Dataset(x_validation, y_validation[:, 0], reference=train, params=common)

    test = np.empty((len(x_test), y.shape[1]))
    chosen: list[dict[str, Any]] = []
    for target in range(y.shape[1]):
        # LightGBM holds labels as float32: standardised, a trait with a large mean loses nothing.
        center, scale = y[:, target].mean(), y[:, target].std() or 1.0
        train.construct().set_label((y[:, target] - center) / scale)
        validation.construct().set_label((y_validation[:, target] - center) / scale)
        best: dict[str, Any] | None = None
        for candidate in CANDIDATES:
            parameters = boosting.settings(
                candidate, x.shape[1], seed=fold.seed, threads=fold.threads
            )
            booster = boosting.boost(parameters, train, validation)
            mse = float(booster.best_score["validation"]["l2"]) * scale**2
            if best is None or mse < best["validation_mse"]:
                best = {
                    **{name: parameters[name] for name in candidate},
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
        count = setting.pop("trees")
        del setting["validation_mse"]
        test[:, target] = center + scale * lgb.train(common | setting, data, count).predict(x_test)
    return test
