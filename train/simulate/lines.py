"""Genotypes that are made up, or real ones that a trait is made up on, in blocks of SNPs.

Every design hands out its SNPs one after the other, and what it draws for a SNP does not depend on
how they are cut into blocks. The same seed gives the same genotypes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

#: Base pairs per centimorgan, where one has to be made of the other.
BASES_PER_CM = 1_000_000

#: Genotypes of a block, about.
_BLOCK = 1 << 24


@dataclass(frozen=True)
class Sites:
    """Where the SNPs are, along the chromosomes.

    Attributes
    ----------
    names : list of str
    chromosome : list of str
    position : ndarray (SNPs,) of int64, base pairs
    centimorgan : ndarray (SNPs,) of float64
    counted, other : list of str or None
        Alleles.
    """

    names: list[str]
    chromosome: list[str]
    position: np.ndarray
    centimorgan: np.ndarray
    counted: list[str | None] = field(default_factory=list)
    other: list[str | None] = field(default_factory=list)

    def __len__(self) -> int:
        """Number of SNPs."""
        return len(self.names)

    def steps(self) -> np.ndarray:
        """Centimorgans from the SNP before, infinite where a chromosome begins: (SNPs,)."""
        begins = np.array([True, *(a != b for a, b in pairwise(self.chromosome))])
        return np.where(begins, np.inf, np.diff(self.centimorgan, prepend=0.0))


def even_sites(n_snps: int, n_chromosomes: int, length_cm: float = 100.0) -> Sites:
    """SNPs at even distances on chromosomes of one length."""
    which = np.arange(n_snps) * n_chromosomes // n_snps
    first = np.searchsorted(which, which)
    count = np.bincount(which, minlength=n_chromosomes)[which]
    cm = (np.arange(n_snps) - first + 0.5) / count * length_cm
    position = np.maximum(1, (cm * BASES_PER_CM).astype(np.int64))
    chromosome = [str(number + 1) for number in which]
    names = [f"{c}_{p}" for c, p in zip(chromosome, position, strict=True)]
    if len(set(names)) < n_snps:
        names = [f"snp{at + 1}" for at in range(n_snps)]
    return Sites(names, chromosome, position, cm, ["A"] * n_snps, ["G"] * n_snps)


def recombination(steps_cm: np.ndarray) -> np.ndarray:
    """Share of recombinants by Haldane's map function; 0.5 where a chromosome begins."""
    return 0.5 * (1 - np.exp(-2 * np.asarray(steps_cm) / 100))


class Lines(ABC):
    """A design's genotypes.

    Attributes
    ----------
    samples : list of str
    sites : Sites
    families : list of str or None
    """

    samples: list[str]
    sites: Sites
    families: list[str] | None = None

    @abstractmethod
    def snps(self) -> Iterator[np.ndarray]:
        """The SNPs in their order, each (samples,) int8: −1, 0, 1, 2."""

    def blocks(self, size: int | None = None) -> Iterator[tuple[slice, np.ndarray]]:
        """Places, and codes (SNPs, samples) int8, of blocks of `size` SNPs."""
        size = size or max(1, min(4096, _BLOCK // max(len(self.samples), 1)))
        rows: list[np.ndarray] = []
        start = 0
        for row in self.snps():
            rows.append(row)
            if len(rows) == size:
                yield slice(start, start + size), np.stack(rows)
                start, rows = start + size, []
        if rows:
            yield slice(start, start + len(rows)), np.stack(rows)

    def codes(self) -> np.ndarray:
        """All of them at once, (samples, SNPs) int8."""
        found = np.empty((len(self.samples), len(self.sites)), np.int8)
        for at, block in self.blocks():
            found[:, at] = block.T
        return found


def sample_names(count: int) -> list[str]:
    """``S0001`` and so on."""
    width = max(4, len(str(count)))
    return [f"S{number:0{width}d}" for number in range(1, count + 1)]
