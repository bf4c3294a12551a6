"""Linear regression of a trait on each SNP beside covariates, by ordinary least squares.

Samples in which a SNP is missing have no part in that SNP's regression. All SNPs of a block share
a few matrix products: sums over the samples of x, x², x y and x C, and of the same without x over
the samples in which a SNP is missing, which are taken off. What remains per SNP is a system as
large as the covariates.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes


class Tested(NamedTuple):
    """What was estimated of some SNPs; NaN where nothing can be.

    Attributes
    ----------
    n : ndarray (SNPs,) of int64
        Samples that had a part in it.
    beta, se, statistic : ndarray (SNPs,) of float64
        Effect of one more counted allele, its standard error, and t or z.
    df : ndarray (SNPs,) of float64
        Degrees of freedom of t; infinite for z.
    """

    n: np.ndarray
    beta: np.ndarray
    se: np.ndarray
    statistic: np.ndarray
    df: np.ndarray


#: A SNP of which covariates leave less than this share of its variance is not tested.
_OWN_VARIANCE = 1e-9


class LinearScan:
    """The regressions of one trait.

    Parameters
    ----------
    y : ndarray (samples,)
    covariates : ndarray (samples, numbers)
        Without the intercept.
    """

    def __init__(self, y: np.ndarray, covariates: np.ndarray):
        columns = basis(covariates)
        self._scale = float(np.std(y)) or 1.0
        y = (y - np.mean(y)) / self._scale
        #: y, then an orthonormal basis of intercept and covariates times √n: sums of size n.
        self._z = np.concatenate([y[:, None], columns * len(y) ** 0.5], axis=1)
        self._z32 = np.ascontiguousarray(self._z.T, np.float32)
        self._whole = self._z.T @ self._z

    def test(self, parts: Iterator[Genotypes]) -> Tested:
        """All SNPs of a block, whose samples come in parts."""
        at, sums = 0, None
        for part in parts:
            rows = slice(at, at + len(part))
            at = rows.stop
            if sums is None:
                sums = _Sums(part.n_snps, self._z.shape[1])
            sums.add(part, self._z[rows], self._z32[:, rows])
        assert sums is not None
        return self._solved(sums)

    def _solved(self, sums: "_Sums") -> Tested:
        n = len(self._z) - sums.n_missing
        xy, xc = sums.xz[0], sums.xz[1:]
        if sums.missing_products is None:
            # The columns are orthogonal over all samples: no system to solve.
            whole = self._whole
            squares = np.diag(whole)[1:, None]
            fitted_x, y_on_c = xc / squares, (whole[1:, 0] / squares[:, 0])[:, None]
            own = sums.xx - (xc * fitted_x).sum(axis=0)
            cross = xy - (xc * y_on_c).sum(axis=0)
            rest = whole[0, 0] - (whole[1:, [0]] * y_on_c).sum(axis=0)
        else:
            products = self._whole - sums.missing_products
            inner, with_y = products[:, 1:, 1:], products[:, 1:, 0]
            # Where hardly a sample is left the system is singular; such SNPs are not tested.
            enough = n > inner.shape[1] + 1
            inner = np.where(enough[:, None, None], inner, np.eye(inner.shape[1]))
            solved = _solve(inner, np.stack([xc.T, with_y], axis=2))
            own = sums.xx - np.einsum("kj,jk->j", xc, solved[:, :, 0])
            cross = xy - np.einsum("kj,jk->j", xc, solved[:, :, 1])
            rest = products[:, 0, 0] - np.einsum("jk,jk->j", with_y, solved[:, :, 1])
        df = n - len(xc) - 1.0
        possible = (own > _OWN_VARIANCE * np.maximum(sums.xx, 1e-300)) & (df > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            beta = np.where(possible, cross / own, np.nan)
            # Rounding can leave a sum of squares a little below 0.
            variance = np.maximum(rest - beta * cross, 0) / df
            se = np.sqrt(variance / own)
            t = beta / se
        return Tested(n, beta * self._scale, se * self._scale, t, df)


class _Sums:
    """Sums over the samples of a block of SNPs."""

    def __init__(self, n_snps: int, n_columns: int):
        self.xz = np.zeros((n_columns, n_snps))
        self.xx = np.zeros(n_snps)
        self.n_missing = np.zeros(n_snps, np.int64)
        #: (SNPs, columns, columns), of samples in which the SNP is missing; None where none is.
        self.missing_products: np.ndarray | None = None

    def add(self, part: Genotypes, z: np.ndarray, z32: np.ndarray) -> None:
        """Some samples; their products in float32, and sums of these in float64."""
        x = part.codes.astype(np.float32)
        missing = part.codes == MISSING
        some = bool(missing.any())
        if some:
            x[missing] = 0
        if part.fractions is not None:
            x += np.where(missing, 0, part.fractions)
        self.xz += z32 @ x
        self.xx += np.einsum("ij,ij->j", x, x)
        if some:
            self._take_off(missing, z)

    def _take_off(self, missing: np.ndarray, z: np.ndarray) -> None:
        if self.missing_products is None:
            n_columns, n_snps = self.xz.shape
            self.missing_products = np.zeros((n_snps, n_columns, n_columns))
        self.n_missing += np.count_nonzero(missing, axis=0)
        above = np.triu_indices(z.shape[1])
        pairs = np.ascontiguousarray((z[:, above[0]] * z[:, above[1]]).T, np.float32)
        found = (pairs @ missing.astype(np.float32)).T
        self.missing_products[:, above[0], above[1]] += found
        off = above[0] != above[1]
        self.missing_products[:, above[1][off], above[0][off]] += found[:, off]


def basis(covariates: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the intercept and the covariates, (samples, numbers).

    Covariates that others make up add nothing to it.
    """
    columns = np.ones((len(covariates), 1 + covariates.shape[1]))
    for at, values in enumerate(covariates.T, 1):
        away = values - values.mean()
        columns[:, at] = away / (float(np.sqrt(np.mean(away**2))) or 1.0)
    q, r = np.linalg.qr(columns)
    return q[:, np.abs(np.diag(r)) > 1e-8 * len(columns) ** 0.5]


def _solve(matrices: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Solutions of many small systems; a singular one gives NaN."""
    try:
        return np.linalg.solve(matrices, sides)
    except np.linalg.LinAlgError:
        found = np.full(sides.shape, np.nan)
        for at, matrix in enumerate(matrices):
            if np.linalg.cond(matrix) < 1e12:
                found[at] = np.linalg.solve(matrix, sides[at])
        return found
