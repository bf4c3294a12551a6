"""Call rate and heterozygosity of samples, and what is usual of them in a training set.

The distance from the training set sees neither: a missing genotype counts nothing in it, and a
heterozygote lies in the middle between two homozygotes, near to everything.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from snpredict.formulas.genotypes import Genotypes, count_by_row

#: A set that is called everywhere, or whose lines are all inbred, still allows this much.
TOLERANCE = 0.01

#: A sample with a smaller share called has no heterozygosity, which would be a matter of chance;
#: nor a distance, whose share is of the table's variance.
MIN_CALLED = 0.5


@dataclass(frozen=True)
class SampleRates:
    """What is called of every sample.

    Attributes
    ----------
    heterozygosity : ndarray (samples,) of float64
        Share of heterozygous genotypes (code 1) among those called; NaN where less than
        `MIN_CALLED` is.
    call_rate : ndarray (samples,) of float64
        Share of called genotypes among the SNPs that are there.
    """

    heterozygosity: np.ndarray
    call_rate: np.ndarray


@dataclass(frozen=True)
class RateLimits:
    """Beyond which rates a sample is called unlike the training set.

    Attributes
    ----------
    heterozygosity : tuple of float
        Smallest and largest that are like it.
    call_rate : float
        Smallest.
    """

    heterozygosity: tuple[float, float]
    call_rate: float

    def heterozygosity_outside(self, rates: SampleRates) -> np.ndarray:
        """Whose heterozygosity is smaller or larger, bool; NaN is not."""
        lowest, highest = self.heterozygosity
        return (rates.heterozygosity < lowest) | (rates.heterozygosity > highest)

    def call_rate_outside(self, rates: SampleRates) -> np.ndarray:
        """Whose call rate is smaller, bool."""
        return rates.call_rate < self.call_rate


def rate_limits(rates: SampleRates, share: float) -> RateLimits:
    """Limits that this share of the training samples keeps, on each side, and `TOLERANCE` more.

    Quantiles and not the extremes: one line of a thousand that was badly genotyped would blind
    them. At least one sample must have a heterozygosity.
    """
    known = rates.heterozygosity[~np.isnan(rates.heterozygosity)]
    low, high = _quantile(known, 1 - share, "lower"), _quantile(known, share, "higher")
    return RateLimits(
        (max(0.0, low - TOLERANCE), min(1.0, high + TOLERANCE)),
        max(0.0, _quantile(rates.call_rate, 1 - share, "lower") - TOLERANCE),
    )


def _quantile(values: np.ndarray, share: float, method: Literal["lower", "higher"]) -> float:
    return float(np.quantile(values, share, method=method))


def sample_rates(genotypes: Genotypes, n_snps: int | None = None) -> SampleRates:
    """Call rate and heterozygosity of some samples; a dosage counts by its nearest code.

    Parameters
    ----------
    genotypes : Genotypes
    n_snps : int, optional
        How many of the SNPs can be called at all; all of them when left out.
    """
    n_columns = genotypes.n_snps
    called = n_columns - genotypes.missing()
    heterozygous = count_by_row(genotypes.nearest() == 1)
    share = np.full(len(genotypes), np.nan)
    enough = (called > 0) & (called >= MIN_CALLED * n_columns)
    np.divide(heterozygous, called, out=share, where=enough)
    return SampleRates(share, called / max(1, n_columns if n_snps is None else n_snps))
