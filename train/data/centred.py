"""Genotype codes, centred on the means of training rows."""

import numpy as np

from snpredict.formulas.encoding import MISSING


def centered(codes: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Codes minus the SNPs' means, (samples, SNPs) float32; a missing genotype becomes 0."""
    values = codes.astype(np.float32)
    values -= means
    values[codes == MISSING] = 0.0
    return values


def training_means(codes: np.ndarray) -> np.ndarray:
    """Mean code of every SNP over the called genotypes, (SNPs,) float32; 0 where none is called."""
    called = codes != MISSING
    totals = np.where(called, codes, 0).sum(axis=0)
    return (totals / np.maximum(called.sum(axis=0), 1)).astype(np.float32)
