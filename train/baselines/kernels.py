"""Kernel ridge regressions: GBLUP, ridge on the four channels, Gaussian-kernel RKHS.

All of them are ``f(x) = μ + k(x, X) (K + λ I)⁻¹ (y − μ)`` with kernels centred on the rows of the
fit; λ is written as a share of variance ``h²``, ``λ = mean(diag K) (1 − h²) / h²``. The targets
share every factorisation. A Cholesky factor per λ is used instead of one eigen-decomposition for
all: for 4,112 rows it takes a twentieth of the time, and the grid has ten values.

Sources: VanRaden (2008) for GBLUP; Gianola & van Kaam (2008), de los Campos et al. (2010) for RKHS.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from snpredict.formulas.encoding import CHANNEL_CODES
from train.data.centred import centered, training_means
from train.model import Fitted, FoldInput

#: Shares of variance explained that the validation rows choose among.
HERITABILITIES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)

#: Gaussian kernel ``exp(−g D² / median D²)``: the g that the validation rows choose among.
#: Small values approach the linear kernel.
BANDWIDTHS = (0.1, 0.25, 0.5, 1.0)

#: From codes to fit on (n, SNPs) and others (m, SNPs): for each setting of the kernel its name and
#: value, K (n, n) and the others' K (m, n), float64, scaled to mean(diag K) = 1.
KernelMaker = Callable[
    [np.ndarray, Sequence[np.ndarray]],
    Iterator[tuple[dict[str, float], np.ndarray, list[np.ndarray]]],
]


def _scaled(kernel: np.ndarray, others: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    # No variation at all, such as no gap in any row, leaves a kernel of zeros: f(x) = μ.
    scale = float(np.trace(kernel)) / len(kernel) or 1.0
    return kernel.astype(np.float64) / scale, [o.astype(np.float64) / scale for o in others]


def linear_kernel(
    codes: np.ndarray, others: Sequence[np.ndarray]
) -> Iterator[tuple[dict[str, float], np.ndarray, list[np.ndarray]]]:
    """GBLUP's kernel X Xᵀ on codes centred on the rows of the fit, gaps at the mean."""
    means = training_means(codes)
    x = centered(codes, means)
    yield {}, *_scaled(x @ x.T, [centered(other, means) @ x.T for other in others])


def channel_kernel(channels: Sequence[int]) -> KernelMaker:
    """The linear kernel on some of the four one-hot channels, each centred."""

    def make(
        codes: np.ndarray, others: Sequence[np.ndarray]
    ) -> Iterator[tuple[dict[str, float], np.ndarray, list[np.ndarray]]]:
        n = len(codes)
        kernel = np.zeros((n, n), np.float32)
        to_others = [np.zeros((len(other), n), np.float32) for other in others]
        # One channel at a time: all four at once would be four times the memory of the codes.
        for channel in channels:
            x = (codes == CHANNEL_CODES[channel]).astype(np.float32)
            means = x.mean(axis=0)
            x -= means
            kernel += x @ x.T
            for total, other in zip(to_others, others, strict=True):
                indicator = (other == CHANNEL_CODES[channel]).astype(np.float32)
                indicator -= means
                total += indicator @ x.T
        yield {}, *_scaled(kernel, to_others)

    return make


def gaussian_kernels(
    codes: np.ndarray, others: Sequence[np.ndarray]
) -> Iterator[tuple[dict[str, float], np.ndarray, list[np.ndarray]]]:
    """Gaussian kernels of squared distances between samples, centred in their feature space.

    Gaps are at the mean of the fit's rows, and so is the median distance that scales g.
    """
    means = training_means(codes)
    x = centered(codes, means)
    squares = np.einsum("ij,ij->i", x, x)
    distances = _squared_distances(x, squares, x, squares)
    np.fill_diagonal(distances, 0.0)
    median = float(np.median(distances)) or 1.0
    to_others = []
    for other in others:
        z = centered(other, means)
        to_others.append(_squared_distances(z, np.einsum("ij,ij->i", z, z), x, squares))
    for bandwidth in BANDWIDTHS:
        kernel = np.exp(-bandwidth / median * distances.astype(np.float64))
        column_means = kernel.mean(axis=0)
        kernels = [kernel]
        kernels += [np.exp(-bandwidth / median * d.astype(np.float64)) for d in to_others]
        grand_mean = column_means.mean()
        for each in kernels:
            # In this order: the rows' means are taken before anything is subtracted.
            each -= each.mean(axis=1, keepdims=True)
            each -= column_means - grand_mean
        yield {"bandwidth": bandwidth}, *_scaled(kernel, kernels[1:])


def _squared_distances(
    a: np.ndarray, a_squares: np.ndarray, b: np.ndarray, b_squares: np.ndarray
) -> np.ndarray:
    distances = a @ b.T
    distances *= -2
    distances += a_squares[:, None]
    distances += b_squares
    return np.maximum(distances, 0, out=distances)


def fit_kernel(fold: FoldInput, refit: bool, make: KernelMaker) -> Fitted:
    """Kernel ridge of all targets, the kernel's setting and λ by validation MSE per target."""
    y, y_validation = fold.train_targets, fold.validation_targets
    mean = y.mean(axis=0)
    n_targets = y.shape[1]
    lowest = np.full(n_targets, np.inf)
    test = np.empty((len(fold.test_codes), n_targets))
    chosen: list[dict[str, Any]] = [{} for _ in range(n_targets)]
    others = [fold.validation_codes, fold.test_codes]
    for setting, kernel, (to_validation, to_test) in make(fold.train_codes, others):
        for heritability in HERITABILITIES:
            dual = _solve(kernel, heritability, y - mean)
            mse = np.mean((to_validation @ dual + mean - y_validation) ** 2, axis=0)
            better = np.flatnonzero(mse < lowest)
            if not len(better):
                continue
            test[:, better] = to_test @ dual[:, better] + mean[better]
            lowest[better] = mse[better]
            for target in better:
                chosen[target] = {
                    **setting,
                    "heritability": heritability,
                    "validation_mse": float(mse[target]),
                }
    return Fitted(test, _refit(fold, chosen, make) if refit else None, chosen)


def _refit(fold: FoldInput, chosen: list[dict[str, Any]], make: KernelMaker) -> np.ndarray:
    codes, y, _ = fold.joined()
    mean = y.mean(axis=0)
    test = np.empty((len(fold.test_codes), y.shape[1]))
    for setting, kernel, (to_test,) in make(codes, [fold.test_codes]):
        for heritability in HERITABILITIES:
            wanted = {**setting, "heritability": heritability}
            targets = [t for t, c in enumerate(chosen) if wanted.items() <= c.items()]
            if targets:
                dual = _solve(kernel, heritability, (y - mean)[:, targets])
                test[:, targets] = to_test @ dual + mean[targets]
    return test


def _solve(kernel: np.ndarray, heritability: float, y: np.ndarray) -> np.ndarray:
    ridged = kernel.copy()
    ridged.flat[:: len(kernel) + 1] += (1 - heritability) / heritability
    factor = cho_factor(ridged, lower=True, overwrite_a=True, check_finite=False)
    return cho_solve(factor, y, check_finite=False)


def gblup(fold: FoldInput, refit: bool) -> Fitted:
    """Ridge regression on codes, in its dual form."""
    return fit_kernel(fold, refit, linear_kernel)


def ridge_on_channels(fold: FoldInput, refit: bool) -> Fitted:
    """Ridge regression on the four one-hot channels: a weight for every genotype of a SNP."""
    return fit_kernel(fold, refit, channel_kernel(range(len(CHANNEL_CODES))))


def rkhs(fold: FoldInput, refit: bool) -> Fitted:
    """Gaussian-kernel ridge regression."""
    return fit_kernel(fold, refit, gaussian_kernels)
