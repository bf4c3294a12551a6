"""From a genotype file and a bundle to results: what the commands do, as functions."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from snpredict import __version__
from snpredict.bundle import Bundle
from snpredict.encoding import MISSING
from snpredict.errors import BadGenotype, NoSnpMatched, TooFewSnps, UnknownSample
from snpredict.explanation import Contributions, affine_ensemble, contributions, largest
from snpredict.genotypes import GenotypeBlock, GenotypeReader, ReadOptions, open_genotypes
from snpredict.genotypes.cells import MINUS_ONES
from snpredict.genotypes.variants import Variants
from snpredict.match_report import MatchReport, log_columns, report_match
from snpredict.matching import Match, MatchRules, effect_weights, match_variants, wanted_of
from snpredict.names import did_you_mean, listed
from snpredict.scoring import Coverage, ScoredBlock, Scorer, Scores, collect, ensemble_mean
from snpredict.tables import Results

#: Shows progress while a file is read: entered with the reader, it gives a function that is told
#: how many samples have been done.
Watch = Callable[[GenotypeReader], AbstractContextManager[Callable[[int], None]]]

MIN_MATCH = 0.75

#: Formats whose genotypes are bare codes.
_CODED = ("tsv", "csv", "parquet")

#: Genotypes among which a 2 is to be expected.
_ENOUGH = 100


@dataclass(frozen=True)
class InputOptions:
    """How a genotype file is to be read and matched.

    Attributes
    ----------
    format : str, optional
        One of `snpredict.genotypes.FORMATS`; seen from the content when left out.
    reading : ReadOptions
    rules : MatchRules
    min_match : float
        Smallest match rate, plain and weighted by effect, that is scored.
    on_match : callable, optional
        Told about the match before it is judged, to write a log of it.
    """

    format: str | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)
    rules: MatchRules = field(default_factory=MatchRules)
    min_match: float = MIN_MATCH
    on_match: "Callable[[MatchedFile], None] | None" = None


@dataclass(frozen=True)
class InputFile:
    """Which file was read, and how.

    Attributes
    ----------
    path : Path
    format : str
    sha256 : str
        Of the file as it lies on disk.
    files : dict of str to str
        SHA-256 of every file that was read, `path` first.
    id_column : str
        Column of the sample ids; empty for a format without columns.
    has_alleles : bool
        Whether the file names its alleles.
    notes : dict of str to int
        What was taken otherwise than one might expect, and how often.
    """

    path: Path
    format: str
    sha256: str
    files: dict[str, str]
    id_column: str
    has_alleles: bool
    notes: dict[str, int]


@dataclass(frozen=True)
class MatchedFile:
    """A genotype file whose variants have been matched to a bundle's SNPs.

    Attributes
    ----------
    bundle : Bundle
    reader : GenotypeReader
    variants : Variants
    match : Match
    report : MatchReport
    """

    bundle: Bundle
    reader: GenotypeReader
    variants: Variants
    match: Match
    report: MatchReport

    def blocks(self) -> Iterator[GenotypeBlock]:
        """Genotypes in the order of the bundle's SNPs, counting its alleles.

        Raises
        ------
        BadGenotype
            At the end, where the genotypes look like the coding −1, 0, 1.
        SnpredictError
            As `GenotypeReader.genotypes`.
        """
        called = twos = 0
        for block in self.reader.genotypes(self.match.selection):
            if self.reader.format in _CODED:
                called += int(np.count_nonzero(block.codes != MISSING))
                twos += int(np.count_nonzero(block.codes == 2))
            yield block
        if (minus_ones := self.reader.notes.get(MINUS_ONES)) and called > _ENOUGH and not twos:
            raise BadGenotype(
                f"{self.reader.path}: found {minus_ones:,} cells of -1 and no 2 among {called:,} "
                "genotypes, expected 0, 1, 2; this looks like the coding -1, 0, 1",
                "add 1 to every genotype; if -1 does mean missing here, write it as NA",
            )

    def log(self) -> Results:
        """One row per SNP of the bundle."""
        metadata = _model(self.bundle) | {"input": str(self.reader.path)}
        return Results(
            metadata, log_columns(self.bundle.snps, self.variants.candidates, self.match)
        )


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
    """

    bundle: Bundle
    source: InputFile
    match: MatchReport
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
        return Results(_origin(self.bundle, self.source, self.match), columns, self.top)


@dataclass(frozen=True)
class FileCheck:
    """What a file holds for a bundle, without any prediction.

    Attributes
    ----------
    bundle : Bundle
    source : InputFile
    match : MatchReport
    coverage : Coverage
    """

    bundle: Bundle
    source: InputFile
    match: MatchReport
    coverage: Coverage

    def facts(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return _origin(self.bundle, self.source, self.match) | {
            "samples": self.coverage.samples,
            "missing_rate": self.coverage.missing_rate,
            "missing_rate_found": self.coverage.missing_rate_found,
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
    match: MatchReport
    sample: str
    genotypes: np.ndarray
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
        metadata = _origin(self.bundle, self.source, self.match) | {
            "sample": self.sample,
            "prediction": self.prediction,
            "reference": self.reference,
            "contributions_sum": float(self.contributions.sum()),
            "residual": self.residual,
        }
        columns = {
            "snp": [self.bundle.snps.ids[at] for at in self.order],
            "genotype": [_genotype(value) for value in self.genotypes[self.order].tolist()],
            "contribution": self.contributions[self.order],
        }
        return Results(metadata, columns)


@contextmanager
def _unwatched(reader: GenotypeReader) -> Iterator[Callable[[int], None]]:
    yield lambda samples: None


def match_file(
    path: Path,
    bundle: Bundle,
    options: InputOptions | None = None,
    *,
    watch: Watch = _unwatched,
) -> MatchedFile:
    """Open a genotype file and find the bundle's SNPs in it.

    Raises
    ------
    SnpredictError
        As `snpredict.genotypes.open_genotypes` and its reader's `variants`.
    """
    options = options or InputOptions()
    wanted = wanted_of(bundle.snps)
    reader = open_genotypes(path, format=options.format, options=options.reading, snps=wanted)
    with watch(reader):
        variants = reader.variants(wanted)
    weights = effect_weights(
        bundle.snps.frequencies, bundle.saliency.effects, bundle.saliency.saliency
    )
    match = match_variants(bundle.snps, variants.candidates, weights=weights, rules=options.rules)
    matched = MatchedFile(
        bundle, reader, variants, match, report_match(bundle.snps, variants, match, options.rules)
    )
    if options.on_match is not None:
        options.on_match(matched)
    return matched


def judge_match(path: Path, report: MatchReport, options: InputOptions | None = None) -> None:
    """Refuse a file that lacks too much of what a model needs.

    Raises
    ------
    NoSnpMatched, TooFewSnps
        The match rate is 0, or below `InputOptions.min_match`, plain or weighted by effect.
    """
    min_match = (options or InputOptions()).min_match
    cause = f"likely cause: {report.causes[0]}" if report.causes else None
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.unused.items())
    if not report.matched:
        raise NoSnpMatched(
            f"{path}: none of the model's {report.model_snps:,} SNPs was matched among "
            f"{report.variants:,} variants: {reasons}",
            cause,
        )
    if min(report.rate, report.weighted_rate) < min_match:
        way_out = "--min-match takes a smaller share; docs/accuracy.md says what it costs"
        raise TooFewSnps(
            f"{path}: found {report.rate:.1%} of the model's SNPs, with "
            f"{report.weighted_rate:.1%} of its effects, expected at least {min_match:.1%} of "
            f"both: {reasons}",
            f"{cause}; {way_out}" if cause else way_out,
        )


def predict_file(
    path: Path,
    bundle: Bundle,
    options: InputOptions | None = None,
    *,
    threads: int = 0,
    top: int = 0,
    watch: Watch = _unwatched,
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
    watch : callable, optional
        Shows progress.

    Raises
    ------
    SnpredictError
        As `match_file`, `judge_match`, the reader's `genotypes`, `Scorer`, and `affine_ensemble`
        when `top` is not 0.
    """
    ids = bundle.snps.ids
    scorer = Scorer(bundle, threads)
    ensemble = affine_ensemble(bundle, scorer) if top else None
    file = match_file(path, bundle, options, watch=watch)
    judge_match(path, file.report, options)
    rows: list[list[tuple[str, float]]] = []
    with ThreadPoolExecutor(1) as pool, watch(file.reader) as scored:
        digests = pool.submit(_digests, file.reader.files)

        def seen() -> Iterator[ScoredBlock]:
            for block in scorer.score(file.blocks()):
                if ensemble is not None:
                    explained = contributions(block.codes, ensemble, block.fractions)
                    rows.extend(_top_rows(explained, top, ids))
                scored(len(block.samples))
                yield block

        scores = collect(seen(), len(ids), file.report.matched)
        source = _input_file(file, digests)
    return FilePrediction(bundle, source, file.report, scores, rows if top else None)


def check_file(
    path: Path,
    bundle: Bundle,
    options: InputOptions | None = None,
    *,
    watch: Watch = _unwatched,
) -> FileCheck:
    """Read and match a whole genotype file without predicting anything or judging the match.

    Raises
    ------
    SnpredictError
        As `match_file` and its reader's `genotypes`.
    """
    file = match_file(path, bundle, options, watch=watch)
    samples = missing = 0
    with ThreadPoolExecutor(1) as pool, watch(file.reader) as scored:
        digests = pool.submit(_digests, file.reader.files)
        for block in file.blocks():
            samples += len(block.samples)
            missing += int(np.count_nonzero(block.codes == MISSING))
            scored(len(block.samples))
        source = _input_file(file, digests)
    coverage = Coverage(samples, len(bundle.snps), file.report.matched, missing)
    return FileCheck(bundle, source, file.report, coverage)


def explain_sample(
    path: Path,
    bundle: Bundle,
    sample: str,
    options: InputOptions | None = None,
    *,
    watch: Watch = _unwatched,
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
    file = match_file(path, bundle, options, watch=watch)
    judge_match(path, file.report, options)
    samples: list[str] = []
    codes: np.ndarray | None = None
    fractions: np.ndarray | None = None
    with ThreadPoolExecutor(1) as pool, watch(file.reader) as scored:
        digests = pool.submit(_digests, file.reader.files)
        for block in file.blocks():
            samples += block.samples
            if sample in block.samples:
                row = [block.samples.index(sample)]
                codes = block.codes[row].copy()
                fractions = None if block.fractions is None else block.fractions[row].copy()
            scored(len(block.samples))
        source = _input_file(file, digests)
    if codes is None:
        column = f" (column {source.id_column!r})" if source.id_column else ""
        raise UnknownSample(
            f"{path} has no sample {sample!r} among its {len(samples)}{column}",
            did_you_mean(sample, samples) or f"its samples begin with {listed(samples)}",
        )
    explained = contributions(codes, ensemble, fractions)
    genotypes = np.where(codes == MISSING, np.nan, codes)[0]
    if fractions is not None:
        genotypes = genotypes + fractions[0]
    missing = int(np.count_nonzero(codes == MISSING))
    return SampleExplanation(
        bundle=bundle,
        source=source,
        match=file.report,
        sample=sample,
        genotypes=genotypes,
        prediction=float(ensemble_mean(scorer.predict(codes, fractions))[0]),
        reference=explained.reference,
        contributions=explained.values[0],
        order=largest(explained.values, len(ids))[0],
        coverage=Coverage(1, len(ids), file.report.matched, missing),
    )


def first_samples(path: Path, bundle: Bundle, options: InputOptions | None = None) -> list[str]:
    """Ids of a file's first samples.

    Raises
    ------
    SnpredictError
        The file cannot be read.
    """
    return next(match_file(path, bundle, options).blocks()).samples


def _top_rows(
    explained: Contributions, count: int, ids: tuple[str, ...]
) -> Iterator[list[tuple[str, float]]]:
    for row, columns in zip(explained.values, largest(explained.values, count), strict=True):
        yield [(ids[at], float(row[at])) for at in columns]


def _genotype(value: float) -> float | int | None:
    if np.isnan(value):
        return None
    return int(value) if value.is_integer() else value


def _digests(files: list[Path]) -> dict[str, str]:
    digests = {}
    for path in files:
        with path.open("rb") as file:
            digests[str(path)] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _input_file(matched: MatchedFile, digests: Future[dict[str, str]]) -> InputFile:
    reader = matched.reader
    files = digests.result()
    return InputFile(
        path=reader.path,
        format=reader.format,
        sha256=files[str(reader.path)],
        files=files,
        id_column=reader.id_column,
        has_alleles=matched.variants.has_alleles,
        notes={what: count for what, count in reader.notes.items() if count},
    )


def _model(bundle: Bundle) -> dict[str, Any]:
    return {
        "model": bundle.manifest.name,
        "manifest_sha256": bundle.digest,
        "trait": bundle.manifest.trait,
        "unit": bundle.manifest.unit,
        "snpredict_version": __version__,
    }


def _origin(bundle: Bundle, source: InputFile, match: MatchReport) -> dict[str, Any]:
    return _model(bundle) | {
        "input": str(source.path),
        "input_format": source.format,
        "input_sha256": source.sha256,
        "input_files": source.files,
        "id_column": source.id_column,
        "notes": source.notes,
        "match": asdict(match),
    }
