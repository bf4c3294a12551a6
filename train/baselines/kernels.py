"""Kernel ridge regressions: GBLUP, ridge on the four channels, Gaussian-kernel RKHS.

All of them are ``f(x) = μ + k(x, X) (K + λ I)⁻¹ (y − μ)`` with kernels centred on the rows of the
fit; λ is written as a share of variance ``h²``, ``λ = mean(diag K) (1 − h²) / h²``. The targets
share every factorisation. A Cholesky factor per λ is used instead of one eigen-decomposition for
all: for 4,112 rows it takes a twentieth of the time, and the grid has ten values.

A binary target is 0 and 1, and its prediction, a probability, is cut off at both.

Sources: VanRaden (2008) for GBLUP; Gianola & van Kaam (2008), de los Campos et al. (2010) for RKHS.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from snpredict.formulas.encoding import CHANNEL_CODES
from train.baselines.dual import BASELINE_SHARES, gaussian, solve_dual, squared_distances
from train.data.centred import centered, training_means
from train.metrics import BINARY, CONTINUOUS
from train.model import FittedModel, FoldData, Inputs, Model, Record

#: Gaussian kernel ``exp(−g D² / median D²)``: the g that the validation rows choose among.
#: Small values approach the linear kernel.
BANDWIDTHS = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Kernel:
    """A kernel of the rows of a fit, under one setting.

    Attributes
    ----------
    setting : dict of str to float
        Name and value of what is chosen, such as a bandwidth.
    matrix : ndarray (n, n) of float64
        K, scaled to mean(diag K) = 1.
    to : callable
        From codes (m, SNPs) of other rows to k(x, X), (m, n) float64, on the same scale.
    """

    setting: dict[str, float]
    matrix: np.ndarray
    to: Callable[[np.ndarray], np.ndarray]


#: From the codes (n, SNPs) of the rows of a fit to its kernels.
KernelMaker = Callable[[np.ndarray], Iterator[Kernel]]


def _kernel(
    setting: dict[str, float], matrix: np.ndarray, to: Callable[[np.ndarray], np.ndarray]
) -> Kernel:
    # No variation at all, such as no gap in any row, leaves a kernel of zeros: f(x) = μ.
    scale = float(np.trace(matrix)) / len(matrix) or 1.0
    return Kernel(
        setting,
        matrix.astype(np.float64) / scale,
        lambda codes: to(codes).astype(np.float64) / scale,
    )


def linear_kernel(codes: np.ndarray) -> Iterator[Kernel]:
    """GBLUP's kernel X Xᵀ on codes centred on the rows of the fit, gaps at the mean."""
    means = training_means(codes)
    x = centered(codes, means)
    yield _kernel({}, x @ x.T, lambda other: centered(other, means) @ x.T)


def channel_kernel(channels: Sequence[int]) -> KernelMaker:
    """The linear kernel on some of the four one-hot channels, each centred."""

    def make(codes: np.ndarray) -> Iterator[Kernel]:
        def to(other: np.ndarray) -> np.ndarray:
            total = np.zeros((len(other), len(codes)), np.float32)
            # One channel at a time: all at once would be four times the memory of the codes.
            for channel in channels:
                x = (codes == CHANNEL_CODES[channel]).astype(np.float32)
                means = x.mean(axis=0)
                x -= means
                z = x
                if other is not codes:
                    z = (other == CHANNEL_CODES[channel]).astype(np.float32)
                    z -= means
                total += z @ x.T
            return total

        yield _kernel({}, to(codes), to)

    return make


def gaussian_kernels(codes: np.ndarray) -> Iterator[Kernel]:
    """Gaussian kernels of squared distances between samples, centred in their feature space.

    Gaps are at the mean of the fit's rows, and so is the median distance that scales g.
    """
    means = training_means(codes)
    x = centered(codes, means)
    squares = np.einsum("ij,ij->i", x, x)
    distances = squared_distances(x, x, squares, squares)
    np.fill_diagonal(distances, 0.0)
    median = float(np.median(distances)) or 1.0

    def distances_to(other: np.ndarray) -> np.ndarray:
        z = centered(other, means)
        return squared_distances(z, x, np.einsum("ij,ij->i", z, z), squares)

    for bandwidth in BANDWIDTHS:
        yield _centred_gaussian(bandwidth, distances, distances_to, median)


def _centred_gaussian(
    bandwidth: float,
    distances: np.ndarray,
    distances_to: Callable[[np.ndarray], np.ndarray],
    median: float,
) -> Kernel:
    kernel = gaussian(distances.astype(np.float64), bandwidth / median)
    column_means = kernel.mean(axis=0)
    shift = column_means - column_means.mean()

    def centre(each: np.ndarray) -> np.ndarray:
        # In this order: the rows' means are taken before anything is subtracted.
        each -= each.mean(axis=1, keepdims=True)
        each -= shift
        return each

    def to(other: np.ndarray) -> np.ndarray:
        return centre(gaussian(distances_to(other).astype(np.float64), bandwidth / median))

    return _kernel({"bandwidth": bandwidth}, centre(kernel), to)


class KernelRidge(Model):
    """Kernel ridge of all targets, the kernel's setting and λ by validation MSE per target."""

    together = True
    control_seeds = 50
    tasks = (CONTINUOUS, BINARY)

    def __init__(self, name: str, title: str, about: str, kernels: KernelMaker):
        self.name, self.title, self.about = name, title, about
        self.kernels = kernels

    def fit(self, data: FoldData, record: Record | None = None) -> "FittedKernels":
        """Try every kernel and λ."""
        y, y_validation = data.train_targets, data.validation_targets
        mean = y.mean(axis=0)
        lowest = np.full(data.n_targets, np.inf)
        fitted = FittedKernels(mean, len(y), data.task)
        for kernel in self.kernels(data.train.codes):
            to_validation = kernel.to(data.validation.codes)
            for share in BASELINE_SHARES:
                dual = _solve(kernel, share, y - mean)
                mse = np.mean((to_validation @ dual + mean - y_validation) ** 2, axis=0)
                better = np.flatnonzero(mse < lowest)
                lowest[better] = mse[better]
                fitted.take(better, kernel, share, dual[:, better])
        for chosen, mse in zip(fitted.chosen, lowest, strict=True):
            chosen["validation_mse"] = float(mse)
        return fitted

    def refit(self, data: FoldData, fitted: FittedModel) -> "FittedKernels":
        """With every target's kernel and λ."""
        inputs, y = data.joined
        mean = y.mean(axis=0)
        again = FittedKernels(mean, len(y), data.task)
        for kernel in self.kernels(inputs.codes):
            for share in BASELINE_SHARES:
                wanted = {**kernel.setting, "heritability": share}
                targets = [t for t, c in enumerate(fitted.chosen) if wanted.items() <= c.items()]
                if targets:
                    dual = _solve(kernel, share, (y - mean)[:, targets])
                    again.take(np.array(targets), kernel, share, dual)
        return again


class FittedKernels(FittedModel):
    """Dual weights of every target, and the way to the kernel that it chose.

    Parameters
    ----------
    mean : ndarray (targets,)
        Of the rows of the fit.
    n_rows : int
        How many these are.
    task : str
    """

    def __init__(self, mean: np.ndarray, n_rows: int, task: str):
        self.mean, self.task = mean, task
        self.dual = np.empty((n_rows, len(mean)))
        self.chosen: list[dict[str, Any]] = [{} for _ in mean]
        self._to: list[Callable[[np.ndarray], np.ndarray] | None] = [None for _ in mean]

    def take(self, targets: np.ndarray, kernel: Kernel, share: float, dual: np.ndarray) -> None:
        """Let these targets have that kernel, h² and dual weights (rows, these targets)."""
        self.dual[:, targets] = dual
        for target in targets:
            self.chosen[target] = {**kernel.setting, "heritability": share}
            self._to[target] = kernel.to

    def predict(self, inputs: Inputs) -> np.ndarray:
        """``μ + k(x, X) a``; the targets of one kernel share it."""
        predicted = np.empty((len(inputs), len(self.mean)))
        for to in dict.fromkeys(self._to):
            assert to is not None
            targets = [target for target, its in enumerate(self._to) if its is to]
            predicted[:, targets] = to(inputs.codes) @ self.dual[:, targets] + self.mean[targets]
        return np.clip(predicted, 0, 1) if self.task == BINARY else predicted


def _solve(kernel: Kernel, share: float, y: np.ndarray) -> np.ndarray:
    return solve_dual(kernel.matrix, y, (1 - share) / share).weights


#: Ridge regression on codes, in its dual form.
GBLUP = KernelRidge(
    "gblup", "GBLUP", "ridge regression on centred genotype codes", kernels=linear_kernel
)
#: Ridge regression on the four one-hot channels: a weight for every genotype of a SNP.
RIDGE_ON_CHANNELS = KernelRidge(
    "ridge-channels",
    "ridge, four channels",
    "ridge regression on the one-hot channels, missing being one of them",
    kernels=channel_kernel(range(len(CHANNEL_CODES))),
)
#: Gaussian-kernel ridge regression.
RKHS = KernelRidge(
    "rkhs",
    "RKHS, Gaussian",
    "kernel ridge regression with a Gaussian kernel, bandwidth and λ chosen",
    kernels=gaussian_kernels,
)
