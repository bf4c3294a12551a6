"""Why a prediction is what it is: contributions of every SNP, sample by sample.

A fold model has, for the genotype channels c_j of a sample, the score of
`snpredict.formulas.score_function` and from it

    prediction = center + scale · g(z)

with the link g of `snpredict.formulas.links`. Its reference is the average genotype of the training
set, with E_j = Σ_c freq[j, c] · W[j, c] in place of W[j, c_j], and the mean of x_j. Contributions
follow the rescale rule of DeepLIFT (Shrikumar, Greenside, Kundaje 2017, eq. 10): what a function of
one number adds is shared out in proportion to what went in, by the slope m of the chord between
sample and reference.

    step_j = W[j, c_j] − E_j + Σ_h v_h m_h U[j, h] (x_j − mean x_j)        z = z_ref + Σ_j step_j
    contribution_j = scale · m · step_j

so that the contributions of a sample add up to prediction − reference prediction. With one hidden
layer the steps are also the integrated gradients of the score (Sundararajan, Taly, Yan 2017) along
the straight line from the reference, whose integral over each unit is the chord. Those of the
ensemble are the means over the folds, and add up alike. For a dosage, code + f with 0 < f < 1,
W[j, c_j] is (1 − f) · W[j, code] + f · W[j, code + 1]: the expected genotype.

Covariates that are fixed effects (`snpredict.formulas.fixed_effects`) contribute what they add.
Where the fold models are dense networks (`snpredict.formulas.dense_function`), the rescale rule is
passed back through all their layers, and covariates have contributions beside the SNPs. Those of a
probability are logits: there the SNPs add up, and the mean over the folds of the logits is what
they add up to.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.errors import NotExplainable
from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import (
    HiddenLayer,
    ScoreFunction,
    TableCells,
    flat_by_fold,
    silu_chord,
)
from snpredict.scoring.scorer import Scorer


@dataclass(frozen=True)
class Ensemble:
    """Everything that the formulas above need.

    Attributes
    ----------
    function : ScoreFunction or DenseFunction
    trait : TraitScale
    frequencies : ndarray (SNPs, 4)
        Channel order; rows add up to 1.
    """

    function: ScoreFunction | DenseFunction
    trait: TraitScale
    frequencies: np.ndarray

    def only(self, fold: int) -> "Ensemble":
        """The fold model at that place by itself."""
        return replace(self, function=self.function.only(fold), trait=self.trait.only(fold))


@dataclass(frozen=True)
class Contributions:
    """What each SNP added to the prediction of each sample.

    Attributes
    ----------
    values : ndarray (samples, SNPs) of float64
        Mean over the folds, trait units or logits; 0 = the average genotype of the training set.
    covariates : ndarray (samples, numbers) of float64
        Likewise of the numbers that covariates are coded as; 0 = their average.
    reference : float
        Of that average sample, mean over the folds, trait units or logits.
    score : ndarray (samples,) of float64
        ``reference`` and all contributions together: the prediction, or the logit.
    prediction : ndarray (samples,) of float64
        From the same weights, in float64: trait units, or the probability.
    """

    values: np.ndarray
    covariates: np.ndarray
    reference: float
    score: np.ndarray
    prediction: np.ndarray


def read_ensemble(bundle: Bundle, scorer: Scorer) -> Ensemble:
    """The ensemble of a bundle, its weights taken from the graph that predicts.

    Raises
    ------
    NotExplainable
        The layers of its models are not known.
    """
    function = scorer.score_function()
    if function is None:
        raise NotExplainable(
            f"the layers of model {bundle.manifest.name!r} are not known: it has no exact "
            "contributions",
            "its saliency is there: snpredict explain --snp NAME",
        )
    return Ensemble(function, bundle.manifest.trait_scale, bundle.snps.frequencies)


def contributions(
    genotypes: Genotypes, ensemble: Ensemble, covariates: np.ndarray | None = None
) -> Contributions:
    """Contribution of every SNP to every sample's prediction, as the module's text defines it.

    Parameters
    ----------
    genotypes : Genotypes
    ensemble : Ensemble
    covariates : ndarray (samples, numbers), or None
        Of models that take them; NaN for a missing value.

    Returns
    -------
    Contributions
    """
    function, trait = ensemble.function, ensemble.trait
    n_samples, n_folds = len(genotypes), function.n_folds
    additive = trait.additive()
    z_ref = function.reference(ensemble.frequencies)
    steps_of = _steps(genotypes, covariates, ensemble)
    values = np.zeros((n_samples, genotypes.n_snps))
    of_covariates = np.zeros((n_samples, function.n_covariates))
    if covariates is None:
        covariates = np.full(of_covariates.shape, np.nan)
    prediction, score = np.zeros(n_samples), np.zeros(n_samples)
    for fold in range(n_folds):
        steps, by_number = steps_of(fold)
        z = z_ref[fold] + steps.sum(axis=1) + by_number.sum(axis=1)
        chord = additive.chord(fold, z, z_ref[fold])[:, None]
        steps *= chord
        values += steps
        of_covariates += chord * by_number
        score += additive.of_fold(fold, z) / n_folds
        prediction += trait.of_fold(fold, z) / n_folds
        if isinstance(function, ScoreFunction) and function.fixed is not None:
            by_number = function.fixed.by_number(fold, covariates) / n_folds
            of_covariates += by_number
            score += by_number.sum(axis=1)
            prediction += by_number.sum(axis=1)
    reference = float(np.mean(additive.predictions(z_ref)))
    return Contributions(values, of_covariates, reference, score, prediction)


def _steps(
    genotypes: Genotypes, covariates: np.ndarray | None, ensemble: Ensemble
) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """From a fold to the steps of its score: (samples, SNPs) and (samples, numbers)."""
    function, frequencies = ensemble.function, ensemble.frequencies
    if isinstance(function, DenseFunction):
        return lambda fold: function.steps(fold, genotypes, covariates, frequencies)
    table = flat_by_fold(function.weights - function.average(frequencies)[:, None, :])
    cells = TableCells(genotypes)
    # Fixed effects are no part of the score.
    hidden, no_covariates = function.hidden, np.zeros((len(genotypes), function.n_covariates))

    def steps_of(fold: int) -> tuple[np.ndarray, np.ndarray]:
        steps = cells.look_up(table[fold])
        if hidden is not None:
            _add_hidden(steps, hidden, fold, genotypes, frequencies)
        return steps, no_covariates

    return steps_of


def _add_hidden(
    steps: np.ndarray,
    hidden: HiddenLayer,
    fold: int,
    genotypes: Genotypes,
    frequencies: np.ndarray,
) -> None:
    """Add the hidden layer's part to the steps (samples, SNPs) of one fold, in place."""
    weights = hidden.weights[fold]
    x_ref = hidden.average_inputs(fold, frequencies)
    difference = hidden.inputs(fold, genotypes) - x_ref
    s_ref = hidden.bias[fold] + x_ref @ weights
    chord = silu_chord(s_ref + difference @ weights, s_ref)
    by_snp = (chord * hidden.output[fold]) @ weights.T
    steps[:, hidden.snps[fold]] += difference * by_snp


def largest(values: np.ndarray, count: int) -> np.ndarray:
    """Per row, the columns of the largest absolute values, largest first; ties by position.

    Parameters
    ----------
    values : ndarray (samples, SNPs)
    count : int
        At least 1.

    Returns
    -------
    ndarray (samples, min(count, SNPs)) of int64
    """
    sizes = np.abs(values)
    n_snps = values.shape[1]
    count = min(count, n_snps)
    order = np.empty((len(values), count), np.int64)
    # Only what reaches the smallest size that belongs to the result has to be sorted.
    smallest = np.partition(sizes, n_snps - count, axis=1)[:, n_snps - count]
    for row in range(len(values)):
        candidates = np.flatnonzero(sizes[row] >= smallest[row])
        by_size = np.argsort(-sizes[row, candidates], kind="stable")
        order[row] = candidates[by_size[:count]]
    return order
