"""Orthogonal contrasts of the three genotypes of a locus, at a population's own frequencies.

With shares p_k of genotypes k = 0, 1, 2, mean m and variance σ² of k, any function of the genotype
is ``mean + α w_A(k) + δ w_D(k)``, where

    w_A(k) = k − m
    w_D    = (−2 p1 p2, 4 p0 p2, −2 p0 p1) / σ²

are uncorrelated with each other and have mean 0. α, the average effect of an allele, is the slope
of the function on k; δ, the dominance deviation, is the heterozygote less the mean of the two
homozygotes. Products of contrasts of different loci are uncorrelated in linkage equilibrium, so
that variances add up. (NOIA: Álvarez-Castro & Carlborg 2007, doi:10.1534/genetics.106.067348.)
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from snpredict.formulas.encoding import CHANNEL_CODES, MISSING, assumed_frequencies

#: Genotypes of a locus.
CODES = (0, 1, 2)


@dataclass(frozen=True)
class Contrasts:
    """Those of all loci.

    Attributes
    ----------
    shares : ndarray (loci, 3) of float64
        Of genotypes 0, 1 and 2 among the known ones.
    additive, dominance : ndarray (loci, 3) of float64
        w_A and w_D; 0 at loci that do not vary.
    """

    shares: np.ndarray
    additive: np.ndarray
    dominance: np.ndarray

    @staticmethod
    def of(frequencies: np.ndarray) -> "Contrasts":
        """At these frequencies (loci, 4) in channel order, as `snps.parquet` holds them."""
        known = assumed_frequencies(frequencies)[:, [CHANNEL_CODES.index(code) for code in CODES]]
        p = known / known.sum(axis=1, keepdims=True)
        mean = p @ np.array(CODES, np.float64)
        additive = np.array(CODES) - mean[:, None]
        variance = (p * additive**2).sum(axis=1)
        varies = variance > 0
        additive[~varies] = 0
        products = np.stack([-p[:, 1] * p[:, 2], 2 * p[:, 0] * p[:, 2], -p[:, 0] * p[:, 1]], axis=1)
        dominance = (
            np.where(varies[:, None], 2 * products, 0) / np.where(varies, variance, 1)[:, None]
        )
        return Contrasts(p, additive, dominance)

    @cached_property
    def additive_variance(self) -> np.ndarray:
        """Of w_A, (loci,): σ²."""
        return (self.shares * self.additive**2).sum(axis=1)

    @cached_property
    def dominance_variance(self) -> np.ndarray:
        """Of w_D, (loci,); 0 where a genotype does not occur: δ cannot be seen there."""
        return (self.shares * self.dominance**2).sum(axis=1)

    def draw(self, lines: int, random: np.random.Generator) -> np.ndarray:
        """Lines (lines, loci) of int8 in linkage equilibrium: every locus by itself."""
        below = np.cumsum(self.shares, axis=1)[:, :2]
        drawn = random.random((lines, len(below)), np.float32)
        return (drawn >= below[:, 0]).astype(np.int8) + (drawn >= below[:, 1]).astype(np.int8)

    def average_effects(self, values: np.ndarray, locus: int) -> np.ndarray:
        """α (lines,) of what is predicted with each genotype of a locus, (lines, 3)."""
        variance = self.additive_variance[locus]
        weights = self.shares[locus] * self.additive[locus] / (variance if variance > 0 else 1)
        return values @ weights

    def deviations(self, values: np.ndarray, locus: int) -> np.ndarray:
        """δ (lines,) likewise; 0 where a genotype does not occur."""
        if (self.shares[locus] == 0).any():
            return np.zeros(len(values))
        return values @ np.array([-0.5, 1.0, -0.5])

    def coded(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """w_A and w_D of lines (lines, loci), each in its own SDs; 0 for a missing genotype."""
        known = np.maximum(codes, 0)
        a, d = (
            np.where(codes == MISSING, 0, np.take_along_axis(unit.T, known, axis=0))
            for unit in (
                _in_sds(self.additive, self.additive_variance),
                _in_sds(self.dominance, self.dominance_variance),
            )
        )
        return a, d


def _in_sds(values: np.ndarray, variance: np.ndarray) -> np.ndarray:
    sd = np.sqrt(variance)
    return (values / np.where(sd > 0, sd, 1)[:, None]).astype(np.float32)
