"""Genotypes, centred on the means of training rows."""

import numpy as np

from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes


def centered(genotypes: Genotypes, means: np.ndarray) -> np.ndarray:
    """Copies minus the SNPs' means, (samples, SNPs) float32; a missing genotype becomes 0."""
    values = genotypes.codes.astype(np.float32)
    if genotypes.fractions is not None:
        values += genotypes.fractions
    values -= means
    values[genotypes.codes == MISSING] = 0.0
    return values


def training_means(genotypes: Genotypes) -> np.ndarray:
    """Mean copies of every SNP over the called genotypes, (SNPs,) float32; 0 where none is."""
    called = genotypes.codes != MISSING
    totals = np.where(called, genotypes.codes, 0).sum(axis=0)
    if genotypes.fractions is not None:
        totals = totals + genotypes.fractions.sum(axis=0, dtype=np.float64)
    return (totals / np.maximum(called.sum(axis=0), 1)).astype(np.float32)
