"""The score of every fold model as numbers: what the ensemble's graph computes before its ISRU.

For the genotype channels c_j of a sample a fold's score is

    z = b + Σ_j W[j, c_j] + Σ_h v_h φ(s_h)        s_h = a_h + Σ_{j in S} U[j, h] x_j

a weighted sum over all SNPs and, where the network has one, a hidden layer over some of them.
x_j is the code minus the SNP's mean in the fold's training rows, and 0 for a missing genotype;
φ(s) = s / (1 + exp(−s)), the SiLU (Elfwing, Uchibe, Doya 2018). A dosage, code + f with
0 < f < 1, is the expected genotype: W[j, c_j] becomes (1 − f) W[j, code] + f W[j, code + 1], and
x_j becomes x_j + f.
"""

from dataclasses import dataclass

import numpy as np

from snpredict.formulas.encoding import (
    CHANNEL_CODES,
    MISSING,
    N_CHANNELS,
    centred_codes,
    channel_of,
)
from snpredict.formulas.fixed_effects import FixedEffects
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import sigmoid


@dataclass(frozen=True)
class HiddenLayer:
    """The hidden layers of all folds, each over SNPs of its own; all numbers in float64.

    Attributes
    ----------
    snps : ndarray (folds, inputs) of int64
        Places of the SNPs in the model's order.
    means : ndarray (folds, inputs)
        Mean code in the fold's training rows.
    weights : ndarray (folds, inputs, units)
        U, per copy of the counted allele.
    bias, output : ndarray (folds, units)
        a and v.
    """

    snps: np.ndarray
    means: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    output: np.ndarray

    def inputs(self, fold: int, genotypes: Genotypes) -> np.ndarray:
        """x of one fold: ndarray (samples, inputs) of float64."""
        chosen = genotypes.snps(self.snps[fold])
        x = np.where(chosen.codes == MISSING, 0.0, chosen.codes - self.means[fold])
        return x if chosen.fractions is None else x + chosen.fractions

    def average_inputs(self, fold: int, frequencies: np.ndarray) -> np.ndarray:
        """x of the average genotype: ndarray (inputs,) of float64.

        Parameters
        ----------
        frequencies : ndarray (SNPs, 4)
            Channel order; rows add up to 1.
        """
        return (frequencies[self.snps[fold]] * centred_codes(self.means[fold])).sum(axis=1)


@dataclass(frozen=True)
class ScoreFunction:
    """Everything that the formula above needs.

    Attributes
    ----------
    weights : ndarray (SNPs, 4, folds)
        W, channel order.
    bias : ndarray (folds,)
        b.
    hidden : HiddenLayer or None
    fixed : FixedEffects or None
        Of covariates. They are no part of z: they are added to the prediction, in trait units.
    """

    weights: np.ndarray
    bias: np.ndarray
    hidden: HiddenLayer | None = None
    fixed: FixedEffects | None = None

    @property
    def n_folds(self) -> int:
        """Number of fold models."""
        return len(self.bias)

    @property
    def n_covariates(self) -> int:
        """Numbers that covariates are coded as."""
        return 0 if self.fixed is None else self.fixed.n_numbers

    def only(self, fold: int) -> "ScoreFunction":
        """The fold model at that place by itself."""
        at = slice(fold, fold + 1)
        hidden = self.hidden
        if hidden is not None:
            hidden = HiddenLayer(
                hidden.snps[at],
                hidden.means[at],
                hidden.weights[at],
                hidden.bias[at],
                hidden.output[at],
            )
        return ScoreFunction(
            self.weights[:, :, at],
            self.bias[at],
            hidden,
            None if self.fixed is None else self.fixed.only(fold),
        )

    def average(self, frequencies: np.ndarray) -> np.ndarray:
        """``Σ_c frequencies[j, c] W[j, c]`` of every SNP: ndarray (SNPs, folds)."""
        return np.einsum("jc,jcf->jf", frequencies, self.weights)

    def reference(self, frequencies: np.ndarray) -> np.ndarray:
        """Scores of the average genotype of a population.

        Parameters
        ----------
        frequencies : ndarray (SNPs, 4)
            Channel order; rows add up to 1.

        Returns
        -------
        ndarray (folds,) of float64
        """
        z = self.bias + self.average(frequencies).sum(axis=0)
        if self.hidden is not None:
            for fold in range(self.n_folds):
                x = self.hidden.average_inputs(fold, frequencies)
                s = self.hidden.bias[fold] + x @ self.hidden.weights[fold]
                z[fold] += silu(s) @ self.hidden.output[fold]
        return z

    def hidden_scores(self, genotypes: Genotypes) -> np.ndarray:
        """What the hidden layers add to the scores: (samples, folds) float64; 0 without them."""
        z = np.zeros((len(genotypes), self.n_folds))
        if self.hidden is None:
            return z
        for fold in range(self.n_folds):
            x = self.hidden.inputs(fold, genotypes)
            s = self.hidden.bias[fold] + x @ self.hidden.weights[fold]
            z[:, fold] = silu(s) @ self.hidden.output[fold]
        return z


def dosage_steps(weights: np.ndarray) -> dict[int, np.ndarray]:
    """What one more counted allele changes, by the code that it is added to.

    Parameters
    ----------
    weights : ndarray (SNPs, 4, ...)
        Channel order.

    Returns
    -------
    dict
        For code 0 and code 1: ndarray (SNPs, ...).
    """
    of_code = {code: weights[:, CHANNEL_CODES.index(code)] for code in (0, 1, 2)}
    return {code: of_code[code + 1] - of_code[code] for code in (0, 1)}


def flat_by_fold(table: np.ndarray) -> np.ndarray:
    """(SNPs, 4, folds) → (folds, SNPs · 4) float64: a fold's look-ups lie close together."""
    return np.ascontiguousarray(np.moveaxis(table, 2, 0), np.float64).reshape(table.shape[2], -1)


class TableCells:
    """Where genotypes stand in flat (SNPs · 4,) tables of a number per SNP and channel.

    Parameters
    ----------
    genotypes : Genotypes
    """

    def __init__(self, genotypes: Genotypes):
        first = np.arange(genotypes.n_snps) * N_CHANNELS
        self._cells = first + channel_of(genotypes.codes)
        self._fractions = genotypes.fractions
        if self._fractions is not None:
            self._one_more = first + channel_of(genotypes.codes + (self._fractions > 0))

    def look_up(self, table: np.ndarray, snps: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Entries (samples, SNPs) of all or some SNPs, between two codes where there are dosages.

        Parameters
        ----------
        table : ndarray (SNPs · 4,) of float64
            Of all SNPs, such as a row of `flat_by_fold`.
        snps : slice or ndarray of int
            Places of those asked for.
        """
        terms = table.take(self._cells[:, snps])
        if self._fractions is not None:
            terms += self._fractions[:, snps] * (table.take(self._one_more[:, snps]) - terms)
        return terms


def silu(s: np.ndarray) -> np.ndarray:
    """``s / (1 + exp(−s))``, without overflow."""
    return s * sigmoid(s)


def silu_slope(s: np.ndarray) -> np.ndarray:
    """Derivative of `silu`."""
    sigma = sigmoid(s)
    return sigma * (1 + s * (1 - sigma))


def silu_chord(s: np.ndarray, s_ref: np.ndarray) -> np.ndarray:
    """``(silu(s) − silu(s_ref)) / (s − s_ref)``, or the derivative where the two meet.

    Close to each other, where the quotient would cancel, the derivative in the middle is the
    chord's slope up to a term of the order of the squared distance.
    """
    distance = s - s_ref
    near = np.abs(distance) < 1e-5
    quotient = (silu(s) - silu(s_ref)) / np.where(near, 1.0, distance)
    return np.where(near, silu_slope((s + s_ref) / 2), quotient)
