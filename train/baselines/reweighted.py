"""The re-weighted ridge, the start of the preset ``linear``, as a baseline."""

from typing import Any

import numpy as np

from train.baselines.ridge import fit_ridge
from train.data.centred import centered
from train.data.folds import Split
from train.model import Fitted, FoldInput

#: How often effects are re-weighted, and how far down, as in the start of the preset ``linear``.
REWEIGHTINGS, SHRINKAGE_FLOOR = 1, 0.1


def reweighted_ridge(fold: FoldInput, refit: bool) -> Fitted:
    """Ridge regression whose prior variances follow the squared effects of a first one."""
    n_train = len(fold.train_codes)
    codes, targets, _ = fold.joined()
    validation = np.arange(n_train, len(codes))
    rows = Split(np.arange(n_train), validation, np.empty(0, np.int64))
    # With one λ to choose from, the validation rows among the training rows choose nothing.
    all_rows = Split(np.arange(len(codes)), validation, np.empty(0, np.int64))

    test = np.empty((len(fold.test_codes), targets.shape[1]))
    again = np.empty_like(test) if refit else None
    chosen: list[dict[str, Any]] = []
    for target in range(targets.shape[1]):
        y = targets[:, target]
        test[:, target], heritability, mse = _predict(fold, codes, y, rows)
        chosen.append({"heritability": heritability, "validation_mse": mse})
        if again is not None:
            again[:, target] = _predict(fold, codes, y, all_rows, heritability)[0]
    return Fitted(test, again, chosen)


def _predict(
    fold: FoldInput,
    codes: np.ndarray,
    y: np.ndarray,
    rows: Split,
    heritability: float | None = None,
) -> tuple[np.ndarray, float, float]:
    center, scale = float(y[rows.train].mean()), float(y[rows.train].std())
    only = {} if heritability is None else {"heritabilities": (heritability,)}
    solution = fit_ridge(
        codes,
        ((y - center) / scale).astype(np.float32),
        rows,
        reweightings=REWEIGHTINGS,
        floor=SHRINKAGE_FLOOR,
        **only,
    )
    score = centered(fold.test_codes, solution.means) @ solution.effects
    return (
        center + scale * score.astype(np.float64),
        solution.heritability,
        solution.validation_mse * scale**2,
    )
