"""From a genotype file and a bundle to results: what the commands do, as functions."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.errors import UnknownSample
from snpredict.explaining.contributions import Ensemble, contributions, largest, read_ensemble
from snpredict.formulas.encoding import MISSING
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.intervals import Intervals, intervals_of
from snpredict.matching.low_call_rate import call_facts, judge_calls, low_call_rate
from snpredict.matching.matched_file import (
    InputFile,
    InputOptions,
    MatchedFile,
    Watch,
    file_digests,
    input_file,
    judge_match,
    match_file,
    unwatched,
)
from snpredict.matching.report import MatchReport, log_columns
from snpredict.matching.sample_measures import MeasureCollector, SampleMeasures, unlike_training
from snpredict.names import did_you_mean, listed
from snpredict.results import Results
from snpredict.scoring.predictions import Coverage, ScoredBlock, Scores, collect
from snpredict.scoring.scorer import Scorer
from snpredict.version import __version__

if TYPE_CHECKING:
    from snpredict.formulas.genotypes import Genotypes


@dataclass(frozen=True)
class FilePrediction:
    """Predictions for all samples of a file.

    Attributes
    ----------
    bundle : Bundle
    source : InputFile
    match : MatchReport
    scores : Scores
    top : list of list of (str, float), or None
        Per sample, the SNPs that contributed most and their contributions, trait units.
    intervals : Intervals, or None
    measures : SampleMeasures
    min_match : float
        Smallest share of the model's effects that a sample's calls must carry.
    """

    bundle: Bundle
    source: InputFile
    match: MatchReport
    scores: Scores
    top: list[list[tuple[str, float]]] | None
    intervals: Intervals | None
    measures: SampleMeasures
    min_match: float

    def results(self, per_fold: bool = False) -> Results:
        """Columns sample, prediction, spread, lower and upper with intervals, predicted_by,
        low_call_rate, those of the similarity, and if asked for one per fold.
        """
        names = [fold.name for fold in self.bundle.manifest.folds]
        columns: dict[str, Any] = {
            "sample": self.scores.samples,
            "prediction": self.scores.prediction,
            "spread": [None if math.isnan(s) else s for s in self.scores.spread.tolist()],
        }
        metadata = _origin(self.bundle, self.source, self.match)
        if self.intervals is not None:
            columns["lower"], columns["upper"] = self.intervals.bounds(self.scores)
            metadata["interval"] = self.intervals.facts()
        columns["predicted_by"] = [
            names[fold] if fold >= 0 else "ensemble" for fold in self.scores.held_out.tolist()
        ]
        called = self.measures.weighted_call_rate
        columns["low_call_rate"] = low_call_rate(called, self.min_match).tolist()
        columns |= similarity_columns(self.bundle, self.measures)
        metadata["calls"] = call_facts(called, self.min_match)
        metadata["similarity"] = similarity_facts(self.bundle, self.measures)
        if per_fold:
            for at, fold in enumerate(self.bundle.manifest.folds):
                columns[fold.name] = self.scores.folds[:, at].astype(np.float64)
        return Results(metadata, columns, self.top, _digits(self.bundle))


@dataclass(frozen=True)
class FileCheck:
    """What a file holds for a bundle, without any prediction.

    Attributes
    ----------
    bundle : Bundle
    source : InputFile
    match : MatchReport
    coverage : Coverage
    samples : list of str
    measures : SampleMeasures
    min_match : float
        Smallest share of the model's effects that a sample's calls must carry.
    """

    bundle: Bundle
    source: InputFile
    match: MatchReport
    coverage: Coverage
    samples: list[str]
    measures: SampleMeasures
    min_match: float

    def facts(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return _origin(self.bundle, self.source, self.match) | {
            "samples": self.coverage.samples,
            "missing_rate": self.coverage.missing_rate,
            "missing_rate_found": self.coverage.missing_rate_found,
            "calls": call_facts(self.measures.weighted_call_rate, self.min_match),
            "similarity": similarity_facts(self.bundle, self.measures),
        }


@dataclass(frozen=True)
class SampleExplanation:
    """What each SNP added to the prediction of one sample.

    Attributes
    ----------
    bundle : Bundle
    source : InputFile
    match : MatchReport
    sample : str
    genotypes : ndarray (SNPs,) of float64
        Copies of the counted allele, NaN for missing; dosages are no whole numbers.
    prediction : float
        As `predict` gives it.
    predicted_by : str
        ``"ensemble"``, or the name of the one fold that did not see a training sample.
    reference : float
        Prediction for the average genotype of the training set, by the same models.
    contributions : ndarray (SNPs,) of float64
        Trait units.
    order : ndarray (SNPs,) of int64
        The SNPs from the largest absolute contribution to the smallest.
    coverage : Coverage
        Of this one sample.
    measures : SampleMeasures
        Of this one sample.
    min_match : float
        Smallest share of the model's effects that its calls must carry.
    """

    bundle: Bundle
    source: InputFile
    match: MatchReport
    sample: str
    genotypes: np.ndarray
    prediction: float
    predicted_by: str
    reference: float
    contributions: np.ndarray
    order: np.ndarray
    coverage: Coverage
    measures: SampleMeasures
    min_match: float

    @property
    def residual(self) -> float:
        """``prediction − (reference + Σ contributions)``, which is rounding."""
        return self.prediction - self.reference - float(self.contributions.sum())

    def results(self) -> Results:
        """All SNPs, largest absolute contribution first."""
        metadata = _origin(self.bundle, self.source, self.match) | {
            "sample": self.sample,
            "prediction": self.prediction,
            "predicted_by": self.predicted_by,
            "reference": self.reference,
            "contributions_sum": float(self.contributions.sum()),
            "residual": self.residual,
            "calls": call_facts(self.measures.weighted_call_rate, self.min_match),
            "similarity": similarity_facts(self.bundle, self.measures),
        }
        columns_of_it = similarity_columns(self.bundle, self.measures)
        metadata |= {name: values[0] for name, values in columns_of_it.items()}
        columns = {
            "snp": [self.bundle.snps.ids[at] for at in self.order],
            "genotype": [_genotype(value) for value in self.genotypes[self.order].tolist()],
            "contribution": self.contributions[self.order],
        }
        return Results(metadata, columns)


def predict_file(
    path: Path,
    bundle: Bundle,
    options: InputOptions | None = None,
    *,
    threads: int = 0,
    top: int = 0,
    interval: float | None = None,
    families: str = "known",
    watch: Watch = unwatched,
) -> FilePrediction:
    """Predict every sample of a genotype file.

    Parameters
    ----------
    path : Path
    bundle : Bundle
    options : InputOptions, optional
    threads : int
        Model runs at a time; 0 takes one per core.
    top : int
        For how many SNPs per sample to hand back contributions.
    interval : float, optional
        Level of prediction intervals.
    families : str
        Whose intervals, see `snpredict.intervals`.
    watch : callable, optional
        Shows progress.

    Raises
    ------
    SnpredictError
        As `match_file`, `judge_match`, the reader's `genotypes`, `Scorer`, `read_ensemble`
        when `top` is not 0, `intervals_of` and `judge_calls`.
    """
    options = options or InputOptions()
    ids = bundle.snps.ids
    intervals = None if interval is None else intervals_of(bundle, interval, families)
    scorer = Scorer(bundle, threads)
    ensemble = read_ensemble(bundle, scorer) if top else None
    file = match_file(path, bundle, options, watch=watch)
    judge_match(path, file.report, options)
    rows: list[list[tuple[str, float]]] = []
    collector = MeasureCollector(bundle, file.match)
    with ThreadPoolExecutor(1) as pool, watch(file.reader) as scored:
        digests = pool.submit(file_digests, file.reader.files)

        def seen() -> Iterator[ScoredBlock]:
            for block in scorer.score(file.blocks()):
                if ensemble is not None:
                    rows.extend(_top_rows(_contributions(block, ensemble), top, ids))
                collector.add(block.genotypes)
                scored(len(block.samples))
                yield block

        scores = collect(seen(), len(ids), file.report.matched)
        source = input_file(file, digests.result())
    measures = collector.collected()
    called = measures.weighted_call_rate
    judge_calls(path, called, file.report, source.notes, options.min_match)
    top_rows = rows if top else None
    return FilePrediction(
        bundle, source, file.report, scores, top_rows, intervals, measures, options.min_match
    )


def check_file(
    path: Path,
    bundle: Bundle,
    options: InputOptions | None = None,
    *,
    watch: Watch = unwatched,
) -> FileCheck:
    """Read and match a whole genotype file without predicting anything or judging the match.

    Raises
    ------
    SnpredictError
        As `match_file`, its reader's `genotypes`, and `Scorer`.
    """
    Scorer(bundle)  # its weights vouch for the effects by which the match is judged
    options = options or InputOptions()
    file = match_file(path, bundle, options, watch=watch)
    samples: list[str] = []
    missing = 0
    collector = MeasureCollector(bundle, file.match)
    with ThreadPoolExecutor(1) as pool, watch(file.reader) as scored:
        digests = pool.submit(file_digests, file.reader.files)
        for block in file.blocks():
            samples += block.samples
            missing += int(np.count_nonzero(block.codes == MISSING))
            collector.add(block.genotypes)
            scored(len(block.samples))
        source = input_file(file, digests.result())
    coverage = Coverage(len(samples), len(bundle.snps), file.report.matched, missing)
    measures = collector.collected()
    return FileCheck(bundle, source, file.report, coverage, samples, measures, options.min_match)


def explain_sample(
    path: Path,
    bundle: Bundle,
    sample: str,
    options: InputOptions | None = None,
    *,
    watch: Watch = unwatched,
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
    options = options or InputOptions()
    ids = bundle.snps.ids
    scorer = Scorer(bundle)
    ensemble = read_ensemble(bundle, scorer)
    file = match_file(path, bundle, options, watch=watch)
    judge_match(path, file.report, options)
    samples: list[str] = []
    of_sample: Genotypes | None = None
    collector = MeasureCollector(bundle, file.match)
    with ThreadPoolExecutor(1) as pool, watch(file.reader) as scored:
        digests = pool.submit(file_digests, file.reader.files)
        for block in file.blocks():
            samples += block.samples
            if sample in block.samples:
                of_sample = block.genotypes.rows(np.array([block.samples.index(sample)]))
            collector.add(block.genotypes)
            scored(len(block.samples))
        source = input_file(file, digests.result())
    if of_sample is None:
        column = f" (column {source.id_column!r})" if source.id_column else ""
        raise UnknownSample(
            f"{path} has no sample {sample!r} among its {len(samples)}{column}",
            did_you_mean(sample, samples) or f"its samples begin with {listed(samples)}",
        )
    measures = collector.collected()
    called = measures.weighted_call_rate
    judge_calls(path, called, file.report, source.notes, options.min_match)
    (result,) = scorer.score([GenotypeBlock([sample], of_sample)])
    fold = int(result.held_out[0])
    explained = contributions(of_sample, ensemble if fold < 0 else ensemble.only(fold))
    return SampleExplanation(
        bundle=bundle,
        source=source,
        match=file.report,
        sample=sample,
        genotypes=of_sample.copies()[0],
        prediction=float(collect([result], len(ids), file.report.matched).prediction[0]),
        predicted_by="ensemble" if fold < 0 else bundle.manifest.folds[fold].name,
        reference=explained.reference,
        contributions=explained.values[0],
        order=largest(explained.values, len(ids))[0],
        coverage=Coverage(1, len(ids), file.report.matched, result.missing),
        measures=measures.row(samples.index(sample)),
        min_match=options.min_match,
    )


def first_samples(path: Path, bundle: Bundle, options: InputOptions | None = None) -> list[str]:
    """Ids of a file's first samples.

    Raises
    ------
    SnpredictError
        The file cannot be read.
    """
    return next(match_file(path, bundle, options).blocks()).samples


def _contributions(block: ScoredBlock, ensemble: Ensemble) -> np.ndarray:
    """Contributions (samples, SNPs) to the predictions that are shown."""
    values = contributions(block.genotypes, ensemble).values
    for fold in np.unique(block.held_out[block.held_out >= 0]).tolist():
        rows = block.held_out == fold
        values[rows] = contributions(block.genotypes.rows(rows), ensemble.only(fold)).values
    return values


def _top_rows(
    explained: np.ndarray, count: int, ids: tuple[str, ...]
) -> Iterator[list[tuple[str, float]]]:
    for row, columns in zip(explained, largest(explained, count), strict=True):
        yield [(ids[at], float(row[at])) for at in columns]


def _genotype(value: float) -> float | int | None:
    if np.isnan(value):
        return None
    return int(value) if value.is_integer() else value


def _digits(bundle: Bundle) -> int:
    """Significant digits that show a thousandth of the trait's SD in a prediction, at least 6."""
    largest = max(abs(fold.center) + fold.scale for fold in bundle.manifest.folds)
    smallest = min(fold.scale for fold in bundle.manifest.folds)
    # A float64 has 17 of them.
    return min(17, max(6, 3 + math.ceil(math.log10(largest) - math.log10(smallest))))


def match_log(file: MatchedFile) -> Results:
    """One row per SNP of the bundle: what was looked for, found and done."""
    metadata = model_facts(file.bundle) | {"input": str(file.reader.path)}
    return Results(metadata, log_columns(file.bundle.snps, file.variants.candidates, file.match))


def model_facts(bundle: Bundle) -> dict[str, Any]:
    """Which model made a result, as JSON values."""
    return {
        "model": bundle.manifest.name,
        "manifest_sha256": bundle.digest,
        "trait": bundle.manifest.trait,
        "unit": bundle.manifest.unit,
        "snpredict_version": __version__,
    }


def _origin(bundle: Bundle, source: InputFile, match: MatchReport) -> dict[str, Any]:
    return model_facts(bundle) | {
        "input": str(source.path),
        "input_format": source.format,
        "input_sha256": source.sha256,
        "input_files": source.files,
        "coding": source.coding or None,
        "id_column": source.id_column,
        "notes": source.notes,
        "match": asdict(match),
    }


def similarity_columns(bundle: Bundle, measures: SampleMeasures) -> dict[str, list]:
    """Columns ``distance_percentile``, ``unlike_training`` and ``unlike_because``.

    None for no distance, for what cannot be told, and for no reason. No columns where the bundle
    has no table.
    """
    found = unlike_training(bundle, measures)
    if found is None:
        return {}
    percentiles = found.similarity.percentiles(found.distances).tolist()
    unlike = zip(found.any.tolist(), found.unknown.tolist(), strict=True)
    names = list(found.because)
    reasons = np.stack(list(found.because.values()), axis=1).tolist()
    return {
        "distance_percentile": [None if math.isnan(p) else p for p in percentiles],
        "unlike_training": [None if unknown else far for far, unknown in unlike],
        "unlike_because": [
            ", ".join(name for name, is_it in zip(names, row, strict=True) if is_it) or None
            for row in reasons
        ],
    }


def similarity_facts(bundle: Bundle, measures: SampleMeasures) -> dict[str, Any] | None:
    """Counts and the measured errors as JSON values; None where the bundle has no table."""
    found = unlike_training(bundle, measures)
    if found is None:
        return None
    said = bundle.manifest.raw.get("similarity") or {}
    limits = found.similarity.rates
    return {
        "unlike_training": int(found.any.sum()),
        "unlike_because": {name: int(rows.sum()) for name, rows in found.because.items()},
        "beyond_all_training": int(found.beyond.sum()),
        "no_distance": int(np.isnan(found.distances).sum()),
        "limit": found.similarity.limit,
        "heterozygosity_limits": limits and list(limits.heterozygosity),
        "call_rate_limit": limits and limits.call_rate,
        "errors": said.get("errors"),
        "errors_new_families": said.get("errors_new_families"),
    }
