"""Kernel regression in its dual form, and the Gaussian kernel; models and teachers share them.

With a kernel K of the rows of a fit the prediction is ``f(x) = k(x, X) a``, and the dual weights a
solve ``(share · K + noise · I) a = y``. How much the SNPs explain is said as a share of variance
``h²``: ``share = 1`` and ``noise = mean(diag K) (1 − h²) / h²``, or ``share = h²`` and
``noise = 1 − h²``.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

#: h² of the baselines, chosen by squared error on the validation rows: from next to nothing to
#: nearly everything, so that no baseline loses for want of a value.
BASELINE_SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)
#: h² of the ridge regressions that weigh SNPs and that networks start from, chosen likewise. The
#: shipped models were trained with these values.
START_SHARES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)
#: h² of the kernel teacher, chosen by likelihood: down to 0.01, so that a network is taught little
#: where there is little to learn.
TEACHER_SHARES = (0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)


class Dual(NamedTuple):
    """A solution.

    Attributes
    ----------
    weights : ndarray (rows,) or (rows, targets)
        a, in the kernel's dtype.
    half_log_determinant : float
        Half the logarithm of the determinant of ``share · K + noise · I``, for a likelihood.
    """

    weights: np.ndarray
    half_log_determinant: float


def solve_dual(kernel: np.ndarray, y: np.ndarray, noise: float, share: float = 1.0) -> Dual:
    """Solve ``(share · K + noise · I) a = y`` by a Cholesky factor.

    Parameters
    ----------
    kernel : ndarray (rows, rows) of float32 or float64
        K; it is not written to.
    y : ndarray (rows,) or (rows, targets)
    """
    number = kernel.dtype.type
    ridged = kernel * number(share)
    ridged.flat[:: len(kernel) + 1] += number(noise)
    factor = cho_factor(ridged, lower=True, overwrite_a=True, check_finite=False)
    diagonal = factor[0].diagonal().astype(np.float64)
    return Dual(cho_solve(factor, y, check_finite=False), float(np.log(diagonal).sum()))


def squared_distances(
    x: np.ndarray, other: np.ndarray, x_squares: np.ndarray, other_squares: np.ndarray
) -> np.ndarray:
    """Squared Euclidean distances of rows: (n, inputs) and (m, inputs) → (n, m).

    Parameters
    ----------
    x_squares, other_squares : ndarray (n,) and (m,)
        Squared lengths of the rows.
    """
    d = x @ other.T
    d *= -2
    d += x_squares[:, None]
    d += other_squares
    return np.maximum(d, 0, out=d)


def gaussian(distances: np.ndarray, rate: float) -> np.ndarray:
    """Gaussian kernel ``exp(−rate · d²)`` of squared distances, in their dtype."""
    kernel = distances * distances.dtype.type(-rate)
    return np.exp(kernel, out=kernel)
