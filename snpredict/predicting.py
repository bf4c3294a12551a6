"""From a genotype file and a bundle to results: what the commands do, as functions.

All of them open a file, match it to the bundle and read it to its end; predictions and
explanations refuse a file that has too little of what the model needs.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snpredict.ahead import default_threads
from snpredict.bundle.load import Bundle
from snpredict.choices import FAMILIES
from snpredict.errors import NoSnpMatched, TooFewSnps, UnknownSample, UsageError
from snpredict.explaining.contributions import (
    Contributions,
    Ensemble,
    contributions,
    largest,
    read_ensemble,
)
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.intervals import intervals_of
from snpredict.matching.file_check import FileCheck, Through, read_to_end
from snpredict.matching.low_call_rate import judge_calls
from snpredict.matching.matched_file import (
    InputOptions,
    Watch,
    judge_match,
    match_file,
    match_files,
    unwatched,
)
from snpredict.names import did_you_mean, listed
from snpredict.results.of_files import CovariateShare, FilePrediction, SampleExplanation
from snpredict.scoring.covariates import CovariateTable
from snpredict.scoring.predictions import ScoreCollector, ScoredBlock
from snpredict.scoring.scorer import Scorer

if TYPE_CHECKING:
    from snpredict.formulas.genotypes import Genotypes

#: SNPs and their contributions to the prediction of one sample, largest first.
Top = list[tuple[str, float]]


def predict_file(
    path: Path,
    bundle: Bundle,
    options: InputOptions | None = None,
    *,
    threads: int = 0,
    top: int = 0,
    interval: float | None = None,
    families: str = FAMILIES[0],
    covariates: Path | None = None,
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
        Whose intervals and reliabilities, see `snpredict.intervals`.
    covariates : Path, optional
        A table of the covariates that the model takes, see `snpredict.scoring.covariates`.
    watch : callable, optional
        Shows progress.

    Raises
    ------
    SnpredictError
        As `match_file`, `judge_match`, the reader's `genotypes`, `Scorer`, `read_ensemble`
        when `top` is not 0, `intervals_of` and `judge_calls`.
    """
    return predict_models(
        path,
        [bundle],
        options,
        threads=threads,
        top=top,
        interval=interval,
        families=families,
        covariates=covariates,
        watch=watch,
    )[0]


def predict_models(
    path: Path,
    bundles: Sequence[Bundle],
    options: InputOptions | None = None,
    *,
    threads: int = 0,
    top: int = 0,
    interval: float | None = None,
    families: str = FAMILIES[0],
    covariates: Path | None = None,
    watch: Watch = unwatched,
) -> list[FilePrediction]:
    """As `predict_file` with each of several models; the file is read once.

    Every prediction is to the last bit the one that `predict_file` gives. What a reader notes of a
    file (`InputFile.notes`) it counts over the SNPs of all models.

    Raises
    ------
    SnpredictError
        As `predict_file`; which model it is about stands first where there are several.
    """
    several = len(bundles) > 1
    tables = _covariate_tables(bundles, covariates, options)
    passes = [
        _Scoring(bundle, threads, top, interval, families, table)
        for bundle, table in zip(bundles, tables, strict=True)
    ]
    files = match_files(path, bundles, options, watch=watch)
    for file in files:
        with _about(file.bundle, several):
            judge_match(path, file.report, file.options.min_match)
    with ThreadPoolExecutor(threads or default_threads()) as pool:
        checks = read_to_end(files, watch, [one.through(pool) for one in passes])
    for check in checks:
        with _about(check.bundle, several):
            judge_calls(check)
    return [one.result(check) for one, check in zip(passes, checks, strict=True)]


def _covariate_tables(
    bundles: Sequence[Bundle], path: Path | None, options: InputOptions | None
) -> list[CovariateTable | None]:
    """The table as each of the models takes it; None for those that take none."""
    takers = [bundle for bundle in bundles if bundle.manifest.covariates]
    if path is not None and not takers:
        raise UsageError("--covariates was given, and no model takes any", "leave --covariates out")
    id_column = None if options is None else options.reading.id_column
    return [
        CovariateTable(path, bundle.manifest.covariates, id_column)
        if path is not None and bundle.manifest.covariates
        else None
        for bundle in bundles
    ]


class _Scoring:
    """One model, ready to score a file, and what it has scored so far."""

    def __init__(
        self,
        bundle: Bundle,
        threads: int,
        top: int,
        interval: float | None,
        families: str,
        covariates: CovariateTable | None,
    ):
        self._covariates = covariates
        self._intervals = None if interval is None else intervals_of(bundle, interval, families)
        self._scorer = Scorer(bundle, threads, covariates)
        self._ensemble = read_ensemble(bundle, self._scorer) if top else None
        self._scores = ScoreCollector(len(bundle.manifest.folds))
        self._top, self._snps, self._families = top, bundle.snps, families
        self._rows: list[Top] = []

    def through(self, pool: Executor) -> Through:
        """Scores every block on its way, in threads of a pool."""

        def scored(blocks: Iterator[GenotypeBlock]) -> Iterator[GenotypeBlock]:
            for block in self._scorer.score(blocks, pool):
                self._scores.add(block)
                if self._ensemble is not None:
                    known = self._scorer.covariates_of(block.samples)
                    explained = _contributions(block, self._ensemble, known)
                    self._rows.extend(_top_rows(explained, self._top, self._snps.ids))
                yield GenotypeBlock(block.samples, block.genotypes)

        return scored

    def result(self, check: FileCheck) -> FilePrediction:
        """That of the whole file."""
        rows = self._rows if self._ensemble is not None else None
        scores = self._scores.collected()
        check = _with_table(check, self._covariates)
        return FilePrediction(check, scores, rows, self._intervals, self._families)


def _with_table(check: FileCheck, table: CovariateTable | None) -> FileCheck:
    """Naming the table of covariates among the files that were read."""
    if table is None:
        return check
    source = check.source
    files = {**source.files, str(table.path): table.sha256}
    return replace(check, source=replace(source, files=files))


@contextmanager
def _about(bundle: Bundle, several: bool) -> Iterator[None]:
    """Lets an error say which of several models it is about."""
    try:
        yield
    except (NoSnpMatched, TooFewSnps) as error:
        if several:
            message = f"model {bundle.manifest.name}: {error.message}"
            raise type(error)(message, error.hint) from None
        raise


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
    return read_to_end(match_files(path, [bundle], options, watch=watch), watch, [iter])[0]


def judge(check: FileCheck) -> None:
    """Refuse a file of which too little is there, as a prediction of it does.

    Raises
    ------
    NoSnpMatched, TooFewSnps
    """
    judge_match(check.source.path, check.match, check.min_match)
    judge_calls(check)


def explain_sample(
    path: Path,
    bundle: Bundle,
    sample: str,
    options: InputOptions | None = None,
    *,
    covariates: Path | None = None,
    watch: Watch = unwatched,
) -> SampleExplanation:
    """Contributions of all SNPs, and of covariates, to the prediction of one sample of a file.

    `covariates` is a table of those that the model takes, as for `predict_file`. The whole file is
    read, so that a mistake further down is not passed over.

    Raises
    ------
    UnknownSample
        The file has no such sample; the hint names the nearest ids.
    SnpredictError
        As `predict_file`.
    """
    (table,) = _covariate_tables([bundle], covariates, options)
    scorer = Scorer(bundle, covariates=table)
    ensemble = read_ensemble(bundle, scorer)
    found: list[Genotypes] = []

    def looked_through(blocks: Iterator[GenotypeBlock]) -> Iterator[GenotypeBlock]:
        for block in blocks:
            if sample in block.samples:
                found.append(block.genotypes.rows(np.array([block.samples.index(sample)])))
            yield block

    check = _read(path, bundle, options, watch, looked_through)
    if not found:
        raise _unknown(sample, check)
    judge_calls(check)
    (genotypes,) = found
    result = scorer.scores([GenotypeBlock([sample], genotypes)])
    fold = int(result.held_out[0])
    explained = contributions(
        genotypes,
        ensemble if fold < 0 else ensemble.only(fold),
        scorer.covariates_of([sample]),
    )
    return SampleExplanation(
        check=_with_table(check.of_sample(check.samples.index(sample)), table),
        genotypes=genotypes.copies()[0],
        prediction=float(result.prediction[0]),
        predicted_by="ensemble" if fold < 0 else bundle.manifest.folds[fold].name,
        reference=explained.reference,
        score=float(explained.score[0]),
        by_weights=float(explained.prediction[0]),
        contributions=explained.values[0],
        order=largest(explained.values, len(bundle.snps))[0],
        covariates=() if table is None else _by_covariate(bundle, table, sample, explained),
    )


def _by_covariate(
    bundle: Bundle, table: CovariateTable, sample: str, explained: Contributions
) -> tuple[CovariateShare, ...]:
    """What each covariate added, its numbers together."""
    texts, end, shares = table.texts_of(sample), 0, []
    for covariate in bundle.manifest.covariates:
        start, end = end, end + covariate.n_inputs
        value = float(explained.covariates[0, start:end].sum())
        shares.append(CovariateShare(covariate.name, texts[covariate.name], value))
    return tuple(shares)


def first_samples(path: Path, bundle: Bundle, options: InputOptions | None = None) -> list[str]:
    """Ids of a file's first samples.

    Raises
    ------
    SnpredictError
        The file cannot be read.
    """
    return next(match_file(path, bundle, options).blocks()).samples


def _read(
    path: Path, bundle: Bundle, options: InputOptions | None, watch: Watch, through: Through
) -> FileCheck:
    """Read a file of which enough must be there, every block through a function."""
    file = match_file(path, bundle, options, watch=watch)
    judge_match(path, file.report, file.options.min_match)
    return read_to_end([file], watch, [through])[0]


def _unknown(sample: str, check: FileCheck) -> UnknownSample:
    source, samples = check.source, check.samples
    column = f" (column {source.id_column!r})" if source.id_column else ""
    return UnknownSample(
        f"{source.path} has no sample {sample!r} among its {len(samples)}{column}",
        did_you_mean(sample, samples) or f"its samples begin with {listed(samples)}",
    )


def _contributions(
    block: ScoredBlock, ensemble: Ensemble, covariates: np.ndarray | None
) -> np.ndarray:
    """Contributions (samples, SNPs) to the predictions that are shown."""
    values = contributions(block.genotypes, ensemble, covariates).values
    for fold in np.unique(block.held_out[block.held_out >= 0]).tolist():
        rows = block.held_out == fold
        known = None if covariates is None else covariates[rows]
        of_rows = contributions(block.genotypes.rows(rows), ensemble.only(fold), known)
        values[rows] = of_rows.values
    return values


def _top_rows(explained: np.ndarray, count: int, ids: tuple[str, ...]) -> Iterator[Top]:
    for row, columns in zip(explained, largest(explained, count), strict=True):
        yield [(ids[at], float(row[at])) for at in columns]
