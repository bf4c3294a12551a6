"""Genotypes in memory: one object, codes with or without dosages."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Genotypes:
    """Genotypes of samples at the SNPs of a model, without ids.

    Attributes
    ----------
    codes : ndarray (samples, SNPs) of int8
        0, 1, 2 copies of the counted allele, −1 missing. A dosage is represented by its integer
        part.
    fractions : ndarray (samples, SNPs) of float32, or None
        What dosages add to the codes, from 0 to less than 1: the expected number of counted
        alleles is ``codes + fractions``. 0 where the code is −1 or 2. None where all genotypes
        are hard calls.
    """

    codes: np.ndarray
    fractions: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.codes)

    @property
    def n_snps(self) -> int:
        """Number of SNPs."""
        return self.codes.shape[1]

    def rows(self, which: slice | np.ndarray) -> "Genotypes":
        """Those samples: a slice is a view, places or a mask are a copy."""
        return Genotypes(
            self.codes[which], None if self.fractions is None else self.fractions[which]
        )

    def snps(self, which: slice | np.ndarray) -> "Genotypes":
        """Those SNPs, in that order."""
        return Genotypes(
            self.codes[:, which], None if self.fractions is None else self.fractions[:, which]
        )

    def have_dosages(self) -> np.ndarray:
        """Which samples have a genotype between two codes, (samples,) bool."""
        if self.fractions is None:
            return np.zeros(len(self), bool)
        return self.fractions.any(axis=1)
