"""Kernel ridge regressions: GBLUP, ridge on the four channels, Gaussian-kernel RKHS.

All of them are ``f(x) = μ + k(x, X) (K + λ I)⁻¹ (y − μ)`` with kernels centred on the rows of the
fit; λ is written as a share of variance ``h²``, ``λ = mean(diag K) (1 − h²) / h²``. The targets
share every factorisation. A Cholesky factor per λ is used instead of one eigen-decomposition for
all: for 4,112 rows it takes a twentieth of the time, and the grid has ten values.

A binary target is 0 and 1, and its prediction, a probability, is cut off at both. Covariates are
fixed effects.

Sources: VanRaden (2008) for GBLUP; Gianola & van Kaam (2008), de los Campos et al. (2010) for RKHS.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from snpredict.bundle.manifest import BINARY, CONTINUOUS
from snpredict.formulas.encoding import CHANNEL_CODES
from snpredict.formulas.fixed_effects import FixedEffects
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import ScoreFunction
from train.baselines.dual import BASELINE_SHARES, gaussian, solve_dual, squared_distances
from train.baselines.sums import sum_over_snps
from train.data.covariates import CovariateScale
from train.model import FittedModel, FoldData, Inputs, Model, Record

#: Gaussian kernel ``exp(−g D² / median D²)``: the g that the validation rows choose among.
#: Small values approach the linear kernel.
BANDWIDTHS = (0.1, 0.25, 0.5, 1.0)


#: From dual weights (n, targets) to effects (SNPs, targets) and the means of the codes (SNPs,).
Effects = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


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
        From `Genotypes` of other rows to k(x, X), (m, n) float64, on the same scale.
    effects : callable or None
        From dual weights to effects and means, for the one kernel of a model whose prediction is a
        sum over SNPs.
    """

    setting: dict[str, float]
    matrix: np.ndarray
    to: Callable[[Genotypes], np.ndarray]
    effects: Effects | None = None


#: From the genotypes of the rows of a fit to its kernels.
KernelMaker = Callable[[Genotypes], Iterator[Kernel]]


def _kernel(
    setting: dict[str, float],
    matrix: np.ndarray,
    to: Callable[[Genotypes], np.ndarray],
    effects: Effects | None = None,
) -> Kernel:
    """Bring a kernel and what belongs to it on its scale."""
    # No variation at all, such as no gap in any row, leaves a kernel of zeros: f(x) = μ.
    scale = float(np.trace(matrix)) / len(matrix) or 1.0
    return Kernel(
        setting,
        matrix.astype(np.float64) / scale,
        lambda genotypes: to(genotypes).astype(np.float64) / scale,
        None if effects is None else lambda dual: effects(dual / scale),
    )


def linear_kernel(genotypes: Genotypes) -> Iterator[Kernel]:
    """GBLUP's kernel X Xᵀ on codes centred on the rows of the fit, gaps at the mean."""
    means = genotypes.means()
    x = genotypes.centred(means)
    yield _kernel(
        {},
        x @ x.T,
        lambda other: other.centred(means) @ x.T,
        lambda dual: (x.T @ dual, means),
    )


def channel_kernel(channels: Sequence[int]) -> KernelMaker:
    """The linear kernel on some of the four one-hot channels, each centred."""

    def make(genotypes: Genotypes) -> Iterator[Kernel]:
        def to(other: Genotypes) -> np.ndarray:
            total = np.zeros((len(other), len(genotypes)), np.float32)
            # One channel at a time: all at once would be four times the memory of the codes.
            for channel in channels:
                x = genotypes.share_of(CHANNEL_CODES[channel])
                means = x.mean(axis=0)
                x -= means
                z = x
                if other is not genotypes:
                    z = other.share_of(CHANNEL_CODES[channel])
                    z -= means
                total += z @ x.T
            return total

        yield _kernel({}, to(genotypes), to)

    return make


def gaussian_kernels(genotypes: Genotypes) -> Iterator[Kernel]:
    """Gaussian kernels of squared distances between samples, centred in their feature space.

    Gaps are at the mean of the fit's rows, and so is the median distance that scales g.
    """
    means = genotypes.means()
    x = genotypes.centred(means)
    squares = np.einsum("ij,ij->i", x, x)
    distances = squared_distances(x, x, squares, squares)
    np.fill_diagonal(distances, 0.0)
    median = float(np.median(distances)) or 1.0

    def distances_to(other: Genotypes) -> np.ndarray:
        z = other.centred(means)
        return squared_distances(z, x, np.einsum("ij,ij->i", z, z), squares)

    for bandwidth in BANDWIDTHS:
        yield _centred_gaussian(bandwidth, distances, distances_to, median)


def _centred_gaussian(
    bandwidth: float,
    distances: np.ndarray,
    distances_to: Callable[[Genotypes], np.ndarray],
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

    def to(other: Genotypes) -> np.ndarray:
        return centre(gaussian(distances_to(other).astype(np.float64), bandwidth / median))

    return _kernel({"bandwidth": bandwidth}, centre(kernel), to)


class KernelRidge(Model):
    """Kernel ridge of all targets, the kernel's setting and λ by validation MSE per target."""

    together = True
    control_seeds = 50
    tasks = (CONTINUOUS, BINARY)
    covariates = True
    dosages = True

    def __init__(self, name: str, title: str, about: str, kernels: KernelMaker):
        self.name, self.title, self.about = name, title, about
        self.kernels = kernels

    def fit(self, data: FoldData, record: Record | None = None) -> "FittedKernels":
        """Try every kernel and λ."""
        fitted = FittedKernels(data.train, data.train_targets, data.task)
        lowest = np.full(data.n_targets, np.inf)
        for kernel in self.kernels(data.train.genotypes):
            to_validation = kernel.to(data.validation.genotypes)
            for share in BASELINE_SHARES:
                solution = fitted.solve(kernel, share)
                found = fitted.predictions(to_validation, data.validation, solution)
                mse = np.mean((found - data.validation_targets) ** 2, axis=0)
                better = np.flatnonzero(mse < lowest)
                lowest[better] = mse[better]
                fitted.take(better, kernel, share, solution.of(better))
        for chosen, mse in zip(fitted.chosen, lowest, strict=True):
            chosen["validation_mse"] = float(mse)
        return fitted

    def refit(self, data: FoldData, fitted: FittedModel) -> "FittedKernels":
        """With every target's kernel and λ."""
        again = FittedKernels(*data.joined, data.task)
        for kernel in self.kernels(data.joined[0].genotypes):
            for share in BASELINE_SHARES:
                wanted = {**kernel.setting, "heritability": share}
                chosen = [t for t, c in enumerate(fitted.chosen) if wanted.items() <= c.items()]
                if chosen:
                    targets = np.array(chosen)
                    again.take(targets, kernel, share, again.solve(kernel, share, targets))
        return again


class _Solution(NamedTuple):
    """Dual weights (rows, targets), slopes of the covariates, which these are, and means.

    ``f(x) = μ + standardised covariates · b + k(x, X) a``
    """

    dual: np.ndarray
    slopes: np.ndarray
    mean: np.ndarray

    def of(self, targets: np.ndarray) -> "_Solution":
        """Those targets' alone."""
        return _Solution(self.dual[:, targets], self.slopes[:, targets], self.mean[targets])


class FittedKernels(FittedModel):
    """What was solved for every target, and the way to the kernel that it chose.

    Parameters
    ----------
    inputs : Inputs
        The rows of the fit.
    targets : ndarray (rows, targets)
    task : str
    """

    def __init__(self, inputs: Inputs, targets: np.ndarray, task: str):
        self.task = task
        self.chosen: list[dict[str, Any]] = [{} for _ in targets.T]
        # Not the kernels themselves, whose matrices are needed no more.
        self._to: list[Callable[[Genotypes], np.ndarray]] = [_nowhere for _ in targets.T]
        self._effects: Effects | None = None
        self._covariates = CovariateScale.of(_covariates(inputs))
        self._x = self._covariates.standardised(_covariates(inputs))
        mean = targets.mean(axis=0)
        self._y = targets - mean
        shape = self._x.shape[1], len(mean)
        self._best = _Solution(np.empty(targets.shape), np.empty(shape), mean)

    def solve(self, kernel: Kernel, share: float, targets: np.ndarray | None = None) -> _Solution:
        """Solve for all targets or some: covariates as fixed effects (Henderson 1975).

        With V = K + λ I, ``b = (X' V⁻¹ X)⁻¹ X' V⁻¹ y`` and ``a = V⁻¹ (y − X b)``. K and X are
        centred, so that the mean is estimated apart from both.
        """
        every = np.arange(self._y.shape[1])
        targets = every if targets is None else targets
        y, x = self._y[:, targets], self._x
        n = len(targets)
        noise = (1 - share) / share
        solved = solve_dual(kernel.matrix, np.concatenate([y, x], axis=1), noise).weights
        of_y, of_x = solved[:, :n], solved[:, n:]
        slopes = np.zeros((x.shape[1], n))
        if x.size:
            slopes = np.linalg.lstsq(x.T @ of_x, x.T @ of_y)[0]
            of_y = of_y - of_x @ slopes
        return _Solution(of_y, slopes, self._best.mean[targets])

    def take(self, targets: np.ndarray, kernel: Kernel, share: float, solution: _Solution) -> None:
        """Let these targets have that kernel, h² and solution."""
        self._best.dual[:, targets] = solution.dual
        self._best.slopes[:, targets] = solution.slopes
        for target in targets:
            self.chosen[target] = {**kernel.setting, "heritability": share}
            self._to[target] = kernel.to
        self._effects = kernel.effects

    def predictions(self, kernel: np.ndarray, inputs: Inputs, solution: _Solution) -> np.ndarray:
        """By a solution, given k(x, X) of the inputs."""
        predicted = kernel @ solution.dual + solution.mean
        if inputs.covariates is not None:
            predicted += self._covariates.standardised(inputs.covariates) @ solution.slopes
        return predicted

    def predict(self, inputs: Inputs) -> np.ndarray:
        """The targets of one kernel share it."""
        predicted = np.empty((len(inputs), len(self.chosen)))
        for to in dict.fromkeys(self._to):
            targets = np.array([target for target, its in enumerate(self._to) if its is to])
            found = self.predictions(to(inputs.genotypes), inputs, self._best.of(targets))
            predicted[:, targets] = found
        return np.clip(predicted, 0, 1) if self.task == BINARY else predicted

    def fixed_effects(self) -> FixedEffects:
        """The covariates' part of the prediction; a target in place of a fold."""
        scale, slopes = self._covariates, self._best.slopes
        means = np.repeat(scale.means[:, None], slopes.shape[1], axis=1)
        return FixedEffects(means, slopes / scale.sds[:, None])

    def score_function(self) -> tuple[ScoreFunction, TraitScale] | None:
        """GBLUP's, a sum over SNPs alone."""
        if self.task == BINARY or self._x.size or self._effects is None:
            return None
        return sum_over_snps(*self._effects(self._best.dual), self._best.mean)


def _nowhere(genotypes: Genotypes) -> np.ndarray:
    raise ValueError("nothing was chosen: every validation error is NaN")


def _covariates(inputs: Inputs) -> np.ndarray:
    """(samples, covariates), of which there may be none."""
    return np.zeros((len(inputs), 0)) if inputs.covariates is None else inputs.covariates


#: Ridge regression on codes, in its dual form. The preset ``gblup`` is the same regression as a
#: network of no epochs: it has seven values of h² to choose from and passes an ISRU.
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
