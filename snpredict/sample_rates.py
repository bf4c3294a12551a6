"""Call rate and heterozygosity of samples, and the range that a training set has of them.

The distance from the training set sees neither: a missing genotype counts nothing in it, and a
heterozygote lies in the middle between two homozygotes, near to everything.
"""

from dataclasses import dataclass

import numpy as np

from snpredict.encoding import MISSING

#: How far beyond the training range a sample may be and still count as inside.
TOLERANCE = 0.01


@dataclass(frozen=True)
class SampleRates:
    """What is called of every sample.

    Attributes
    ----------
    heterozygosity : ndarray (samples,) of float64
        Share of heterozygous genotypes (code 1) among those called; NaN where none is.
    call_rate : ndarray (samples,) of float64
        Share of called genotypes among the SNPs that are there.
    """

    heterozygosity: np.ndarray
    call_rate: np.ndarray


@dataclass(frozen=True)
class TrainingRange:
    """What the samples of a training set have.

    Attributes
    ----------
    heterozygosity : tuple of float
        Smallest and largest.
    call_rate : float
        Smallest.
    """

    heterozygosity: tuple[float, float]
    call_rate: float

    def heterozygosity_outside(self, rates: SampleRates) -> np.ndarray:
        """Whose heterozygosity is outside by more than `TOLERANCE`, bool; NaN is not."""
        lowest, highest = self.heterozygosity
        found = rates.heterozygosity
        return (found < lowest - TOLERANCE) | (found > highest + TOLERANCE)

    def call_rate_outside(self, rates: SampleRates) -> np.ndarray:
        """Whose call rate is smaller by more than `TOLERANCE`, bool."""
        return rates.call_rate < self.call_rate - TOLERANCE


def sample_rates(
    codes: np.ndarray, fractions: np.ndarray | None = None, n_snps: int | None = None
) -> SampleRates:
    """Call rate and heterozygosity of some samples.

    Parameters
    ----------
    codes : ndarray (samples, SNPs) of int8
    fractions : ndarray (samples, SNPs) of float32, optional
        What dosages add to the codes, see `GenotypeBlock`; a dosage counts by its nearest code.
    n_snps : int, optional
        How many of the SNPs can be called at all; all of them when left out.
    """
    nearest = codes if fractions is None else codes + (fractions >= 0.5).astype(np.int8)
    called = np.count_nonzero(codes != MISSING, axis=1)
    heterozygous = np.count_nonzero(nearest == 1, axis=1)
    share = np.full(len(codes), np.nan)
    np.divide(heterozygous, called, out=share, where=called > 0)
    return SampleRates(share, called / max(1, codes.shape[1] if n_snps is None else n_snps))
