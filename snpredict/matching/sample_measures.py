"""What is measured of every sample of a file beside its prediction, while the file streams by."""

from dataclasses import dataclass

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.sample_rates import SampleRates, sample_rates
from snpredict.formulas.similarity import ROWS, Similarity
from snpredict.matching.match import Match

#: Rows and genotypes at a time, at most, which then fit a processor's cache.
_ROWS = 64
_GENOTYPES = 1 << 20


@dataclass(frozen=True)
class SampleMeasures:
    """One number of each kind per sample.

    Attributes
    ----------
    missing : ndarray (samples,) of int64
        Missing genotypes, absent SNPs included.
    weighted_call_rate : ndarray (samples,) of float64
        Share of the model's effects that the called genotypes carry, see
        `snpredict.matching.match.effect_weights`; a SNP that the file lacks is not called.
    rates : SampleRates
        Heterozygosity, and the call rate among the SNPs that the file has.
    distances : ndarray (samples,) of float64, or None
        From the training set, see `snpredict.formulas.similarity`; None where the bundle has no
        table.
    """

    missing: np.ndarray
    weighted_call_rate: np.ndarray
    rates: SampleRates
    distances: np.ndarray | None

    def row(self, at: int) -> "SampleMeasures":
        """Those of one sample alone."""
        one = slice(at, at + 1)
        return SampleMeasures(
            self.missing[one],
            self.weighted_call_rate[one],
            SampleRates(self.rates.heterozygosity[one], self.rates.call_rate[one]),
            None if self.distances is None else self.distances[one],
        )


class MeasureCollector:
    """Measures all samples of a file, block by block.

    Parameters
    ----------
    bundle : Bundle
    match : Match
        Of the file and the bundle.
    """

    def __init__(self, bundle: Bundle, match: Match):
        self._weights = match.weights
        self._n_found = int(match.matched.sum())
        self._missing = [np.empty(0, np.int64)]
        self._weighted = [np.empty(0)]
        self._heterozygosity = [np.empty(0)]
        self._call_rate = [np.empty(0)]
        self._distances = _DistanceCollector(bundle.similarity)

    def add(self, genotypes: Genotypes) -> None:
        """Take some more samples."""
        rows = min(_ROWS, max(1, _GENOTYPES // genotypes.n_snps))
        for start in range(0, len(genotypes), rows):
            part = genotypes.rows(slice(start, start + rows))
            self._missing.append(part.missing())
            self._weighted.append((part.codes != MISSING).astype(np.float64) @ self._weights)
            rates = sample_rates(part, self._n_found)
            self._heterozygosity.append(rates.heterozygosity)
            self._call_rate.append(rates.call_rate)
        self._distances.add(genotypes)

    def collected(self) -> SampleMeasures:
        """Those of all samples so far."""
        return SampleMeasures(
            np.concatenate(self._missing),
            # Rounded, because sums in double precision are not exact to the last bit.
            np.round(np.concatenate(self._weighted), 9),
            SampleRates(np.concatenate(self._heterozygosity), np.concatenate(self._call_rate)),
            self._distances.collected(),
        )


class _DistanceCollector:
    """Distances of all samples of a file, block by block.

    Parameters
    ----------
    similarity : Similarity or None
        None gives no distances.
    """

    def __init__(self, similarity: Similarity | None):
        self._similarity = similarity
        self._distances = [np.empty(0)]
        self._parts: list[Genotypes] = []
        self._waiting = 0

    def add(self, genotypes: Genotypes) -> None:
        """Take some more samples."""
        if self._similarity is None:
            return
        for start in range(0, len(genotypes), ROWS):
            part = genotypes.rows(slice(start, start + ROWS))
            # Of small blocks several are taken together: the table's few SNPs wait for others.
            self._parts.append(part.snps(self._similarity.table.snps))
            self._waiting += len(part)
            if self._waiting >= ROWS:
                self._measure()

    def collected(self) -> np.ndarray | None:
        """Distances of all samples so far (samples,), or None without a table."""
        if self._similarity is None:
            return None
        self._measure()
        return np.concatenate(self._distances)

    def _measure(self) -> None:
        if self._similarity is None or not self._parts:
            return
        together = Genotypes.joined(self._parts)
        self._distances.append(self._similarity.table.distances_of_chosen(together))
        self._parts, self._waiting = [], 0
