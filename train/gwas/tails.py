"""−log10 of p-values, from statistics so large that p itself would be 0."""

import numpy as np
from scipy import special

_LOG_10 = np.log(10.0)

#: Below this p a float loses its digits.
_SMALL = 1e-280

#: Steps of the continued fraction; it is only used far out, where a few would do.
_STEPS = 200


def of_normal(z: np.ndarray) -> np.ndarray:
    """Two-sided, of a standard normal number."""
    return -(special.log_ndtr(-np.abs(z)) + np.log(2)) / _LOG_10


def of_t(t: np.ndarray, df: np.ndarray | float) -> np.ndarray:
    """Two-sided, of Student's t with `df` degrees of freedom.

    p is the regularised incomplete beta function I_x(df/2, 1/2) at x = df/(df + t²). Where that is
    too small for a float, its logarithm is taken by the continued fraction (DLMF 8.17.22).
    """
    t, df = np.broadcast_arrays(np.asarray(t, np.float64), np.asarray(df, np.float64))
    x = df / (df + t * t)
    p = special.betainc(df / 2, 0.5, x)
    found = np.full(p.shape, np.nan)
    plain = p > _SMALL
    found[plain] = -np.log(p[plain])
    far = p <= _SMALL
    if far.any():
        found[far] = -_log_beta(df[far] / 2, x[far])
    return found / _LOG_10


def _log_beta(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """log I_x(a, 1/2), by Lentz's way to a continued fraction."""
    b = 0.5
    c, d = np.ones_like(x), 1 / (1 - (a + b) * x / (a + 1))
    fraction = d.copy()
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            fraction = fraction * d * c
    with np.errstate(divide="ignore"):  # of an infinite statistic
        log_x = np.log(x)
    front = a * log_x + b * np.log1p(-x) - np.log(a) - special.betaln(a, b)
    return front + np.log(fraction)
