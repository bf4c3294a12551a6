"""A linear mixed model per SNP: the trait on SNP and covariates, kinship as random effect.

    y = C a + x β + u + e,    u ~ N(0, σ² λ K),    e ~ N(0, σ² I)

λ is estimated for every SNP by restricted maximum likelihood, and β is tested by Wald's statistic,
whose square is F with 1 and n − c − 1 degrees of freedom: the exact test of GEMMA (Zhou & Stephens
2012) and FaST-LMM (Lippert et al. 2011).

After the rotation by K's eigenvectors the model is a weighted regression with the weights
``1 / (λ d + 1)``, d being the eigenvalues. All that a fit needs are weighted sums of products over
the lines, and these are smooth functions of log λ. They are taken at Chebyshev's points for all
SNPs of a block by matrix products, and interpolated between them, so that the search for λ costs
nothing that grows with the lines.
"""

from collections.abc import Callable

import numpy as np

from train.baselines.reml import GRID, HIGHEST, LOWEST, Rotated, variance_ratio
from train.gwas.linear import Tested, basis

#: Points of the interpolation: with so many it is exact to about 1e-10.
_POINTS = 112

#: Steps of the search between two values of the grid.
_GOLDEN_STEPS = 40


class MixedScan:
    """The mixed models of one trait with one kinship.

    Parameters
    ----------
    y : ndarray (lines,)
    covariates : ndarray (lines, numbers)
        Without the intercept.
    rotated : Rotated
    """

    def __init__(self, y: np.ndarray, covariates: np.ndarray, rotated: Rotated):
        self._scale = float(np.std(y)) or 1.0
        n = len(y)
        z = np.concatenate(
            [((y - y.mean()) / self._scale)[:, None], basis(covariates) * n**0.5], axis=1
        )
        self._vectors, self._n = rotated.vectors.astype(np.float32), n
        self._z = rotated.vectors.T @ z
        at = np.cos(np.pi * (np.arange(_POINTS) + 0.5) / _POINTS)
        self._points = (HIGHEST + LOWEST) / 2 + (HIGHEST - LOWEST) / 2 * at
        sides = np.where(np.arange(_POINTS) % 2, -1.0, 1.0)
        self._barycentric = sides * np.sin(np.pi * (np.arange(_POINTS) + 0.5) / _POINTS)
        exponents = np.exp(self._points)
        #: (lines, points)
        self._weights = 1 / (np.outer(rotated.values, exponents) + 1)
        self._log_det = np.log1p(np.outer(rotated.values, exponents)).sum(axis=0)
        columns = self._z.shape[1]
        #: Sums of products of y and covariates, (points, columns, columns).
        self._zz = np.einsum("ia,ib,ip->pab", self._z, self._z, self._weights, optimize=True)
        self._c = columns - 1
        #: Of intercept and covariates without weights: REML's constant.
        self._log_det_cc = np.linalg.slogdet(z[:, 1:].T @ z[:, 1:])[1]
        #: λ without a SNP.
        self.null = variance_ratio(self._z[:, 0], self._z[:, 1:], rotated.values)

    def test(self, x: np.ndarray) -> Tested:
        """Test SNPs.

        Parameters
        ----------
        x : ndarray (lines, SNPs) of float32
            Centred copies, 0 for missing; see `train.gwas.kinship.filled`.
        """
        n_snps = x.shape[1]
        varies = np.einsum("ij,ij->j", x, x) > 1e-6 * len(x)
        scale = np.sqrt(np.maximum(np.einsum("ij,ij->j", x, x, dtype=np.float64) / len(x), 1e-12))
        rotated = (self._vectors.T @ x).astype(np.float64) / scale
        # (SNPs, points) and (columns, SNPs, points)
        xx = (rotated * rotated).T @ self._weights
        xz = np.stack([(rotated * z[:, None]).T @ self._weights for z in self._z.T])
        log_lambda = self._search(n_snps, xx, xz)
        at = self._coefficients(log_lambda)
        _, beta, variance = self._likelihood(at, self._log_det @ at.T, xx, xz)
        with np.errstate(invalid="ignore", divide="ignore"):
            se = np.sqrt(variance)
            t = beta / se
        blank = np.where(varies & np.isfinite(t), 1.0, np.nan)
        n = np.full(n_snps, self._n)
        factor = blank * self._scale / scale
        df = np.full(n_snps, self._n - self._c - 1.0)
        return Tested(n, beta * factor, se * factor, t * blank, df)

    def _search(self, n_snps: int, xx: np.ndarray, xz: np.ndarray) -> np.ndarray:
        """log λ of the largest restricted likelihood of each SNP, (SNPs,)."""

        def value(log_lambda: np.ndarray) -> np.ndarray:
            at = self._coefficients(log_lambda)
            return self._likelihood(at, self._log_det @ at.T, xx, xz)[0]

        grid = np.linspace(LOWEST, HIGHEST, GRID)
        values = np.stack([value(np.full(n_snps, point)) for point in grid])
        best = values.argmax(axis=0)
        return _golden(value, grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, GRID - 1)])

    def _coefficients(self, log_lambda: np.ndarray) -> np.ndarray:
        """What each point counts in the interpolation at log λ, (SNPs, points)."""
        away = log_lambda[:, None] - self._points
        hit = np.abs(away) < 1e-13
        terms = self._barycentric / np.where(hit, 1.0, away)
        found = terms / terms.sum(axis=1, keepdims=True)
        on_point = hit.any(axis=1)
        found[on_point] = hit[on_point]
        return found

    def _likelihood(
        self, at: np.ndarray, log_det: np.ndarray, xx: np.ndarray, xz: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Restricted log likelihood, β and its variance of each SNP, (SNPs,) each."""
        columns = self._c + 1
        zz = (at @ self._zz.reshape(_POINTS, -1)).reshape(-1, columns, columns)
        xx_at = np.einsum("jp,jp->j", xx, at)
        xz_at = np.einsum("ajp,jp->ja", xz, at)
        cc, cy, yy = zz[:, 1:, 1:], zz[:, 1:, 0], zz[:, 0, 0]
        xy, xc = xz_at[:, 0], xz_at[:, 1:]
        solved = np.linalg.solve(cc, np.stack([xc, cy], axis=2))
        own = np.maximum(xx_at - np.einsum("ja,ja->j", xc, solved[:, :, 0]), 1e-300)
        cross = xy - np.einsum("ja,ja->j", xc, solved[:, :, 1])
        rest = yy - np.einsum("ja,ja->j", cy, solved[:, :, 1])
        beta = cross / own
        rss = np.maximum(rest - beta * cross, 1e-300)
        df = self._n - self._c - 1
        log_det_cc = np.linalg.slogdet(cc)[1]
        value = -0.5 * (df * np.log(rss) + log_det + log_det_cc + np.log(own))
        return value, beta, rss / df / own


def _golden(
    value: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Where functions of one number are largest between two bounds, by golden sections."""
    ratio = (np.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = value(left), value(right)
    for _ in range(_GOLDEN_STEPS):
        up = at_right > at_left
        low, high = np.where(up, left, low), np.where(up, high, right)
        new = np.where(up, low + ratio * (high - low), high - ratio * (high - low))
        left, right = np.where(up, right, new), np.where(up, new, left)
        at_new = value(new)
        at_left, at_right = np.where(up, at_right, at_new), np.where(up, at_new, at_left)
    return (low + high) / 2
