"""What the folds' networks agree on: means, standard deviations and signs, and what they add up to.

Folds are taken in one after the other, so that a matrix of all pairs is held three times and not
once per fold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


class OverFolds:
    """Mean, SD and sign agreement of values that come fold by fold."""

    def __init__(self) -> None:
        self.n = 0
        self._mean = self._squares = self._positive = np.zeros(0)

    def add(self, values: np.ndarray) -> None:
        """Take in the values of one more fold."""
        if self.n == 0:
            self._mean = np.zeros_like(values)
            self._squares = np.zeros_like(values)
            self._positive = np.zeros(values.shape, np.uint8)
        self.n += 1
        away = values - self._mean
        self._mean += away / self.n
        self._squares += away * (values - self._mean)
        self._positive += values > 0

    @property
    def mean(self) -> np.ndarray:
        """Over the folds."""
        return self._mean

    @property
    def sd(self) -> np.ndarray:
        """Over the folds; NaN with one fold."""
        if self.n < 2:
            return np.full(self._mean.shape, np.nan)
        return np.sqrt(self._squares / (self.n - 1))

    @property
    def sign_agreement(self) -> np.ndarray:
        """Share of the folds whose value has the sign of the mean."""
        share = self._positive / max(self.n, 1)
        return np.where(self._mean > 0, share, 1 - share)


#: Interactions of the contrasts of two loci.
ADDITIVE_BY_ADDITIVE = "additive_by_additive"
ADDITIVE_BY_DOMINANCE = "additive_by_dominance"
DOMINANCE_BY_ADDITIVE = "dominance_by_additive"
DOMINANCE_BY_DOMINANCE = "dominance_by_dominance"


@dataclass(frozen=True)
class Pairs:
    """One kind of interaction between some loci and all loci.

    Attributes
    ----------
    chosen : ndarray (n,) of int64
        Places of the first loci.
    standardised : OverFolds
        (n, loci): the SD that the pair adds to the trait in linkage equilibrium, with its sign;
        NaN for a locus with itself.
    one_sd, other_sd : ndarray (n,), (loci,)
        Of the contrasts, by which effects per unit of them are told.
    """

    chosen: np.ndarray
    one_sd: np.ndarray
    other_sd: np.ndarray
    symmetric: bool
    standardised: OverFolds = field(default_factory=OverFolds)

    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of every pair that is known, each pair once."""
        known = np.isfinite(self.standardised.mean)
        if self.symmetric:
            rank = np.full(len(self.other_sd), len(self.chosen))
            rank[self.chosen] = np.arange(len(self.chosen))
            known &= rank[None, :] > np.arange(len(self.chosen))[:, None]
        rows, columns = np.nonzero(known)
        return rows, columns

    def per_unit(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """1 for each standardised effect as an effect per unit of both contrasts."""
        sds = self.one_sd[rows] * self.other_sd[columns]
        return np.divide(1.0, sds, out=np.zeros_like(sds), where=sds > 0)


@dataclass(frozen=True)
class Decomposed:
    """The networks of one trait.

    Attributes
    ----------
    trait, unit : str
    snps : sequence of str
    haploid : bool
    lines : int
        In which sensitivities were taken, of each fold.
    additive, dominance, epistatic_variance : OverFolds
        (loci,): average effect of an allele, heterozygote less the mean of the homozygotes, and the
        variance of all interactions of the locus with one other.
    pairs : dict of str to Pairs
    variances, errors : list of dict of str to float
        Components of each fold, and their standard errors over the lines.
    off : float or None
        Largest distance of the linear map from the network, SDs of the trait.
    """

    trait: str
    unit: str
    snps: Sequence[str]
    haploid: bool
    lines: int
    additive: OverFolds
    dominance: OverFolds
    epistatic_variance: OverFolds
    pairs: dict[str, Pairs]
    variances: list[dict[str, float]]
    errors: list[dict[str, float]]
    off: float | None
