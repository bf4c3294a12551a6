"""A scan of all pairs of SNPs for interactions, and the SNPs of the best pairs.

For every pair (i, j) of standardised SNPs the linear model

    y = c + b_i x_i + b_j x_j + γ x_i x_j + e

is fitted and z = γ / se(γ), with the error of the model without γ. It sees pairs whose SNPs have no
effect of their own, which a scan SNP by SNP cannot see. The sums over the rows that all pairs
need are four matrix products, taken in blocks: all pairs of 5,000 SNPs in 10,000 rows are two
million million operations, and nothing of the size of all pairs is kept.
"""

import heapq
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

#: SNPs on either side of a block of pairs.
_BLOCK = 1024

#: Pairs whose product is all but a combination of its two SNPs (in the extreme the two are one
#: SNP) are passed over: what of the product's variance must be its own.
_OWN_VARIANCE = 0.01


class Pair(NamedTuple):
    """Two SNPs by their places, the first before the second, and the z of their product."""

    z: float
    first: int
    second: int


def strongest_pairs(
    x: np.ndarray,
    y: np.ndarray,
    count: int,
    *,
    tell: Callable[[float], None] | None = None,
) -> list[Pair]:
    """The pairs with the largest \\|z\\|, largest first.

    Parameters
    ----------
    x : ndarray (rows, SNPs) of float32
        Standardised; 0 for a missing genotype.
    y : ndarray (rows,)
        Any units.
    count : int
        At most so many.
    tell : callable, optional
        Told of the share of the pairs that is done.
    """
    n, n_snps = x.shape
    y = np.asarray(y, np.float64) - np.mean(y, dtype=np.float64)
    y = (y / max(float(y.std()), 1e-300)).astype(np.float32)
    own = (y @ x).astype(np.float64) / n
    found: list[tuple[float, float, int, int]] = []
    starts = list(range(0, n_snps, _BLOCK))
    blocks = [(a, b) for a in starts for b in starts if a <= b]
    for done, (a, b) in enumerate(blocks, 1):
        left, right = x[:, a : a + _BLOCK], x[:, b : b + _BLOCK]
        z = _block(left, right, y, own[a : a + _BLOCK], own[b : b + _BLOCK])
        if a == b:
            z[np.tril_indices(len(z))] = 0
        size = np.abs(z).reshape(-1)
        best = np.argpartition(-size, min(count, len(size) - 1))[:count]
        for at in best[size[best] > 0]:
            row, column = divmod(int(at), z.shape[1])
            # Ties are broken by place, so that blocks do not show in the result.
            entry = (float(size[at]), float(z[row, column]), -(a + row), -(b + column))
            if len(found) < count:
                heapq.heappush(found, entry)
            elif entry > found[0]:
                heapq.heapreplace(found, entry)
        if tell is not None:
            tell(done / len(blocks))
    return [Pair(z, -first, -second) for _, z, first, second in sorted(found, reverse=True)]


def _block(
    left: np.ndarray, right: np.ndarray, y: np.ndarray, of_left: np.ndarray, of_right: np.ndarray
) -> np.ndarray:
    """z of all pairs of two blocks of SNPs, (left, right) float64.

    Parameters
    ----------
    of_left, of_right : ndarray (SNPs,)
        Mean of y · x.
    """
    n = len(y)
    left_squared, right_squared = left * left, right * right

    def mean(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (one.T @ other).astype(np.float64) / n

    r = mean(left, right)
    with_left, with_right = mean(left_squared, right), mean(left, right_squared)
    product_y = mean(left * y[:, None], right)
    product_squared = mean(left_squared, right_squared)
    # The means of squares are 1, or less where genotypes are missing.
    own_left = left_squared.mean(axis=0, dtype=np.float64)[:, None]
    own_right = right_squared.mean(axis=0, dtype=np.float64)[None]
    determinant = own_left * own_right - r * r
    usable = determinant > _OWN_VARIANCE * own_left * own_right
    determinant = np.where(usable, determinant, 1)
    # Slopes of the product, less its mean, on the two SNPs; and of y on them.
    slope_left = (with_left * own_right - with_right * r) / determinant
    slope_right = (with_right * own_left - with_left * r) / determinant
    c_left, c_right = of_left[:, None], of_right[None]
    y_left = (c_left * own_right - c_right * r) / determinant
    y_right = (c_right * own_left - c_left * r) / determinant
    variance = product_squared - r * r
    variance -= slope_left * with_left + slope_right * with_right
    usable &= variance > _OWN_VARIANCE * product_squared
    covariance = product_y - slope_left * c_left - slope_right * c_right
    unexplained = np.maximum(1 - y_left * c_left - y_right * c_right, 1e-12)
    z = covariance * np.sqrt(n / (np.where(usable, variance, 1) * unexplained))
    return np.where(usable, z, 0)


def snps_of(pairs: list[Pair]) -> np.ndarray:
    """The SNPs of pairs, ascending places without repeats."""
    return np.unique(np.array([[pair.first, pair.second] for pair in pairs], np.int64))
