"""Training of a dense ReLU network whose first layer picks its SNPs: L1 by proximal steps.

The loss is the mean over the rows of the cross-entropy of a binary target, or of half the squared
error of a standardised one, plus ``λ Σ |K_1|`` over the first kernel's rows of SNPs. After every
gradient step these weights shrink by the step times λ and stop at 0 (Parikh & Boyd 2014), so that
most SNPs have weights that are exactly 0. A penalty inside the loss would leave thousands of small
ones.

One training walks a path: λ grows from a value at which all SNPs take part to one at which none
does, and the weights of the epoch with the smallest validation loss are kept. So λ is chosen
within one training, as the path of a lasso does it (Lemhadri, Ruan, Tibshirani 2021 walk one from
dense to sparse for networks). A SNP whose weights are 0 may come back.

ReLU lets a network shrink one layer and stretch the next without changing what it computes, which
would let it evade the penalty: the later layers have bounded norms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from snpredict.bundle.manifest import BINARY
from snpredict.formulas.dense_layers import DenseLayers
from snpredict.formulas.links import sigmoid

#: Of Adam, for the layers behind the first.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8

#: Largest norm of what goes into a unit of the second layer, and of what makes the score.
_UNIT_NORM, _OUTPUT_NORM = 1.0, 3.0


#: Told of an epoch: its number and its figures by name.
Tell = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Recipe:
    """How a path is walked.

    Attributes
    ----------
    units : tuple of int
        Of the two hidden layers.
    epochs, batch_size : int
    learning_rate : float
        Of Adam; the first layer's step is `first_rate` times its units.
    penalty_from, penalty_to : float
        λ at both ends, in units of the gradient's noise, SD of the target / √rows.
    """

    units: tuple[int, int]
    epochs: int
    batch_size: int
    learning_rate: float
    first_rate: float
    penalty_from: float
    penalty_to: float


class Rows(NamedTuple):
    """Rows to train or to judge by.

    Attributes
    ----------
    snps : ndarray (rows, SNPs) of float32
        Standardised; 0 for a missing genotype.
    others : ndarray (rows, inputs) of float32
        Covariates and components, which are not penalised.
    targets : ndarray (rows, outputs) of float32
    """

    snps: np.ndarray
    others: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Trained:
    """What came of a path.

    Attributes
    ----------
    layers : DenseLayers
        Inputs are the SNPs, then the others.
    loss : float
        Smallest mean validation loss, by which it was chosen.
    penalty : float
        λ of that epoch, in the recipe's units.
    epoch, epochs : int
        Which one, from 1, and how many were walked.
    n_snps : int
        SNPs with a weight.
    """

    layers: DenseLayers
    loss: float
    penalty: float
    epoch: int
    epochs: int
    n_snps: int


def walk(
    train: Rows,
    validation: Rows,
    recipe: Recipe,
    *,
    task: str,
    seed: int,
    weights: np.ndarray | None = None,
    tell: Tell | None = None,
) -> Trained:
    """Train one network along the path of λ.

    Parameters
    ----------
    train, validation : Rows
    recipe : Recipe
    task : str
        `BINARY` for targets of 0 and 1, else numbers of SD 1.
    seed : int
    weights : ndarray (rows, outputs), optional
        Of the training rows' losses, mean 1.
    tell : callable, optional
        Told of every epoch: its number, from 1, and ``loss``, ``val_loss`` and ``val_mae``.
    """
    return _Path(train, recipe, task, seed, weights).walked(validation, tell)


class _Path:
    """The weights on their way."""

    def __init__(
        self, train: Rows, recipe: Recipe, task: str, seed: int, weights: np.ndarray | None
    ):
        self._rng = np.random.default_rng(seed)
        self._recipe, self._binary = recipe, task == BINARY
        n, self._n_snps = train.snps.shape
        self._train = train
        self._weights = None if weights is None else weights.astype(np.float32)
        one, two = recipe.units
        outputs = train.targets.shape[1]
        others = train.others.shape[1]

        def drawn(sd: float, *shape: int) -> np.ndarray:
            return self._rng.normal(0, sd, shape).astype(np.float32)

        # Small against the standardised genotypes, and above 0 everywhere: at 0 a unit without
        # inputs would have no gradient.
        self._snps = drawn(0.5 / max(self._n_snps, 1) ** 0.5, self._n_snps, one)
        self._pace = np.zeros_like(self._snps)
        self._rest = [
            drawn(0.5 / max(others, 1) ** 0.5, others, one),
            np.zeros(one, np.float32),
            drawn(one**-0.5, one, two),
            np.zeros(two, np.float32),
            drawn(two**-0.5, two, outputs),
            self._start(train.targets),
        ]
        self._means = [np.zeros_like(part) for part in self._rest]
        self._squares = [np.zeros_like(part) for part in self._rest]
        self._steps = 0
        self._noise = float(train.targets.std(axis=0).mean()) / n**0.5

    def walked(self, validation: Rows, tell: Tell | None) -> Trained:
        r = self._recipe
        best: Trained | None = None
        growth = (r.penalty_to / r.penalty_from) ** (1 / max(r.epochs - 1, 1))
        for epoch in range(1, r.epochs + 1):
            penalty = r.penalty_from * growth ** (epoch - 1)
            loss = self._epoch(penalty * self._noise)
            judged, distance = self._judged(validation)
            if tell is not None:
                tell(epoch, {"loss": loss, "val_loss": judged, "val_mae": distance})
            used = (self._snps != 0).any(axis=1)
            if best is None or judged < best.loss:
                best = Trained(self._layers(), judged, penalty, epoch, epoch, int(used.sum()))
            if not used.any():
                break
        assert best is not None
        return Trained(**{**vars(best), "epochs": epoch})

    def _start(self, targets: np.ndarray) -> np.ndarray:
        mean = targets.mean(axis=0)
        if not self._binary:
            return mean.astype(np.float32)
        mean = np.clip(mean, 1e-3, 1 - 1e-3)
        return np.log(mean / (1 - mean)).astype(np.float32)

    def _epoch(self, penalty: float) -> float:
        t, size = self._train, self._recipe.batch_size
        order = self._rng.permutation(len(t.targets))
        total = 0.0
        for start in range(0, len(order), size):
            at = order[start : start + size]
            weights = None if self._weights is None else self._weights[at]
            total += len(at) * self._step(
                Rows(t.snps[at], t.others[at], t.targets[at]), weights, penalty
            )
        return total / len(order)

    def _step(self, batch: Rows, weights: np.ndarray | None, penalty: float) -> float:
        """One step of a batch; its loss before the step."""
        kernel_others, bias_1, kernel_2, bias_2, kernel_3, bias_3 = self._rest
        s_1 = batch.snps @ self._snps + bias_1
        if batch.others.shape[1]:
            s_1 += batch.others @ kernel_others
        a_1 = np.maximum(s_1, 0)
        s_2 = a_1 @ kernel_2 + bias_2
        a_2 = np.maximum(s_2, 0)
        score = a_2 @ kernel_3 + bias_3
        loss, slope = _loss(score, batch.targets, self._binary)
        slope = slope / np.float32(len(slope))
        if weights is not None:
            loss, slope = loss * weights, slope * weights
        d_2 = (slope @ kernel_3.T) * (s_2 > 0)
        d_1 = (d_2 @ kernel_2.T) * (s_1 > 0)
        gradients = [
            batch.others.T @ d_1,
            d_1.sum(axis=0),
            a_1.T @ d_2,
            d_2.sum(axis=0),
            a_2.T @ slope,
            slope.sum(axis=0),
        ]
        self._steps += 1
        self._shrink(batch.snps.T @ d_1, penalty)
        self._adam(gradients)
        return float(loss.sum(axis=1).mean())

    def _shrink(self, gradient: np.ndarray, penalty: float) -> None:
        """A step along the running gradient, then the proximal step of λ."""
        # One rate for all weights: Adam's own would make steps of noise as long as those of signal.
        rate = self._recipe.first_rate * self._recipe.units[0]
        self._pace += (1 - _BETA_1) * (gradient - self._pace)
        self._snps -= np.float32(rate / (1 - _BETA_1**self._steps)) * self._pace
        size = np.abs(self._snps)
        size -= np.float32(rate * penalty)
        np.maximum(size, 0, out=size)
        np.copysign(size, self._snps, out=self._snps)

    def _adam(self, gradients: list[np.ndarray]) -> None:
        rate = self._recipe.learning_rate
        of_mean, of_square = 1 - _BETA_1**self._steps, 1 - _BETA_2**self._steps
        for part, gradient, mean, square in zip(
            self._rest, gradients, self._means, self._squares, strict=True
        ):
            mean += (1 - _BETA_1) * (gradient - mean)
            square += (1 - _BETA_2) * (gradient * gradient - square)
            part -= (rate / of_mean) * mean / (np.sqrt(square / of_square) + _EPSILON)
        for at, largest in ((2, _UNIT_NORM), (4, _OUTPUT_NORM)):
            kernel = self._rest[at]
            norms = np.sqrt((kernel * kernel).sum(axis=0))
            kernel *= np.minimum(1, largest / np.maximum(norms, 1e-12))

    def _judged(self, rows: Rows) -> tuple[float, float]:
        """Mean loss, and mean absolute distance of the predictions to the targets."""
        kernels, biases = self._parts(self._snps)
        x = np.concatenate([rows.snps, rows.others], axis=1)
        score = DenseLayers(kernels, biases).scores(x)
        loss, error = _loss(score, rows.targets, self._binary)
        return float(loss.sum(axis=1).mean()), float(np.abs(error).mean())

    def _parts(self, snps: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        others, bias_1, kernel_2, bias_2, kernel_3, bias_3 = self._rest
        return [np.concatenate([snps, others]), kernel_2, kernel_3], [bias_1, bias_2, bias_3]

    def _layers(self) -> DenseLayers:
        kernels, biases = self._parts(self._snps)
        return DenseLayers([part.copy() for part in kernels], [part.copy() for part in biases])


def _loss(score: np.ndarray, target: np.ndarray, binary: bool) -> tuple[np.ndarray, np.ndarray]:
    """Loss of every row and output, and its derivative by the score."""
    if binary:
        probability = sigmoid(score)
        return np.logaddexp(0, score) - target * score, probability - target
    error = score - target
    return 0.5 * error * error, error
