"""What a window's likelihoods are made of, computed once from its LD and z-scores.

The core's z-scores are N(0, R_ca Λ R_ac + σ R_cc), with the LD R_ca of core and all variants and
R_cc of the core. With R_cc = U L Uᵀ the whitened y = L^(−1/2) Uᵀ z is N(0, σ I + G Λ Gᵀ) for
G = L^(−1/2) Uᵀ R_ca: the same likelihood but for a constant, and well conditioned.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from train.deepwas.cutting import Span

#: Directions of smaller eigenvalues of the core's LD are left out: they hold rounding errors.
SMALLEST_EIGENVALUE = 1e-4


@dataclass(frozen=True)
class Window:
    """A window of c core and a core-and-halo variants; float32, or float64 for tests.

    Attributes
    ----------
    span : Span
    z : ndarray (c,)
        z-scores of the core.
    y : ndarray (k,)
        Whitened.
    g : ndarray (k, a)
        G.
    squares : ndarray (c, a)
        Squared correlations of core and all variants, without the upward bias of a small reference.
    """

    span: Span
    z: np.ndarray
    y: np.ndarray
    g: np.ndarray
    squares: np.ndarray

    @property
    def n_core(self) -> int:
        """Core variants."""
        return len(self.z)

    @property
    def n_all(self) -> int:
        """Variants of core and halo."""
        return self.g.shape[1]


def correlations(
    codes: np.ndarray, core: slice, position: np.ndarray, taper: float | None = None
) -> np.ndarray:
    """LD of core and all variants, (core, all) float32.

    Parameters
    ----------
    codes : ndarray (people, all)
        See `standardised`.
    position : ndarray (all,)
        Base pairs.
    taper : float, optional
        Correlations are multiplied by `tapering`, which is 0 from this distance on, in base pairs.
    """
    x = standardised(codes)
    r = x[:, core].T @ x
    if taper:
        r *= tapering(np.abs(position[core, None] - position), taper)
    return r


def tapering(distance: np.ndarray, end: float) -> np.ndarray:
    """From 1 at distance 0 to 0 at `end` and beyond, float32; far correlations are mostly noise.

    Times a correlation matrix it leaves one (Gaspari and Cohn 1999, equation 4.10).
    """
    d = np.minimum(2 * distance / end, 2).astype(np.float32)
    near = 1 + d**2 * (-5 / 3 + d * (5 / 8 + d * (1 / 2 - d / 4)))
    safe = np.maximum(d, 1e-3)
    far = 4 + d * (-5 + d * (5 / 3 + d * (5 / 8 + d * (-1 / 2 + d / 12)))) - 2 / (3 * safe)
    return np.where(d <= 1, near, np.maximum(far, 0))


def standardised(codes: np.ndarray) -> np.ndarray:
    """Genotypes less their mean, of length 1, (people, variants) float32; 0 where none varies.

    Parameters
    ----------
    codes : ndarray (people, variants) of int8, or of float32
        Negative or NaN for missing, which counts as the mean.
    """
    x = codes.astype(np.float32)
    missing = codes < 0 if codes.dtype == np.int8 else np.isnan(codes)
    if missing.any():
        x[missing] = np.nan
        x -= np.nanmean(x, axis=0)
        x[missing] = 0
    else:
        x -= x.mean(axis=0)
    x /= np.sqrt(np.maximum(np.einsum("ij,ij->j", x, x), 1e-12))
    return x


def shrinkage(r: np.ndarray, people: int) -> float:
    """The share of the identity that makes correlations of few people least wrong.

    Schäfer and Strimmer 2005, with (1 − r²)² / (people − 1) for the variance of a correlation.

    Parameters
    ----------
    r : ndarray (core, all)
    """
    squares = r.astype(np.float64) ** 2
    off = squares < 1 - 1e-6
    noise = ((1 - squares[off]) ** 2).sum() / (people - 1)
    return float(min(1.0, noise / max(squares[off].sum(), 1e-12)))


def make_window(
    span: Span,
    r: np.ndarray,
    z: np.ndarray,
    *,
    people: int | None = None,
    shrink: float | None = None,
    dtype: type = np.float32,
) -> Window:
    """Whiten a window.

    Parameters
    ----------
    r : ndarray (core, all)
        Correlations as the reference has them.
    z : ndarray (core,)
    people : int, optional
        Of the reference, where it is another sample than that of the study; None where it is the
        study's own, whose correlations are exact.
    shrink : float, optional
        See `shrinkage`, which is the default for a reference of its own.
    """
    squares = r.astype(dtype) ** 2
    if people is not None:
        shrink = shrinkage(r, people) if shrink is None else shrink
        # As LD scores are made (Bulik-Sullivan et al. 2015).
        squares = squares - (1 - squares) / max(people - 2, 1)
    shrunk = r.astype(np.float64)
    if shrink:
        own = np.arange(len(r)), np.arange(span.core.start, span.core.stop)
        shrunk *= 1 - shrink
        shrunk[own] += shrink
    core = shrunk[:, span.core]
    values, vectors = linalg.eigh((core + core.T) / 2, check_finite=False)
    keep = values > SMALLEST_EIGENVALUE
    white = (vectors[:, keep] / np.sqrt(values[keep])).T
    return Window(
        span,
        np.asarray(z, dtype),
        (white @ np.asarray(z, np.float64)).astype(dtype),
        (white @ shrunk).astype(dtype),
        squares,
    )
