"""Kinship and principal components from the genotypes of a study, in blocks of SNPs.

The centred kinship ``K = Σ (x − mean)(x − mean)' / SNPs``, a missing genotype being the SNP's mean:
GEMMA's ``-gk 1``. What a chromosome adds can be taken off the sum again, which gives the kinship
without that chromosome (leave one chromosome out): a SNP is then not tested against itself.
"""

from collections.abc import Callable

import numpy as np
from scipy import linalg

from train.gwas.study import Study

#: SNPs for the components stand at even steps along the genome: neighbours say the same.
_SNPS_FOR_COMPONENTS = 20_000


def filled(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Genotypes less the SNPs' means, 0 for missing, and which SNPs vary.

    Parameters
    ----------
    x : ndarray (lines, SNPs) of float32
        Copies, NaN for missing; changed in place.

    Returns
    -------
    (centred, varies)
        The same array, and ndarray (SNPs,) of bool.
    """
    missing = np.isnan(x)
    some = bool(missing.any())
    if some:
        count = np.maximum(len(x) - missing.sum(axis=0), 1)
        x[missing] = 0
        mean = x.sum(axis=0, dtype=np.float64) / count
    else:
        mean = x.mean(axis=0, dtype=np.float64)
    x -= mean.astype(np.float32)
    if some:
        x[missing] = 0
    return x, np.einsum("ij,ij->j", x, x) > 1e-6 * len(x)


def products(
    study: Study, snps: np.ndarray, tell: Callable[[int], None] | None = None
) -> tuple[np.ndarray, int]:
    """Sum of the products of those SNPs over the lines, and how many of the SNPs vary.

    Returns
    -------
    (products, count)
        The lower triangle of ndarray (lines, lines) of float64, and the number.
    """
    n = len(study.y)
    total, count = np.zeros((n, n), order="F"), 0
    for block in study.blocks(snps):
        x, varies = filled(study.genotypes(block))
        if len(block):
            x = np.asfortranarray(x, np.float64)
            total = linalg.blas.dsyrk(1.0, x, beta=1.0, c=total, lower=1, overwrite_c=1)
        count += int(varies.sum())
        if tell is not None:
            tell(len(block))
    return total, count


def components(study: Study, count: int, seed: int) -> np.ndarray:
    """Principal components of the lines, (lines, count) float64, of standardised SNPs.

    Of at most 20,000 SNPs at even steps, by a randomised decomposition (Halko, Martinsson, Tropp
    2011).
    """
    from sklearn.utils.extmath import randomized_svd

    step = max(1, study.n_snps // _SNPS_FOR_COMPONENTS)
    blocks = []
    for snps in study.blocks(np.arange(0, study.n_snps, step)):
        x, varies = filled(study.genotypes(snps))
        x = x[:, varies]
        blocks.append(x / np.sqrt(np.einsum("ij,ij->j", x, x) / len(x)))
    x = np.concatenate(blocks, axis=1)
    count = min(count, *x.shape)
    u, sizes, _ = randomized_svd(x, count, n_iter=6, random_state=seed)
    return u[:, sizes > 1e-6 * sizes[:1]].astype(np.float64)
