"""The likelihood of a large window without its matrix S: conjugate gradients with random probes.

S = I + G D Gᵀ is applied to vectors only, which costs k · a where `train.deepwas.likelihood` costs
k² · a. One run of conjugate gradients solves for y and for p probes u of random signs, and its
coefficients are the Lanczos matrices of S, from which

    log|S|  ≈  k / p · Σ over probes of e₁ᵀ log(T) e₁           (stochastic Lanczos quadrature)
    ‖T_m‖²  =  g_mᵀ S⁻¹ g_m  ≈  1 / p · Σ (Gᵀ S⁻¹ u)_m (Gᵀ u)_m   (Hutchinson)

as in Gardner et al. 2018 (arXiv 1809.11165). What depends on y is exact up to the tolerance; the
two sums over probes have a sampling error, which is told.
"""

from typing import NamedTuple

import numpy as np

from train.deepwas.likelihood import Loss
from train.deepwas.window import Window

#: Relative residuals at which conjugate gradients stop, and their most steps.
TOLERANCE, _STEPS = 1e-6, 500


class Sampled(NamedTuple):
    """An estimate.

    Attributes
    ----------
    loss : Loss
    value_error : float
        Standard error of its value, of the probes.
    gradient_error : ndarray (all,) of float64
        Of its derivatives by log Λ.
    """

    loss: Loss
    value_error: float
    gradient_error: np.ndarray


def sampled_loss(
    window: Window,
    prior: np.ndarray,
    sigma: float = 1.0,
    *,
    probes: int | np.ndarray = 25,
    seed: int = 0,
    tolerance: float = TOLERANCE,
) -> Sampled:
    """As `train.deepwas.likelihood.exact_loss`, estimated.

    Parameters
    ----------
    prior : ndarray (all,)
        Λ, of core and halo.
    probes : int or ndarray (k, p)
        How many are drawn, or the probes themselves, each of squared length k. All k unit vectors
        times √k leave no sampling error.
    """
    g, y = window.g, window.y
    k = len(y)
    if isinstance(probes, int):
        signs = np.random.default_rng([seed, 23]).integers(0, 2, (k, probes)) * 2 - 1
        probes = signs.astype(g.dtype)
    d = (prior / sigma).astype(g.dtype)
    solved, logs = _conjugate_gradients(g, d, np.column_stack([y, probes]), tolerance)
    q = (g.T @ solved[:, 0]).astype(np.float64)
    products = (g.T @ solved[:, 1:]).astype(np.float64) * (g.T @ probes)
    n = probes.shape[1]
    log_dets = k * logs[1:]
    yy = y.astype(np.float64)
    vv = float(yy @ solved[:, 0]) / sigma
    value = 0.5 * (k * np.log(sigma) + log_dets.mean() + vv - yy @ yy)
    explained = prior / sigma * products.mean(axis=1)
    found = prior * (q / sigma) ** 2
    by_sigma = 0.5 * (k - explained.sum() - vv + found.sum())
    spread = prior / sigma * products.std(axis=1, ddof=1) if n > 1 else np.full(len(prior), np.inf)
    return Sampled(
        Loss(float(value), 0.5 * (explained - found), float(by_sigma)),
        float(0.5 * log_dets.std(ddof=1) / n**0.5) if n > 1 else np.inf,
        0.5 * spread / n**0.5,
    )


def _conjugate_gradients(
    g: np.ndarray, d: np.ndarray, right: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Solve S x = b for every column, and e₁ᵀ log(T) e₁ of its Lanczos matrix.

    Returns
    -------
    (solutions, logs)
        ndarrays (k, columns) of float64 and (columns,) of float64.
    """
    columns = right.shape[1]
    b = right.astype(np.float64)
    x, residual = np.zeros_like(b), b.copy()
    along = residual.copy()
    size = (residual**2).sum(axis=0)
    least = tolerance**2 * size
    running = size > 0
    alphas: list[np.ndarray] = []
    betas: list[np.ndarray] = []
    lengths = np.zeros(columns, np.int64)
    for _ in range(min(_STEPS, len(b))):
        if not running.any():
            break
        turned = along.astype(g.dtype)
        applied = along + g @ (d[:, None] * (g.T @ turned))
        curve = (along * applied).sum(axis=0)
        alpha = np.where(running, size / np.where(running, curve, 1), 0)
        x += alpha * along
        residual -= alpha * applied
        new = (residual**2).sum(axis=0)
        beta = np.where(running, new / np.where(size > 0, size, 1), 0)
        alphas.append(alpha)
        betas.append(beta)
        lengths[running] += 1
        along = residual + beta * along
        size = np.where(running, new, size)
        running &= new > least
    return x, np.array(
        [_log(np.array(alphas)[:n, at], np.array(betas)[:n, at]) for at, n in enumerate(lengths)]
    )


def _log(alpha: np.ndarray, beta: np.ndarray) -> float:
    """e₁ᵀ log(T) e₁ of the tridiagonal matrix that conjugate gradients went through."""
    if not len(alpha):
        return 0.0
    from scipy.linalg import eigh_tridiagonal

    diagonal = 1 / alpha
    diagonal[1:] += beta[:-1] / alpha[:-1]
    off = np.sqrt(beta[:-1]) / alpha[:-1]
    values, vectors = eigh_tridiagonal(diagonal, off)
    return float(vectors[0] ** 2 @ np.log(np.maximum(values, 1e-300)))
