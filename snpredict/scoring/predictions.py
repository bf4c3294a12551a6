"""What scoring gives: predictions of all folds, and how much of a model's input a file filled."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from snpredict.formulas.genotypes import Genotypes


@dataclass(frozen=True)
class ScoredBlock:
    """Consecutive samples with their predictions.

    Attributes
    ----------
    samples : list of str
    genotypes : Genotypes
        Without dosages where no sample has any.
    folds : ndarray (samples, folds) of float32
        Prediction of every fold model, trait units.
    held_out : ndarray (samples,) of int64
        The fold that did not see the sample, see `TrainingSet.held_out_by`.
    missing : int
        Missing genotypes.
    """

    samples: list[str]
    genotypes: Genotypes
    folds: np.ndarray
    held_out: np.ndarray
    missing: int


@dataclass(frozen=True)
class Coverage:
    """How much of a model's input a file filled.

    Attributes
    ----------
    samples : int
    model_snps : int
    found : int
        SNPs of the model that the file has.
    missing : int
        Missing genotypes over all samples and SNPs of the model, absent SNPs included.
    """

    samples: int
    model_snps: int
    found: int
    missing: int

    @property
    def found_share(self) -> float:
        """Share of the model's SNPs that the file has."""
        return self.found / self.model_snps

    @property
    def missing_rate(self) -> float:
        """Share of missing genotypes among all SNPs of the model."""
        return self.missing / max(1, self.samples * self.model_snps)

    @property
    def missing_rate_found(self) -> float:
        """Share of missing genotypes among the SNPs that the file has."""
        absent = self.samples * (self.model_snps - self.found)
        return (self.missing - absent) / max(1, self.samples * self.found)


@dataclass(frozen=True)
class Scores:
    """All predictions for a file.

    Attributes
    ----------
    samples : list of str
    folds : ndarray (samples, folds) of float32
        Trait units.
    held_out : ndarray (samples,) of int64
        The fold that did not see a training sample, see `TrainingSet.held_out_by`.
    coverage : Coverage
    """

    samples: list[str]
    folds: np.ndarray
    held_out: np.ndarray
    coverage: Coverage

    @property
    def prediction(self) -> np.ndarray:
        """Of the fold that did not see the sample, else the mean: (samples,) float64."""
        mean = ensemble_mean(self.folds)
        rows = np.flatnonzero(self.held_out >= 0)
        mean[rows] = self.folds[rows, self.held_out[rows]]
        return mean

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation over the folds, NaN where one fold predicts: (samples,) float64."""
        return np.where(self.held_out >= 0, np.nan, ensemble_spread(self.folds))


def ensemble_mean(folds: np.ndarray) -> np.ndarray:
    """Mean over the folds: (samples, folds) → (samples,) float64."""
    return folds.mean(axis=1, dtype=np.float64)


def ensemble_spread(folds: np.ndarray) -> np.ndarray:
    """Standard deviation over the folds, ddof = 1, 0 for one fold: (samples,) float64."""
    if folds.shape[1] == 1:
        return np.zeros(len(folds))
    return folds.std(axis=1, ddof=1, dtype=np.float64)


def collect(blocks: Iterable[ScoredBlock], model_snps: int, found: int) -> Scores:
    """Put scored blocks together and count what is missing.

    Parameters
    ----------
    blocks : iterable of ScoredBlock
    model_snps : int
        SNPs of the model.
    found : int
        How many of them the file has.
    """
    samples: list[str] = []
    folds: list[np.ndarray] = []
    held_out: list[np.ndarray] = [np.empty(0, np.int64)]
    missing = 0
    for block in blocks:
        samples += block.samples
        folds.append(block.folds)
        held_out.append(block.held_out)
        missing += block.missing
    coverage = Coverage(len(samples), model_snps, found, missing)
    stacked = stack_folds(folds, folds[0].shape[1] if folds else 0)
    return Scores(samples, stacked, np.concatenate(held_out), coverage)


def stack_folds(parts: list[np.ndarray], n_columns: int) -> np.ndarray:
    """Predictions of consecutive blocks, (samples, folds); of none an array without rows."""
    return np.concatenate(parts) if parts else np.empty((0, n_columns), np.float32)
