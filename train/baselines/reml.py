"""The share of a kinship in a trait's variance, by restricted maximum likelihood (REML).

    y = C a + u + e,    u ~ N(0, σ² λ K),    e ~ N(0, σ² I)

After the rotation by K's eigenvectors the lines are independent, with variances ``σ² (λ d + 1)``, d
being the eigenvalues; σ² and a have closed forms, and λ is searched for (Kang et al. 2008).
"""

from typing import NamedTuple

import numpy as np
from scipy import linalg, optimize

#: Ends of log λ, as GEMMA's.
LOWEST, HIGHEST = np.log(1e-5), np.log(1e5)

#: Values of log λ that a search begins with: the likelihood may have two maxima.
GRID = 45

#: Eigenvalues below this share of the largest are 0, as they are but for rounding.
_NO_VALUE = 1e-10


class Rotated(NamedTuple):
    """Eigenvalues (lines,) and eigenvectors (lines, lines) of a kinship."""

    values: np.ndarray
    vectors: np.ndarray


def rotation(kinship: np.ndarray) -> Rotated:
    """Eigen-decomposition of a kinship, of which the lower triangle is looked at.

    The kinship is overwritten. A singular one is fine: eigenvalues of 0 are taken as such.
    """
    values, vectors = linalg.eigh(
        kinship, lower=True, overwrite_a=True, check_finite=False, driver="evd"
    )
    values[values < _NO_VALUE * values.max()] = 0
    return Rotated(values, vectors)


def variance_ratio(y: np.ndarray, covariates: np.ndarray, values: np.ndarray) -> float:
    """λ of the largest restricted likelihood, between 1e-5 and 1e5.

    Parameters
    ----------
    y : ndarray (lines,)
        The trait, rotated.
    covariates : ndarray (lines, numbers)
        With the intercept, rotated.
    values : ndarray (lines,)
        The kinship's eigenvalues.
    """
    z = np.column_stack([y, covariates])
    df = len(y) - covariates.shape[1]

    def loss(log_lambda: float) -> float:
        variances = values * np.exp(log_lambda) + 1
        zz = z.T @ (z / variances[:, None])
        rest = zz[0, 0] - zz[0, 1:] @ np.linalg.solve(zz[1:, 1:], zz[1:, 0])
        log_det = np.log(variances).sum() + np.linalg.slogdet(zz[1:, 1:])[1]
        return 0.5 * float(df * np.log(max(rest, 1e-300)) + log_det)

    grid = np.linspace(LOWEST, HIGHEST, GRID)
    best = int(np.argmin([loss(point) for point in grid]))
    bounds = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
    found = optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return float(np.exp(found.x))
