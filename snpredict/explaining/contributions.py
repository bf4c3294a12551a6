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
"""

from dataclasses import dataclass, replace

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.errors import NotExplainable
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
    function : ScoreFunction
    trait : TraitScale
    frequencies : ndarray (SNPs, 4)
        Channel order; rows add up to 1.
    """

    function: ScoreFunction
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
        Mean over the folds, trait units; 0 = the average genotype of the training set.
    reference : float
        Prediction for that average genotype, mean over the folds, trait units.
    prediction : ndarray (samples,) of float64
        From the same weights, in float64: ``reference + values.sum(axis=1)``, up to rounding.
    """

    values: np.ndarray
    reference: float
    prediction: np.ndarray


def read_ensemble(bundle: Bundle, scorer: Scorer) -> Ensemble:
    """The ensemble of a bundle, its weights taken from the graph that predicts.

    Raises
    ------
    NotExplainable
        The bundle has no fused ensemble.
    """
    function = scorer.score_function()
    if function is None:
        raise NotExplainable(
            f"model {bundle.manifest.name!r} has no fused ensemble: its layers are not known, and "
            "it has no exact contributions",
            "its saliency is there: snpredict explain --snp NAME",
        )
    return Ensemble(function, bundle.manifest.trait_scale, bundle.snps.frequencies)


def contributions(genotypes: Genotypes, ensemble: Ensemble) -> Contributions:
    """Contribution of every SNP to every sample's prediction, as the module's text defines it.

    Parameters
    ----------
    genotypes : Genotypes
    ensemble : Ensemble

    Returns
    -------
    Contributions
    """
    e, function = ensemble, ensemble.function
    n_samples, n_snps = genotypes.codes.shape
    n_folds = function.n_folds
    z_ref = function.reference(e.frequencies)
    steps_of = flat_by_fold(function.weights - function.average(e.frequencies)[:, None, :])
    cells = TableCells(genotypes)
    values = np.zeros((n_samples, n_snps))
    prediction = np.zeros(n_samples)
    for fold in range(n_folds):
        steps = cells.look_up(steps_of[fold])
        if function.hidden is not None:
            _add_hidden(steps, function.hidden, fold, genotypes, e.frequencies)
        z = z_ref[fold] + steps.sum(axis=1)
        steps *= e.trait.chord(fold, z, z_ref[fold])[:, None]
        values += steps
        prediction += e.trait.of_fold(fold, z) / n_folds
    reference = float(np.mean(e.trait.predictions(z_ref)))
    return Contributions(values, reference, prediction)


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
