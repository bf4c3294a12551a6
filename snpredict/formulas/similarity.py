"""How far a sample is from the training set: what of its genotype that set leaves unexplained.

The distance is the prediction error variance of an additive model with equal prior variances
(GBLUP, heritability 1/2), in units of what an average training sample would have without any
relative in training: 0 for a genotype that the training set knows wholly, about 1 for one that
shares nothing with it. It is computed in the first principal components of a thinned set of SNPs::

    d = (Σ x_j² − Σ_i w_i t_i²) / s,  x = code − mean,  t_i = Σ_j v_ji x_j,  w_i = l_i / (l_i + s)

with l_i the eigenvalues of XᵀX over the training samples and s the mean of Σ_j x_j² over them. All
numbers of the product are small whole numbers, so that it is exact in single precision: a sample's
distance depends neither on the block that it comes in nor on the machine.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.sample_rates import MIN_CALLED, RateLimits, SampleRates

#: Means are held in steps of 1/16 of an allele, dosages rounded to them.
STEPS = 16

#: Largest absolute loading in the table.
MAX_LOADING = 63

#: With so few SNPs every sum of the product, 2 · 16 · 63 per SNP at most, stays below 2²⁴, up to
#: which float32 holds all whole numbers.
MAX_SNPS = 4000
MAX_COMPONENTS = 512

#: Samples farther than this share of the training samples are called unlike them.
UNLIKE_BEYOND = 0.99

#: Samples at a time: many enough that arrays of few elements do not take the time.
ROWS = 512


#: How often missing genotypes are filled, by their share: up to, rounds. More rounds change the
#: distance by less than a tenth of what the missing genotypes themselves do.
_ROUNDS = ((0.0, 0), (0.02, 1), (0.1, 2), (0.2, 4), (1.0, 10))

#: Up to this share, missing genotypes are filled one by one.
_FEW = 0.1


@dataclass(frozen=True)
class SimilarityTable:
    """Principal components of the training set, in whole numbers.

    Attributes
    ----------
    snps : ndarray (table SNPs,) of int64
        Places in the model's SNPs, ascending.
    means : ndarray (table SNPs,) of int64
        Mean code in training, 1/16 of an allele.
    variances : ndarray (table SNPs,) of float64
        Mean square of the centred codes in training, (1/16 allele)².
    loadings : ndarray (table SNPs, components) of int64
        ``v_ji √w_i / scale``, rounded.
    scale : float
    """

    snps: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    loadings: np.ndarray
    scale: float

    def distances(self, genotypes: Genotypes) -> np.ndarray:
        """Distance of every sample from the training set.

        A missing genotype is filled from the components themselves, by what they expect of it given
        the called ones, a few times over; what is left unexplained is then scaled from the called
        SNPs to the whole table. Which genotypes are missing does not matter otherwise.

        Parameters
        ----------
        genotypes : Genotypes
            Of all SNPs of the model.

        Returns
        -------
        ndarray (samples,) of float64
            NaN where less than `MIN_CALLED` of the table's variance is called.
        """
        found = [np.empty(0)]
        for start in range(0, len(genotypes), ROWS):
            part = genotypes.rows(slice(start, start + ROWS))
            found.append(self.distances_of_chosen(part.snps(self.snps)))
        return np.concatenate(found)

    def distances_of_chosen(self, genotypes: Genotypes) -> np.ndarray:
        """As `distances`, of the table's SNPs only, `ROWS` samples at a time."""
        codes, fractions = genotypes.codes, genotypes.fractions
        x = codes.astype(np.float32)
        if fractions is not None:
            x += fractions
        x *= STEPS
        if fractions is not None:
            np.rint(x, out=x)
        x -= self.means.astype(np.float32)
        return self._distances(x, *np.nonzero(codes == MISSING))

    @cached_property
    def _singles(self) -> np.ndarray:
        return self.loadings.astype(np.float32)

    @cached_property
    def _doubles(self) -> np.ndarray:
        return self.loadings.astype(np.float64)

    def _distances(self, x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Distances of the samples x (rows, SNPs), missing at `rows` and `columns`; x is changed.

        Whole numbers in the range of the codes are filled in, so that the sums stay exact.
        """
        of_all = float(self.variances.sum())
        called = 1 - np.bincount(rows, self.variances[columns], len(x)) / of_all
        share = np.bincount(rows, minlength=len(x)) / x.shape[1]
        rounds = np.select([share <= up_to for up_to, _ in _ROUNDS], [n for _, n in _ROUNDS])
        x[rows, columns] = 0
        scores = x @ self._singles
        few = share[rows] <= _FEW
        for done in range(rounds.max(initial=0)):
            filled = rounds[rows] > done
            at = (rows[filled & few], columns[filled & few])
            if len(at[0]):
                # One by one, each in the same way whatever else is missing.
                expected = np.einsum("pk,pk->p", scores[at[0]], self._singles[at[1]])
                x[at] = self._in_range(expected)
            many = np.flatnonzero((rounds > done) & (share > _FEW))
            if len(many):
                at = (rows[filled & ~few], columns[filled & ~few])
                # Whole numbers far below 2⁵³: exact in double precision.
                together = scores[many].astype(np.float64) @ self._doubles.T
                x[at] = self._in_range(together[np.searchsorted(many, at[0]), at[1]])
            changed = np.flatnonzero(rounds > done)
            scores[changed] = x[changed] @ self._singles
        total = np.einsum("ij,ij->i", x, x).astype(np.float64)
        doubles = scores.astype(np.float64)
        explained = self.scale**2 * np.einsum("ij,ij->i", doubles, doubles)
        distances = np.full(len(x), np.nan)
        enough = called >= MIN_CALLED
        # Rounded, because sums in double precision are not exact to the last bit.
        found = (total - explained)[enough] / (called[enough] * of_all)
        distances[enough] = np.round(np.maximum(found, 0), 6)
        return distances

    def _in_range(self, expected: np.ndarray) -> np.ndarray:
        """Expected values of the codes, as the whole numbers of which sums stay exact."""
        return np.clip(np.rint(expected * self.scale**2), -2 * STEPS, 2 * STEPS)


@dataclass(frozen=True)
class Similarity:
    """A bundle's table together with the distances of its own training samples.

    Attributes
    ----------
    table : SimilarityTable
    training : ndarray (training samples,) of float64
        Distance of each from a table made without its fold, ascending; without NaN.
    rates : RateLimits or None
        Of the same samples; None in a bundle that does not have their rates.
    """

    table: SimilarityTable
    training: np.ndarray
    rates: RateLimits | None = None

    @property
    def limit(self) -> float:
        """Distance beyond which a sample is called unlike the training set."""
        return float(np.quantile(self.training, UNLIKE_BEYOND, method="higher"))

    def beyond_all(self, distances: np.ndarray) -> np.ndarray:
        """Which samples are farther than every training sample, bool: no error was measured."""
        return distances > self.training[-1]

    def percentiles(self, distances: np.ndarray) -> np.ndarray:
        """Percentage of the training samples that are nearer: 0.0 to 100.0 in tenths, or NaN."""
        nearer = np.searchsorted(self.training, distances) / len(self.training)
        return np.where(np.isnan(distances), np.nan, np.round(100 * nearer, 1))

    def unlike(self, distances: np.ndarray) -> np.ndarray:
        """Which samples lie beyond the `limit`, bool; NaN does not."""
        return distances > self.limit

    def unlike_because(self, distances: np.ndarray, rates: SampleRates) -> dict[str, np.ndarray]:
        """Which samples are unlike the training set, (samples,) bool for each reason."""
        because = {"distance": self.unlike(distances)}
        if self.rates is not None:
            because["heterozygosity"] = self.rates.heterozygosity_outside(rates)
            because["call rate"] = self.rates.call_rate_outside(rates)
        return because
