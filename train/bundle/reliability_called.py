"""What missing genotypes cost a reliability: lines predicted out of fold with SNPs taken away.

SNPs are taken away at random and from all lines at once, as a file lacks those that its chip does
not have. How much that costs depends on which SNPs they are, so every draw stands by the share of
the model's effects that the lines have left.
"""

import numpy as np
from scipy.optimize import isotonic_regression

from snpredict.bundle.reliability_entry import CalledShare
from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import ScoreFunction, TableCells, flat_by_fold
from train.bundle.reliability import Lines, squared_within_families

#: Shares of the SNPs that are taken away, each so often with other SNPs.
_AWAY = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
_DRAWS = 5

#: Lines that are predicted so often, at most.
_MAX_LINES = 6000


def called_shares(
    codes: np.ndarray,
    function: ScoreFunction,
    trait: TraitScale,
    effects: np.ndarray,
    lines: Lines,
    seed: int = 1,
) -> tuple[CalledShare, ...]:
    """Reliability at some shares of called effects, as parts of that of the lines as they are.

    Parameters
    ----------
    codes : ndarray (lines, SNPs) of int8
    function : ScoreFunction
        Of all folds.
    trait : TraitScale
    effects : ndarray (SNPs,) of float64
        Share of each SNP in the model's effects.
    lines : Lines
        ``fold`` is the place in `function` of the fold that did not see a line.
    seed : int
        Of the SNPs that are taken away.

    Returns
    -------
    tuple of CalledShare
        Ascending, the last one that of the lines as they are; empty where these are not predicted
        at all.
    """
    rng = np.random.default_rng(seed)
    if len(codes) > _MAX_LINES:
        some = np.sort(rng.choice(len(codes), _MAX_LINES, replace=False))
        codes, lines = codes[some], lines.rows(some)
    score = _Score(function, trait, lines.fold)
    whole = squared_within_families(lines._replace(predicted=score.predict(codes)))
    if not whole > 0:
        return ()
    points = [(_mean_called(codes, effects), 1.0)]
    for away in _AWAY:
        drawn = []
        for _ in range(_DRAWS):
            masked = codes.copy()
            masked[:, rng.random(codes.shape[1]) < away] = MISSING
            found = squared_within_families(lines._replace(predicted=score.predict(masked)))
            drawn.append((_mean_called(masked, effects), found / whole))
        points.append(tuple(np.mean(drawn, axis=0)))
    called, part = np.array(sorted(points)).T
    smooth = isotonic_regression(np.minimum(part, 1)).x
    return tuple(CalledShare(*pair) for pair in zip(called.tolist(), smooth.tolist(), strict=True))


class _Score:
    """Predicts every line by the one fold that did not see it."""

    def __init__(self, function: ScoreFunction, trait: TraitScale, fold: np.ndarray):
        self._tables = flat_by_fold(function.weights)
        self._function, self._trait = function, trait
        self._rows = {at: np.flatnonzero(fold == at) for at in range(function.n_folds)}

    def predict(self, codes: np.ndarray) -> np.ndarray:
        predicted = np.full(len(codes), np.nan)
        for at, rows in self._rows.items():
            genotypes, only = Genotypes(codes[rows]), self._function.only(at)
            z = only.bias[0] + TableCells(genotypes).look_up(self._tables[at]).sum(axis=1)
            z += only.hidden_scores(genotypes)[:, 0]
            predicted[rows] = self._trait.of_fold(at, z)
        return predicted


def _mean_called(codes: np.ndarray, effects: np.ndarray) -> float:
    return float(((codes != MISSING) @ effects).mean())
