"""What scoring gives: predictions of all folds, and of them together."""

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
    """

    samples: list[str]
    genotypes: Genotypes
    folds: np.ndarray
    held_out: np.ndarray


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
    """

    samples: list[str]
    folds: np.ndarray
    held_out: np.ndarray

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
    """Standard deviation over the folds, ddof = 1, NaN of one fold: (samples,) float64."""
    if folds.shape[1] == 1:
        return np.full(len(folds), np.nan)
    return folds.std(axis=1, ddof=1, dtype=np.float64)


class ScoreCollector:
    """Puts scored blocks together, without their genotypes.

    Parameters
    ----------
    n_folds : int
    """

    def __init__(self, n_folds: int):
        self._samples: list[str] = []
        self._folds = [np.empty((0, n_folds), np.float32)]
        self._held_out = [np.empty(0, np.int64)]

    def add(self, block: ScoredBlock) -> None:
        """Take the next samples."""
        self._samples += block.samples
        self._folds.append(block.folds)
        self._held_out.append(block.held_out)

    def collected(self) -> Scores:
        """Those of all samples so far."""
        return Scores(self._samples, np.concatenate(self._folds), np.concatenate(self._held_out))
