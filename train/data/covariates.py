"""Covariates: further columns that may be looked at of a line whose trait is to be predicted.

A column of numbers stays a number; a column of texts becomes an indicator per category.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from snpredict.names import quoted
from train.data.phenotypes import number_of
from train.errors import TrainingTableError

#: A column of more different texts is a name, not a category.
_MOST_CATEGORIES = 50


@dataclass(frozen=True)
class Covariate:
    """A column, and how it is coded.

    Attributes
    ----------
    categories : tuple of str
        Of a column of texts, sorted: an indicator each. Empty for a column of numbers.
    """

    name: str
    categories: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Numbers per sample."""
        return len(self.categories) or 1


@dataclass(frozen=True)
class CovariateScale:
    """Means and SDs of the numbers of covariates in the rows of a fit; what is missing is the mean.

    Attributes
    ----------
    means, sds : ndarray (numbers,) of float64
        Over the known values. The mean is 0 where none is known, the SD 1 where nothing varies.
    """

    means: np.ndarray
    sds: np.ndarray

    @staticmethod
    def of(values: np.ndarray) -> "CovariateScale":
        """By the rows of a fit, (rows, numbers) with NaN for missing."""
        known = np.isfinite(values)
        count = np.maximum(known.sum(axis=0), 1)
        means = np.where(known, values, 0).sum(axis=0) / count
        squares = np.where(known, (values - means) ** 2, 0).sum(axis=0) / count
        varies = squares > 1e-24 * np.maximum(means**2, 1)
        return CovariateScale(means, np.where(varies, np.sqrt(squares), 1.0))

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """In SDs from the mean, 0 for missing, (rows, numbers) float64."""
        return np.nan_to_num((values - self.means) / self.sds, nan=0.0)


@dataclass(frozen=True)
class Covariates:
    """The covariates of a table.

    Attributes
    ----------
    columns : tuple of Covariate
    values : ndarray (samples, numbers) of float64
        The columns side by side, a number or an indicator per category; NaN where a sample's
        value is missing.
    """

    columns: tuple[Covariate, ...]
    values: np.ndarray


def read_covariates(texts: Mapping[str, Sequence[str]], kept: np.ndarray) -> Covariates | None:
    """Covariates from their texts; None without any.

    Parameters
    ----------
    texts : dict of str to sequence of str
        Name of the column → a text per sample.
    kept : ndarray of int
        Samples to be taken.

    Raises
    ------
    TrainingTableError
        A column does not vary, numbers and texts are mixed, or there are too many categories.
    """
    if not texts:
        return None
    columns, values = [], []
    for name, of_column in texts.items():
        column, coded = _coded(name, [of_column[row] for row in kept])
        columns.append(column)
        values.append(coded)
    return Covariates(tuple(columns), np.concatenate(values, axis=1))


def _require_variation(name: str, known: np.ndarray, n_samples: int) -> None:
    if len(known) and np.ptp(known) > 0:
        return
    raise TrainingTableError(
        f"covariate '{name}' is the same in all {n_samples} samples that have a trait, or missing; "
        "expected values that differ",
        "leave it out of --covariates",
    )


def _coded(name: str, texts: Sequence[str]) -> tuple[Covariate, np.ndarray]:
    numbers = [number_of(text) for text in texts]
    missing = np.array([number is not None and math.isnan(number) for number in numbers], bool)
    words = sorted({text for text, number in zip(texts, numbers, strict=True) if number is None})
    if not words:
        _require_variation(name, np.array(numbers, np.float64)[~missing], len(texts))
        return Covariate(name), np.array(numbers, np.float64)[:, None]
    if any(number is not None and not math.isnan(number) for number in numbers):
        raise TrainingTableError(
            f"covariate '{name}' holds numbers and texts such as {quoted(words, 3)}; expected the "
            "one or the other",
            "correct the texts, or give every category a name that is not a number",
        )
    if len(words) == 1:
        _require_variation(name, np.zeros(1), len(texts))
    if len(words) > _MOST_CATEGORIES:
        raise TrainingTableError(
            f"covariate '{name}' has {len(words)} different texts; expected at most "
            f"{_MOST_CATEGORIES} categories",
            "name a column of numbers or of few categories with --covariates",
        )
    place = {word: at for at, word in enumerate(words)}
    indicators = np.zeros((len(texts), len(words)))
    known = np.flatnonzero(~missing)
    indicators[known, [place[texts[row]] for row in known]] = 1
    indicators[missing] = np.nan
    return Covariate(name, tuple(words)), indicators
