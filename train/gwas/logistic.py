"""Logistic regression of a trait of 0 and 1 on each SNP beside covariates.

Maximum likelihood by Newton's method, many SNPs side by side; effects are log odds ratios and the
statistic is Wald's z. Where there is no maximum, because a SNP separates cases from others or all
but does, and where the iterations do not settle, the likelihood is penalised after Firth (1993;
Heinze & Schemper 2002), which always has one: the rule of plink2's ``firth-fallback``.
"""

from collections.abc import Callable

import numpy as np

from snpredict.formulas.links import sigmoid
from train.gwas.linear import Tested, basis

#: Newton's steps, as plink2 bounds them, and what a settled one is.
_STEPS, _FIRTH_STEPS = 25, 100
_SETTLED = 1e-9

#: Largest change of a coefficient in one Firth step.
_LONGEST = 5.0

#: Largest coefficient, in SDs of its column, of a fit that is taken for one.
_FAR = 25.0

#: SNPs side by side: the work of a step then stays in the processor's cache.
_BATCH = 32


class LogisticScan:
    """The regressions of one trait.

    Parameters
    ----------
    y : ndarray (samples,)
        0 or 1.
    covariates : ndarray (samples, numbers)
        Without the intercept.
    """

    def __init__(self, y: np.ndarray, covariates: np.ndarray):
        self._y = np.asarray(y, np.float64)
        self._c = basis(covariates) * len(y) ** 0.5
        start, settled = _newton(self._y[None], self._c[None], np.ones((1, len(y))))
        #: Without a SNP; 0 where covariates alone separate the cases.
        self._start = start[0] if settled[0] else np.zeros(self._c.shape[1])
        self.n_firth = 0

    def test(self, x: np.ndarray, tell: Callable[[int], None] | None = None) -> Tested:
        """Test SNPs.

        Parameters
        ----------
        x : ndarray (samples, SNPs)
            Copies, NaN for missing.
        tell : callable, optional
            Told of every batch how many SNPs it held.
        """
        found = []
        for start in range(0, x.shape[1], _BATCH):
            found.append(self._batch(x[:, start : start + _BATCH].T.astype(np.float64)))
            if tell is not None:
                tell(len(found[-1].n))
        return Tested(*(np.concatenate(part) for part in zip(*found, strict=True)))

    def _batch(self, x: np.ndarray) -> Tested:
        known = np.isfinite(x)
        weights = known.astype(np.float64)
        n = known.sum(axis=1)
        mean = np.where(known, x, 0).sum(axis=1) / np.maximum(n, 1)
        x = np.where(known, x - mean[:, None], 0)
        size = np.sqrt((x * x).sum(axis=1) / np.maximum(n, 1))
        varies = size > 1e-9
        scale = np.where(varies, size, 1.0)
        design = np.concatenate(
            [(x / scale[:, None])[:, :, None], np.broadcast_to(self._c, (len(x), *self._c.shape))],
            axis=2,
        )
        y = np.broadcast_to(self._y, x.shape)
        cases = (weights * y).sum(axis=1)
        possible = varies & (cases > 0) & (cases < n) & (n > design.shape[2])
        beta, se = np.full(len(x), np.nan), np.full(len(x), np.nan)
        plain = np.flatnonzero(possible & ~self._empty_cell(x, mean, known))
        start = np.tile(np.concatenate([[0], self._start]), (len(plain), 1))
        coefficients, settled = _newton(y[plain], design[plain], weights[plain], start)
        beta[plain] = coefficients[:, 0]
        se[plain] = _errors(coefficients, design[plain], weights[plain])
        settled &= np.isfinite(se[plain])
        again = np.setdiff1d(np.flatnonzero(possible), plain[settled])
        self.n_firth += len(again)
        for at in again.tolist():
            beta[at], se[at] = _firth(self._y[known[at]], design[at][known[at]])
        with np.errstate(invalid="ignore"):
            z = beta / se
        return Tested(n, beta / scale, se / scale, z, np.full(len(x), np.inf))

    def _empty_cell(self, x: np.ndarray, mean: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Whether cases or others lack one of the alleles."""
        copies = np.where(known, x + mean[:, None], 0)
        empty = np.zeros(len(x), bool)
        for group in (self._y == 1, self._y == 0):
            counted = copies[:, group].sum(axis=1)
            empty |= (counted < 1e-6) | (2 * known[:, group].sum(axis=1) - counted < 1e-6)
        return empty


def _newton(
    y: np.ndarray, design: np.ndarray, weights: np.ndarray, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (fits, columns) of largest likelihood, and which fits have settled.

    Parameters
    ----------
    y, weights : ndarray (fits, samples)
        A sample of weight 0 has no part.
    design : ndarray (fits, samples, columns)
    """
    b = np.zeros((len(y), design.shape[2])) if start is None else start.copy()
    settled = np.zeros(len(y), bool)
    running = np.arange(len(y))
    for _ in range(_STEPS):
        if not len(running):
            break
        d, w = design[running], weights[running]
        p = sigmoid(np.matmul(d, b[running, :, None])[:, :, 0])
        score = np.matmul((w * (y[running] - p))[:, None], d)[:, 0]
        step = _steps(_information(d, w * p * (1 - p)), score)
        b[running] += step
        done = np.abs(step).max(axis=1) < _SETTLED
        lost = ~(np.abs(b[running]).max(axis=1) < _FAR)  # also where it is not a number
        settled[running[done & ~lost]] = True
        running = running[~(done | lost)]
    return b, settled


def _information(design: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.matmul(design.transpose(0, 2, 1), design * w[:, :, None])


def _steps(information: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Newton's steps; NaN where the information is singular."""
    try:
        return np.linalg.solve(information, score[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        sound = np.linalg.cond(information) < 1e14
        found = np.full(score.shape, np.nan)
        if sound.any():
            found[sound] = np.linalg.solve(information[sound], score[sound][:, :, None])[:, :, 0]
        return found


def _errors(b: np.ndarray, design: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Standard errors of the first coefficients."""
    found = np.full(len(b), np.nan)
    sound = np.isfinite(b).all(axis=1)
    if not sound.any():
        return found
    d = design[sound]
    p = sigmoid(np.matmul(d, b[sound, :, None])[:, :, 0])
    unit = np.zeros((len(d), d.shape[2]))
    unit[:, 0] = 1
    inverse = _steps(_information(d, weights[sound] * p * (1 - p)), unit)[:, 0]
    found[sound] = np.sqrt(np.where(inverse > 0, inverse, np.nan))
    return found


def _firth(y: np.ndarray, design: np.ndarray) -> tuple[float, float]:
    """First coefficient of the largest penalised likelihood, and its standard error.

    The likelihood times √det of the information. Its score adds ``h (1/2 − p)`` to every
    sample's residual, h being the diagonal of the weighted hat matrix.
    """
    b = np.zeros(design.shape[1])

    def penalised(b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
        eta = design @ b
        p = sigmoid(eta)
        w = p * (1 - p)
        information = design.T @ (design * w[:, None])
        sign, log_determinant = np.linalg.slogdet(information)
        value = float(y @ eta - np.logaddexp(0, eta).sum() + 0.5 * log_determinant)
        return value if sign > 0 else -np.inf, p, w, information

    value, p, w, information = penalised(b)
    for _ in range(_FIRTH_STEPS):
        try:
            inverse = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            return float("nan"), float("nan")
        leverage = w * np.einsum("ij,jk,ik->i", design, inverse, design)
        step = inverse @ (design.T @ (y - p + leverage * (0.5 - p)))
        step *= min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-300))
        for _ in range(30):
            tried = penalised(b + step)
            if tried[0] >= value - 1e-12:
                break
            step = step / 2
        b = b + step
        value, p, w, information = tried
        if np.abs(step).max() < _SETTLED:
            break
    variance = float(np.linalg.inv(information)[0, 0])
    return float(b[0]), variance**0.5 if variance > 0 else float("nan")
