"""What the commands find in a file, as tables: predictions, one explanation, the match."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import BINARY
from snpredict.choices import FAMILIES
from snpredict.intervals import Intervals
from snpredict.matching.file_check import FileCheck
from snpredict.matching.low_call_rate import low_call_rate
from snpredict.matching.matched_file import MatchedFile
from snpredict.matching.report import MatchReport, log_columns
from snpredict.matching.unlike import Unlike
from snpredict.reliability import reliability_facts, reliability_of
from snpredict.results.facts import model_facts, origin_facts, sample_facts, similarity_columns
from snpredict.results.tables import Results
from snpredict.scoring.predictions import Scores


@dataclass(frozen=True)
class FilePrediction:
    """Predictions for all samples of a file.

    Attributes
    ----------
    check : FileCheck
    scores : Scores
    top : list of list of (str, float), or None
        Per sample, the SNPs that contributed most and their contributions, trait units.
    intervals : Intervals, or None
    families : str
        Whose reliabilities, one of `snpredict.choices.FAMILIES`.
    """

    check: FileCheck
    scores: Scores
    top: list[list[tuple[str, float]]] | None
    intervals: Intervals | None
    families: str = FAMILIES[0]

    @cached_property
    def reliability(self) -> np.ndarray | None:
        """See `snpredict.reliability.reliability_of`."""
        return reliability_of(self.check, self.scores, self.families)

    @cached_property
    def table(self) -> pa.Table:
        """What `snpredict predict` writes, a row per sample."""
        return self.results().to_arrow()

    @property
    def match(self) -> MatchReport:
        """How the file's variants were matched to the model's SNPs."""
        return self.check.match

    @property
    def similarity(self) -> Unlike | None:
        """How far the samples are from the training set; None where the model cannot tell."""
        return self.check.unlike

    def results(self, per_fold: bool = False) -> Results:
        """Columns sample, prediction, spread, lower and upper with intervals, reliability where the
        bundle knows it, predicted_by, low_call_rate, those of the similarity, and if asked for one
        per fold.
        """
        bundle = self.check.bundle
        names = [fold.name for fold in bundle.manifest.folds]
        metadata = origin_facts(self.check)
        columns: dict[str, Any] = {
            "sample": self.scores.samples,
            "prediction": self.scores.prediction,
            "spread": _with_gaps(self.scores.spread),
        }
        if self.intervals is not None:
            columns["lower"], columns["upper"] = self.intervals.bounds(self.scores)
            metadata["interval"] = self.intervals.facts()
        if self.reliability is not None:
            columns["reliability"] = _with_gaps(self.reliability)
            metadata["reliability"] = reliability_facts(bundle, self.families)
        columns["predicted_by"] = [
            names[fold] if fold >= 0 else "ensemble" for fold in self.scores.held_out.tolist()
        ]
        columns["low_call_rate"] = low_call_rate(self.check).tolist()
        columns |= similarity_columns(self.check)
        metadata |= sample_facts(self.check)
        if per_fold:
            for at, name in enumerate(names):
                columns[name] = self.scores.folds[:, at].astype(np.float64)
        return Results(metadata, columns, self.top, _digits(bundle))


@dataclass(frozen=True)
class CovariateShare:
    """What a covariate added to a prediction.

    Attributes
    ----------
    name, value : str
        The value as the table has it.
    contribution : float
        Trait units, or logits of a probability.
    """

    name: str
    value: str
    contribution: float


@dataclass(frozen=True)
class SampleExplanation:
    """What each SNP added to the prediction of one sample.

    Attributes
    ----------
    check : FileCheck
        Of this one sample.
    genotypes : ndarray (SNPs,) of float64
        Copies of the counted allele, NaN for missing; dosages are no whole numbers.
    prediction : float
        As `predict` gives it.
    predicted_by : str
        ``"ensemble"``, or the name of the one fold that did not see a training sample.
    reference : float
        Of the average genotype of the training set and average covariates, by the same models:
        the prediction, or of a probability the mean of the folds' logits.
    score : float
        Likewise of the sample: ``reference`` and all contributions together.
    by_weights : float
        The prediction once more, from the weights in double precision.
    contributions : ndarray (SNPs,) of float64
        Trait units, or logits of a probability.
    order : ndarray (SNPs,) of int64
        The SNPs from the largest absolute contribution to the smallest.
    covariates : tuple of CovariateShare
        In the manifest's order; none of a model that takes none.
    """

    check: FileCheck
    genotypes: np.ndarray
    prediction: float
    predicted_by: str
    reference: float
    score: float
    by_weights: float
    contributions: np.ndarray
    order: np.ndarray
    covariates: tuple[CovariateShare, ...] = ()

    @cached_property
    def table(self) -> pa.Table:
        """A row per SNP, largest absolute contribution first."""
        return self.results().to_arrow()

    @property
    def unit(self) -> str:
        """Of the contributions."""
        manifest = self.check.bundle.manifest
        return "logit" if manifest.task == BINARY else manifest.unit

    @property
    def total(self) -> float:
        """All contributions together."""
        shares = sum(share.contribution for share in self.covariates)
        return float(self.contributions.sum()) + shares

    @property
    def residual(self) -> float:
        """What `predict` gives less what the weights give, which is rounding."""
        return self.prediction - self.by_weights

    def results(self) -> Results:
        """All SNPs, largest absolute contribution first; of covariates there are rows too.

        Then a column ``kind`` says which of the two a row is.
        """
        of_sample = similarity_columns(self.check)
        metadata = {
            **origin_facts(self.check),
            "sample": self.check.samples[0],
            "prediction": self.prediction,
            "predicted_by": self.predicted_by,
            "reference": self.reference,
            "contributions_sum": self.total,
            "contributions_unit": self.unit,
            "score": self.score,
            "residual": self.residual,
            **sample_facts(self.check),
            **{name: values[0] for name, values in of_sample.items()},
        }
        ids = self.check.bundle.snps.ids
        columns: dict[str, Any] = {
            "snp": [ids[at] for at in self.order],
            "genotype": [_genotype(value) for value in self.genotypes[self.order].tolist()],
            "contribution": self.contributions[self.order],
        }
        if not self.covariates:
            return Results(metadata, columns)
        metadata["covariates"] = {share.name: share.value for share in self.covariates}
        shares = sorted(self.covariates, key=lambda share: -abs(share.contribution))
        behind: dict[str, list[Any]] = {
            "snp": [share.name for share in shares],
            "genotype": [None] * len(shares),
            "contribution": [share.contribution for share in shares],
        }
        kind = ["covariate"] * len(shares) + ["snp"] * len(ids)
        joined = {name: [*behind[name], *list(columns[name])] for name in columns}
        return Results(metadata, {"kind": kind, **joined})


def match_log(files: Sequence[MatchedFile]) -> Results:
    """One row per SNP of the bundle: what was looked for, found and done.

    Of several bundles the rows stand behind each other, with a column ``model`` before the others.
    """
    each = [log_columns(file.bundle.snps, file.variants.candidates, file.match) for file in files]
    source = {"input": str(files[0].reader.path)}
    if len(files) == 1:
        return Results(model_facts(files[0].bundle) | source, each[0])
    names = [file.bundle.manifest.name for file in files]
    columns: dict[str, Sequence] = {
        "model": [name for name, one in zip(names, each, strict=True) for _ in one["snp"]],
        **{name: [value for one in each for value in one[name]] for name in each[0]},
    }
    return Results({"models": [model_facts(file.bundle) for file in files]} | source, columns)


def _with_gaps(values: np.ndarray) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


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
