"""Scores of the average line of a training set in which a few SNPs have given genotypes."""

import numpy as np

from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.encoding import centred_codes, channel_of
from snpredict.formulas.score_function import ScoreFunction, silu


def scores_in_average_line(
    function: ScoreFunction | DenseFunction,
    frequencies: np.ndarray,
    snps: np.ndarray,
    codes: np.ndarray,
) -> np.ndarray:
    """Scores with each set of genotypes; all other SNPs are at their average.

    Parameters
    ----------
    function : ScoreFunction or DenseFunction
    frequencies : ndarray (SNPs, 4)
        Of the training set, channel order.
    snps : ndarray (k,) of int64
        Places of different SNPs.
    codes : ndarray (sets, k) of int8
        Their genotypes.

    Returns
    -------
    ndarray (sets, folds) of float64
    """
    if isinstance(function, DenseFunction):
        return function.scores_in_average_line(frequencies, snps, codes)
    channels = channel_of(codes)
    weights = function.weights[snps].astype(np.float64)
    average = function.average(frequencies)[snps]
    z = function.bias + function.average(frequencies).sum(axis=0)
    z = z + sum(weights[at, channels[:, at]] - average[at] for at in range(len(snps)))
    hidden = function.hidden
    for fold in range(function.n_folds if hidden is not None else 0):
        assert hidden is not None
        x = hidden.average_inputs(fold, frequencies)
        s = hidden.bias[fold] + x @ hidden.weights[fold] + np.zeros((len(codes), 1))
        for at, snp in enumerate(snps):
            for place in np.flatnonzero(hidden.snps[fold] == snp):
                own = centred_codes(hidden.means[fold][[place]])[0, channels[:, at]]
                s += np.outer(own - x[place], hidden.weights[fold][place])
        z[:, fold] += silu(s) @ hidden.output[fold]
    return z
