"""Genotypes in memory: one object, codes with or without dosages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snpredict.formulas.encoding import CHANNEL_CODES, MISSING, genotype_frequencies


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

    @staticmethod
    def joined(parts: Sequence["Genotypes"]) -> "Genotypes":
        """Samples of one or more parts behind each other."""
        codes = np.concatenate([part.codes for part in parts])
        if all(part.fractions is None for part in parts):
            return Genotypes(codes)
        fractions = [
            np.zeros(part.codes.shape, np.float32) if part.fractions is None else part.fractions
            for part in parts
        ]
        return Genotypes(codes, np.concatenate(fractions))

    @staticmethod
    def of_copies(copies: np.ndarray) -> "Genotypes":
        """Of expected copies of the counted allele, 0 to 2 or NaN; what `copies` gives back."""
        missing = np.isnan(copies)
        # Rounded first: what is nearly a whole number must not have a fraction of 1.
        known = np.where(missing, 0, copies).astype(np.float32)
        codes = np.where(missing, MISSING, np.floor(known)).astype(np.int8)
        fractions = known - np.floor(known)
        return Genotypes(codes, fractions if fractions.any() else None)

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

    def copies(self) -> np.ndarray:
        """Copies of the counted allele, NaN for missing: (samples, SNPs) float64."""
        copies = np.where(self.codes == MISSING, np.nan, self.codes)
        return copies if self.fractions is None else copies + self.fractions

    def means(self) -> np.ndarray:
        """Mean copies of every SNP over the called genotypes, (SNPs,) float32; 0 where none is."""
        called = self.codes != MISSING
        totals = np.where(called, self.codes, 0).sum(axis=0)
        if self.fractions is not None:
            totals = totals + self.fractions.sum(axis=0, dtype=np.float64)
        return (totals / np.maximum(called.sum(axis=0), 1)).astype(np.float32)

    def centred(self, means: np.ndarray) -> np.ndarray:
        """Copies minus the SNPs' means, (samples, SNPs) float32; a missing genotype becomes 0."""
        values = self.codes.astype(np.float32)
        if self.fractions is not None:
            values += self.fractions
        values -= means
        values[self.codes == MISSING] = 0.0
        return values

    def nearest(self) -> np.ndarray:
        """Codes with every dosage at its nearest code, (samples, SNPs) int8."""
        if self.fractions is None:
            return self.codes
        return self.codes + (self.fractions >= 0.5).astype(np.int8)

    def share_of(self, code: int) -> np.ndarray:
        """How much of each genotype is that code, (samples, SNPs) float32.

        0 or 1, and between them where a dosage lies between that code and a neighbouring one.
        """
        share = (self.codes == code).astype(np.float32)
        if self.fractions is not None and code != MISSING:
            share *= 1 - self.fractions
            if code > 0:
                share += np.where(self.codes == code - 1, self.fractions, 0)
        return share

    def frequencies(self) -> np.ndarray:
        """Share of the samples in each channel, (SNPs, 4) float64; every row adds up to 1."""
        if self.fractions is None:
            return genotype_frequencies(self.codes)
        shares = [self.share_of(code).mean(axis=0, dtype=np.float64) for code in CHANNEL_CODES]
        return np.stack(shares, axis=1)

    def missing(self) -> np.ndarray:
        """Missing genotypes of each sample, (samples,) int64."""
        return count_by_row(self.codes == MISSING)

    def have_dosages(self) -> np.ndarray:
        """Which samples have a genotype between two codes, (samples,) bool."""
        if self.fractions is None:
            return np.zeros(len(self), bool)
        return self.fractions.any(axis=1)


def count_by_row(mask: np.ndarray) -> np.ndarray:
    """How many are true in each row, (rows,) int64; faster than count_nonzero with an axis."""
    return np.fromiter((np.count_nonzero(row) for row in mask), np.int64, len(mask))
