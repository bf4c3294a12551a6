"""Filters of SNPs, applied inside the training rows of every fold."""

from dataclasses import dataclass

import numpy as np

from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from train.errors import TrainingTableError

#: Samples that are counted at a time: what is compared is a copy of them.
_ROWS = 256


@dataclass(frozen=True)
class SnpFilters:
    """Which SNPs a model is fitted to.

    Attributes
    ----------
    min_maf : float
        Lowest frequency of the rarer allele among the called genotypes, 0 to 0.5.
    max_missing : float
        Largest share of missing genotypes, 0 to 1.
    max_snps : int or None
        Of more that pass, so many are taken at even steps along the chromosomes: the phenotype has
        no part in it, and every stretch of the genome keeps its share of markers. The best called
        or most frequent ones would crowd where a chip or a caller works well.
    """

    min_maf: float = 0.0
    max_missing: float = 1.0
    max_snps: int | None = None

    @property
    def active(self) -> bool:
        """Whether any SNP can fail."""
        return self != EVERY_SNP

    def __str__(self) -> str:
        parts = [f"minor allele frequency at least {self.min_maf:g}"] * (self.min_maf > 0)
        parts += [f"missing at most {100 * self.max_missing:g} %"] * (self.max_missing < 1)
        if self.max_snps is not None:
            parts.append(f"at most {self.max_snps:,} SNPs at even steps along the chromosomes")
        return ", ".join(parts)

    def kept(self, genotypes: Genotypes, order: np.ndarray) -> np.ndarray:
        """Places of the SNPs that pass, ascending int64.

        Parameters
        ----------
        genotypes : Genotypes
            Of training rows alone.
        order : ndarray (SNPs,) of int
            The SNPs along the chromosomes, see `train.data.snpinfo.SnpInfo.along`.

        Raises
        ------
        TrainingTableError
            None passes.
        """
        called, copies = _counts(genotypes)
        rarer = np.minimum(copies, 2 * called - copies) / np.maximum(2 * called, 1)
        missing = (len(genotypes) - called) / len(genotypes)
        passed = (rarer >= self.min_maf) & (missing <= self.max_missing)
        if self.min_maf > 0:
            passed &= called > 0
        if not passed.any():
            raise TrainingTableError(
                f"none of the {len(passed):,} SNPs passes the filters ({self}): the largest minor "
                f"allele frequency is {rarer.max():.3g}, the smallest share of missing genotypes "
                f"{100 * missing.min():.3g} %",
                "set --min-maf lower or --max-missing higher",
            )
        places = order[passed[order]]
        if self.max_snps is not None and len(places) > self.max_snps:
            steps = (np.arange(self.max_snps) + 0.5) * len(places) / self.max_snps
            places = places[steps.astype(np.int64)]
        return np.sort(places)


EVERY_SNP = SnpFilters()


def _counts(genotypes: Genotypes) -> tuple[np.ndarray, np.ndarray]:
    """Called genotypes, (SNPs,) int64, and copies of the counted allele, float64, of each SNP."""
    called = np.zeros(genotypes.n_snps, np.int64)
    copies = np.zeros(genotypes.n_snps)
    for start in range(0, len(genotypes), _ROWS):
        block = genotypes.rows(slice(start, start + _ROWS))
        missing = (block.codes == MISSING).sum(axis=0)
        called += len(block) - missing
        copies += block.codes.sum(axis=0, dtype=np.int64) - MISSING * missing
        if block.fractions is not None:
            copies += block.fractions.sum(axis=0, dtype=np.float64)
    return called, copies
