"""The SNPs that a trait goes with most, one by one, beside covariates and components.

For every SNP the score statistic of the linear model ``y = others · b + x_j · β + e`` is taken,

    z_j² = (x_j' r)² / (x_j' x_j − x_j' Q Q' x_j)        r = y − Q Q' y

with Q an orthonormal basis of the others and of 1: it orders SNPs as a GWAS does. A network that
begins with thousands of SNPs learns their noise before its penalty has sorted them out, and SNPs
that matter go with it (docs/explanations.md has the figures); among some hundreds it finds more of
them.
"""

import numpy as np


def residuals(y: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the others leave of a trait, and an orthonormal basis of them and of 1.

    Parameters
    ----------
    y : ndarray (rows,)
    others : ndarray (rows, numbers)

    Returns
    -------
    (ndarray (rows,), ndarray (rows, numbers + 1)) of float64
    """
    basis, sizes, _ = np.linalg.svd(
        np.column_stack([np.ones(len(y)), others.astype(np.float64)]), full_matrices=False
    )
    # Indicators of all categories, and 1, are one too many.
    basis = basis[:, sizes > 1e-6 * sizes[0]]
    return y - basis @ (basis.T @ y), basis


def strongest_snps(x: np.ndarray, y: np.ndarray, others: np.ndarray, count: int) -> np.ndarray:
    """Places of the SNPs with the largest statistics, ascending.

    Parameters
    ----------
    x : ndarray (rows, SNPs) of float32
        Standardised; 0 for a missing genotype.
    y : ndarray (rows,)
    others : ndarray (rows, numbers)
    count : int

    Returns
    -------
    ndarray (min(count, SNPs),) of int64
    """
    left, basis = residuals(y, others)
    squares = np.einsum("ij,ij->j", x, x, dtype=np.float64)
    own = squares - ((x.T @ basis.astype(np.float32)).astype(np.float64) ** 2).sum(axis=1)
    # A SNP that the others give says nothing of its own.
    sums = (x.T @ left.astype(np.float32)).astype(np.float64)
    z = np.where(own > 1e-6 * np.maximum(squares, 1), sums**2 / np.maximum(own, 1e-300), 0)
    return np.sort(np.argsort(-z, kind="stable")[:count])
