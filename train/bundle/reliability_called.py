"""What missing genotypes cost a reliability: lines predicted out of fold with SNPs taken away.

SNPs are taken away at random and from all lines at once, as a file lacks those that its chip does
not have. How much that costs depends on which SNPs they are, so every draw stands by the share of
the model's effects that the lines have left.
"""

import numpy as np
from scipy.optimize import isotonic_regression

from snpredict.bundle.reliability_entry import CalledShare
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import (
    HiddenLayer,
    ScoreFunction,
    TableCells,
    flat_by_fold,
    silu,
)
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
    covariates: np.ndarray | None = None,
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
    covariates : ndarray (lines, numbers), optional
        Of a function with fixed effects.

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
        covariates = None if covariates is None else covariates[some]
    away = [rng.random(codes.shape[1]) < share for share in _AWAY for _ in range(_DRAWS)]
    # The first draw takes nothing away.
    masks = np.stack([np.zeros(codes.shape[1], bool), *away])
    predicted = _predicted(codes, masks, function, trait, lines.fold)
    if function.fixed is not None and covariates is not None:
        own = np.maximum(lines.fold, 0)[:, None]
        predicted += np.take_along_axis(function.fixed.added(covariates), own, axis=1)[:, 0]
    whole, *found = (squared_within_families(lines._replace(predicted=p)) for p in predicted)
    if not whole > 0:
        return ()
    called = (codes != MISSING).mean(axis=0) * effects
    drawn = [(float(called[~m].sum()), f / whole) for m, f in zip(away, found, strict=True)]
    points = [(float(called.sum()), 1.0)]
    points += [tuple(draws) for draws in np.reshape(drawn, (-1, _DRAWS, 2)).mean(axis=1)]
    called, part = np.array(sorted(points)).T
    smooth = isotonic_regression(np.minimum(part, 1)).x
    return tuple(CalledShare(*pair) for pair in zip(called.tolist(), smooth.tolist(), strict=True))


def _predicted(
    codes: np.ndarray,
    masks: np.ndarray,
    function: ScoreFunction,
    trait: TraitScale,
    fold: np.ndarray,
) -> np.ndarray:
    """Every line by the one fold that did not see it, the SNPs of each mask being missing.

    What a SNP adds beyond what its missing genotype would is looked up once and taken off by a
    product with all masks.

    Parameters
    ----------
    codes : ndarray (lines, SNPs) of int8
    masks : ndarray (masks, SNPs) of bool

    Returns
    -------
    ndarray (masks, lines) of float64, trait units
    """
    predicted = np.full((len(masks), len(codes)), np.nan)
    missing = function.weights[:, CHANNEL_CODES.index(MISSING)]
    for at, table in enumerate(flat_by_fold(function.weights)):
        rows = np.flatnonzero(fold == at)
        genotypes = Genotypes(codes[rows])
        terms = TableCells(genotypes).look_up(table)
        z = function.bias[at] + terms.sum(axis=1) - masks @ (terms - missing[:, at]).T
        if function.hidden is not None:
            z += _hidden(function.hidden, at, genotypes, masks)
        predicted[:, rows] = trait.of_fold(at, z)
    return predicted


def _hidden(layer: HiddenLayer, at: int, genotypes: Genotypes, masks: np.ndarray) -> np.ndarray:
    """What a fold's hidden layer adds, (masks, lines) float64."""
    x = layer.inputs(at, genotypes)
    left = ~masks[:, layer.snps[at]]
    scores = (x * known @ layer.weights[at] + layer.bias[at] for known in left)
    return np.stack([silu(s) @ layer.output[at] for s in scores])
