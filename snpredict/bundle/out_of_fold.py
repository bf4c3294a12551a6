"""The training samples of a model: what was predicted for each by a fold that did not see it.

A bundle holds a digest of every training genotype and the fold that had it as a test sample. A
scored sample of that digest has trained all other fold models, or stopped their training: only
its own fold's prediction is one of a sample not seen before.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from snpredict.bundle.entries import MAX_FOLDS
from snpredict.bundle.parquet_columns import NUMBERS, TEXT, Columns
from snpredict.errors import InvalidBundle
from snpredict.formulas.sample_rates import MIN_CALLED, SampleRates

#: What `TrainingSet.held_out_by` says of a sample that was not in the training set, and of one
#: that was tested in several folds, so that every fold model has seen its genotype.
NEW, SEEN_BY_ALL = -1, -2

#: Columns that may be absent, those of a line together.
_DISTANCE = "distance"
_RATES = ("heterozygosity", "call_rate")
_FAMILIES = ("family", "family_fold", "family_residual")

#: Beyond what a prediction can be, and sums of residual and prediction would not be finite.
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class FamilyResiduals:
    """Every sample predicted by a model that was trained without its family.

    Attributes
    ----------
    family : ndarray (samples,)
        Its number; names do not leave a run folder.
    fold : ndarray (samples,)
        Families of the same number were left out together.
    residual : ndarray (samples,) of float64
        Observed − predicted, trait units.
    """

    family: np.ndarray
    fold: np.ndarray
    residual: np.ndarray


@dataclass(frozen=True)
class OutOfFold:
    """``out_of_fold.parquet``: one row per training sample, without its id.

    Attributes
    ----------
    digest : tuple of str
        Of the sample's genotype, see `genotype_digest`.
    fold : ndarray (samples,) of float64
        Number of the fold that did not see it.
    predicted, residual : ndarray (samples,) of float64
        By that fold; observed − predicted. Trait units.
    distance : ndarray (samples,) of float64, or None
        From a table of similarity made without the sample's fold; NaN where too little is called.
    rates : SampleRates or None
        None in a bundle of a release that did not keep them.
    families : FamilyResiduals or None
        None where no family was left out.
    """

    digest: tuple[str, ...]
    fold: np.ndarray
    predicted: np.ndarray
    residual: np.ndarray
    distance: np.ndarray | None = None
    rates: SampleRates | None = None
    families: FamilyResiduals | None = None

    def to_arrow(self) -> pa.Table:
        """The columns of the file; NaN become gaps."""
        columns = {
            "digest": pa.array(self.digest, pa.string()),
            "fold": pa.array(self.fold.astype(np.int16)),
            "predicted": pa.array(self.predicted),
            "residual": pa.array(self.residual),
        }
        if self.families is not None:
            number, fold, residual = _FAMILIES
            columns[number] = pa.array(self.families.family.astype(np.int32))
            columns[fold] = pa.array(self.families.fold.astype(np.int16))
            columns[residual] = pa.array(self.families.residual)
        if self.distance is not None:
            columns[_DISTANCE] = pa.array(self.distance, pa.float64(), from_pandas=True)
        for name in _RATES if self.rates is not None else ():
            columns[name] = pa.array(getattr(self.rates, name), pa.float64(), from_pandas=True)
        return pa.table(columns)

    @staticmethod
    def read(content: bytes, path: Path) -> "OutOfFold":
        """The table of a bundle; InvalidBundle where it is not one."""
        columns = Columns(
            content,
            path,
            kinds={"digest": TEXT, **dict.fromkeys(("fold", "predicted", "residual"), NUMBERS)},
            optional=dict.fromkeys((_DISTANCE, *_RATES, *_FAMILIES), NUMBERS),
        )
        fold, predicted, residual = columns.matrix(["fold", "predicted", "residual"]).T
        _check_size(path, residual=residual)
        return OutOfFold(
            digest=columns.texts("digest", nullable=False),
            fold=fold,
            predicted=predicted,
            residual=residual,
            distance=columns.numbers_or_nan(_DISTANCE) if columns.has(_DISTANCE) else None,
            rates=_rates(columns, path),
            families=_families(columns, path),
        )


def _rates(columns: Columns, path: Path) -> SampleRates | None:
    if not columns.has_all(_RATES):
        return None
    heterozygosity, call_rate = (columns.numbers_or_nan(name) for name in _RATES)
    # With too little called a sample has no heterozygosity.
    few = call_rate < MIN_CALLED
    heterozygosity[few] = np.nan
    for name, values in zip(_RATES, (heterozygosity[~few], call_rate), strict=True):
        if not len(values) or not ((values >= 0) & (values <= 1)).all():
            raise InvalidBundle(f"{path}: column '{name}' holds numbers outside 0 to 1")
    return SampleRates(heterozygosity, call_rate)


def _families(columns: Columns, path: Path) -> FamilyResiduals | None:
    if not columns.has_all(_FAMILIES):
        return None
    family, fold, residual = columns.matrix(_FAMILIES).T
    n_folds = len(np.unique(fold))
    if n_folds > MAX_FOLDS:
        raise InvalidBundle(
            f"{path}: found {n_folds} values in column 'family_fold', expected at most {MAX_FOLDS}"
        )
    _check_size(path, family_residual=residual)
    return FamilyResiduals(family, fold, residual)


def _check_size(path: Path, **columns: np.ndarray) -> None:
    for name, values in columns.items():
        largest = float(np.abs(values).max())
        if largest > _LARGEST:
            raise InvalidBundle(
                f"{path}: found {largest:g} in column '{name}', expected at most {_LARGEST:g}"
            )


def genotype_digest(codes: np.ndarray) -> str:
    """SHA-256 of one sample's codes (SNPs,) int8 in model order, missing as −1."""
    return hashlib.sha256(np.ascontiguousarray(codes, np.int8).tobytes()).hexdigest()


class TrainingSet:
    """Digests of a model's training genotypes, and the place of the fold that did not see each.

    Parameters
    ----------
    digests : sequence of str
    folds : ndarray (samples,)
        Number of the fold that did not see the sample.
    numbers : sequence of int
        Of the model's folds, in their order.
    """

    def __init__(self, digests: Sequence[str], folds: np.ndarray, numbers: Sequence[int]):
        place = {number: at for at, number in enumerate(numbers)}
        self._fold_of: dict[str, int] = {}
        for digest, fold in zip(digests, folds.tolist(), strict=True):
            at = place.get(int(fold), SEEN_BY_ALL)
            if self._fold_of.setdefault(digest, at) != at:
                self._fold_of[digest] = SEEN_BY_ALL

    def held_out_by(self, codes: np.ndarray) -> np.ndarray:
        """For each sample the place of the fold model that did not see it.

        Found only where all genotypes are those of the training set, missing ones included: a
        file that lacks a SNP, or has one more call, is of new samples.

        Parameters
        ----------
        codes : ndarray (samples, SNPs) of int8

        Returns
        -------
        ndarray (samples,) of int64
            Place in the model's folds, `NEW` or `SEEN_BY_ALL`.
        """
        found = [self._fold_of.get(genotype_digest(row), NEW) for row in codes]
        return np.array(found, np.int64)
