"""The likelihood of a window's z-scores under prior variances of its variants, exactly.

With D = Λ / σ, S = I + G D Gᵀ = A Aᵀ, T = A⁻¹ G, v = A⁻¹ y and q = Tᵀ v, per window

    loss            = ½ [k log σ + log|S| + vᵀv / σ − yᵀy]
    ∂ / ∂ log Λ_m   = ½ [D_m ‖T_m‖² − Λ_m (q_m / σ)²]
    ∂ / ∂ log σ     = ½ [k − Σ D_m ‖T_m‖² − vᵀv / σ + Σ Λ_m (q_m / σ)²]

and the effects √N b_m given the z-scores have the means Λ_m q_m / σ and the variances
Λ_m (1 − D_m ‖T_m‖²).
"""

from typing import NamedTuple

import numpy as np
from scipy import linalg

from train.deepwas.window import Window


class Loss(NamedTuple):
    """What a window says about prior variances.

    Attributes
    ----------
    value : float
        Negative log likelihood less that of no effects and σ = 1, in nats over the core.
    by_log_prior : ndarray (all,) of float64
        Its derivative by log Λ.
    by_log_sigma : float
    """

    value: float
    by_log_prior: np.ndarray
    by_log_sigma: float


class Posterior(NamedTuple):
    """Effects √N b of all variants of a window given its core's z-scores, (all,) of float64."""

    mean: np.ndarray
    variance: np.ndarray


class _Solved(NamedTuple):
    """See the module: ½ log|S|, v, q and ‖T_m‖²."""

    half_log_det: float
    v: np.ndarray
    q: np.ndarray
    t2: np.ndarray


def _solve(window: Window, d: np.ndarray) -> _Solved:
    g = window.g
    s = (g * d.astype(g.dtype)) @ g.T
    s.flat[:: len(s) + 1] += 1
    a = linalg.cholesky(s, lower=True, overwrite_a=True, check_finite=False)
    both = np.concatenate([g, window.y[:, None]], axis=1)
    both = linalg.solve_triangular(a, both, lower=True, overwrite_b=True, check_finite=False)
    t, v = both[:, :-1], both[:, -1]
    half = float(np.log(a.diagonal().astype(np.float64)).sum())
    t2 = np.einsum("km,km->m", t, t).astype(np.float64)
    return _Solved(half, v.astype(np.float64), (t.T @ v).astype(np.float64), t2)


def exact_loss(window: Window, prior: np.ndarray, sigma: float = 1.0) -> Loss:
    """The likelihood and its gradient.

    Parameters
    ----------
    prior : ndarray (all,)
        Λ, of core and halo.
    """
    at = _solve(window, prior / sigma)
    y = window.y.astype(np.float64)
    vv = at.v @ at.v / sigma
    value = 0.5 * len(y) * np.log(sigma) + at.half_log_det + 0.5 * (vv - y @ y)
    explained, found = prior / sigma * at.t2, prior * (at.q / sigma) ** 2
    by_sigma = 0.5 * (len(y) - explained.sum() - vv + found.sum())
    return Loss(float(value), 0.5 * (explained - found), float(by_sigma))


def posterior(window: Window, prior: np.ndarray, sigma: float = 1.0) -> Posterior:
    """Effects given the z-scores of the core.

    Parameters
    ----------
    prior : ndarray (all,)
        Λ, of core and halo.
    """
    at = _solve(window, prior / sigma)
    left = np.maximum(1 - prior / sigma * at.t2, 0)
    return Posterior(prior * at.q / sigma, prior * left)
