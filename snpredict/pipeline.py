"""From a genotype file and a bundle to results: what the commands do, as functions."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snpredict import __version__
from snpredict.bundle import Bundle
from snpredict.encoding import MISSING
from snpredict.errors import UnknownSample, UsageError
from snpredict.explanation import Contributions, affine_ensemble, contributions, largest
from snpredict.genotypes import GenotypeBlock, GenotypeReader, open_genotypes
from snpredict.names import did_you_mean, listed
from snpredict.scoring import (
    Coverage,
    ScoredBlock,
    Scorer,
    Scores,
    collect,
    ensemble_mean,
    snps_found,
)
from snpredict.tables import Results

#: Sees the blocks of a reader go by, to show progress.
Watch = Callable[[GenotypeReader, Iterator[GenotypeBlock]], Iterator[GenotypeBlock]]


@dataclass(frozen=True)
class InputFile:
    """Which file was read, and how.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file as it lies on disk.
    id_column : str
        Column of the sample ids.
    """

    path: Path
    sha256: str
    id_column: str


@dataclass(frozen=True)
class FilePrediction:
    """Predictions for all samples of a file.

    Attributes
    ----------
    bundle : Bundle
    source : InputFile
    scores : Scores
    top : list of list of (str, float), or None
        Per sample, the SNPs that contributed most and their contributions, trait units.
    """

    bundle: Bundle
    source: InputFile
    scores: Scores
    top: list[list[tuple[str, float]]] | None

    def results(self, per_fold: bool = False) -> Results:
        """Columns sample, prediction, spread and, if asked for, one per fold."""
        columns: dict[str, Any] = {
            "sample": self.scores.samples,
            "prediction": self.scores.prediction,
            "spread": self.scores.spread,
        }
        if per_fold:
            for at, fold in enumerate(self.bundle.manifest.folds):
                columns[fold.name] = self.scores.folds[:, at].astype(np.float64)
        return Results(_origin(self.bundle, self.source), columns, self.top)


@dataclass(frozen=True)
class SampleExplanation:
    """What each SNP added to the prediction of one sample.

    Attributes
    ----------
    bundle : Bundle
    source : InputFile
    sample : str
    codes : ndarray (SNPs,) of int8
    prediction : float
        As `predict` gives it.
    reference : float
        Prediction for the average genotype of the training set.
    contributions : ndarray (SNPs,) of float64
        Trait units.
    order : ndarray (SNPs,) of int64
        The SNPs from the largest absolute contribution to the smallest.
    coverage : Coverage
        Of this one sample.
    """

    bundle: Bundle
    source: InputFile
    sample: str
    codes: np.ndarray
    prediction: float
    reference: float
    contributions: np.ndarray
    order: np.ndarray
    coverage: Coverage

    @property
    def residual(self) -> float:
        """``prediction − (reference + Σ contributions)``, which is rounding."""
        return self.prediction - self.reference - float(self.contributions.sum())

    def results(self) -> Results:
        """All SNPs, largest absolute contribution first."""
        metadata = _origin(self.bundle, self.source) | {
            "sample": self.sample,
            "prediction": self.prediction,
            "reference": self.reference,
            "contributions_sum": float(self.contributions.sum()),
            "residual": self.residual,
        }
        codes = self.codes[self.order].tolist()
        columns = {
            "snp": [self.bundle.snps.ids[at] for at in self.order],
            "genotype": [None if code == MISSING else code for code in codes],
            "contribution": self.contributions[self.order],
        }
        return Results(metadata, columns)


def predict_file(
    path: Path,
    bundle: Bundle,
    *,
    id_column: str | None = None,
    threads: int = 0,
    top: int = 0,
    watch: Watch | None = None,
) -> FilePrediction:
    """Predict every sample of a genotype file.

    Parameters
    ----------
    path : Path
    bundle : Bundle
    id_column : str, optional
        Column of the sample ids; found by its name when left out.
    threads : int
        Threads of the models; 0 takes one per core.
    top : int
        For how many SNPs per sample to hand back contributions.
    watch : callable, optional
        Wraps the blocks as they are read.

    Raises
    ------
    SnpredictError
        As `snpredict.genotypes.open_genotypes`, its reader's `blocks`, `Scorer`, and
        `affine_ensemble` when `top` is not 0.
    """
    ids = bundle.snps.ids
    scorer = Scorer(bundle, threads)
    ensemble = affine_ensemble(bundle, scorer) if top else None
    reader = open_genotypes(path, id_column=id_column, snps=ids)
    blocks = reader.blocks(ids)
    found = snps_found(reader, ids)
    rows: list[list[tuple[str, float]]] = []

    def explained(scored: Iterator[ScoredBlock]) -> Iterator[ScoredBlock]:
        for block in scored:
            if ensemble is not None:
                rows.extend(_top_rows(contributions(block.codes, ensemble), top, ids))
            yield block

    watched = watch(reader, blocks) if watch else blocks
    scores = collect(explained(scorer.score(watched)), len(ids), found)
    return FilePrediction(bundle, _input_file(reader), scores, rows if top else None)


def explain_sample(
    path: Path,
    bundle: Bundle,
    sample: str,
    *,
    id_column: str | None = None,
    watch: Watch | None = None,
) -> SampleExplanation:
    """Contributions of all SNPs to the prediction of one sample of a file.

    The whole file is read, so that a mistake further down is not passed over.

    Raises
    ------
    UnknownSample
        The file has no such sample; the hint names the nearest ids.
    SnpredictError
        As `predict_file`.
    """
    ids = bundle.snps.ids
    scorer = Scorer(bundle)
    ensemble = affine_ensemble(bundle, scorer)
    reader = open_genotypes(path, id_column=id_column, snps=ids)
    blocks = reader.blocks(ids)
    samples: list[str] = []
    codes: np.ndarray | None = None
    for block in watch(reader, blocks) if watch else blocks:
        samples += block.samples
        if sample in block.samples:
            codes = block.codes[[block.samples.index(sample)]].copy()
    if codes is None:
        raise UnknownSample(
            f"{path} has no sample {sample!r} among its {len(samples)} "
            f"(column {reader_id_column(reader)!r})",
            did_you_mean(sample, samples) or f"its samples begin with {listed(samples)}",
        )
    explained = contributions(codes, ensemble)
    missing = int(np.count_nonzero(codes == MISSING))
    return SampleExplanation(
        bundle=bundle,
        source=_input_file(reader),
        sample=sample,
        codes=codes[0],
        prediction=float(ensemble_mean(scorer.predict(codes))[0]),
        reference=explained.reference,
        contributions=explained.values[0],
        order=largest(explained.values, len(ids))[0],
        coverage=Coverage(1, len(ids), snps_found(reader, ids), missing),
    )


def ask_for_sample(path: Path, bundle: Bundle, id_column: str | None = None) -> UsageError:
    """The error that asks which sample of a file to explain, with some of its ids.

    Raises
    ------
    SnpredictError
        The file cannot be read.
    """
    ids = bundle.snps.ids
    first = next(open_genotypes(path, id_column=id_column, snps=ids).blocks(ids))
    return UsageError(
        f"which sample of {path} is to be explained? It begins with {listed(first.samples)}",
        f"add --sample {first.samples[0]}",
    )


def reader_id_column(reader: GenotypeReader) -> str:
    """Column of the sample ids; empty for a format that has no columns."""
    return getattr(reader, "id_column", "")


def _top_rows(
    explained: Contributions, count: int, ids: tuple[str, ...]
) -> Iterator[list[tuple[str, float]]]:
    for row, columns in zip(explained.values, largest(explained.values, count), strict=True):
        yield [(ids[at], float(row[at])) for at in columns]


def _input_file(reader: GenotypeReader) -> InputFile:
    with reader.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return InputFile(reader.path, digest, reader_id_column(reader))


def _origin(bundle: Bundle, source: InputFile) -> dict[str, Any]:
    return {
        "model": bundle.manifest.name,
        "manifest_sha256": bundle.digest,
        "trait": bundle.manifest.trait,
        "unit": bundle.manifest.unit,
        "input": str(source.path),
        "input_sha256": source.sha256,
        "id_column": source.id_column,
        "snpredict_version": __version__,
    }
