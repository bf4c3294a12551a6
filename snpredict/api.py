"""The Python interface: a model, loaded once, that predicts and explains."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa

from snpredict.bundle.load import Bundle, load_bundle
from snpredict.choices import DEFAULT_MODEL, FAMILIES
from snpredict.errors import UsageError
from snpredict.explaining.effect_table import effect_columns, effects_of_snps
from snpredict.explaining.pair_report import PairReport, describe_pair
from snpredict.explaining.snp_report import SnpReport, describe_snp, find_snp
from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.matching.file_check import FileCheck
from snpredict.matching.matched_file import InputOptions
from snpredict.predicting import check_file, explain_sample, predict_file, predict_models
from snpredict.results.facts import model_facts
from snpredict.results.of_files import FilePrediction, SampleExplanation
from snpredict.results.selection import Selection, plan_selection
from snpredict.results.tables import Results
from snpredict.scoring.predictions import Scores
from snpredict.scoring.scorer import Scorer

if TYPE_CHECKING:
    from collections.abc import Sequence


def load(name_or_path: str | Path = DEFAULT_MODEL) -> "Model":
    """A shipped model by its name, or any bundle by its folder.

    Raises
    ------
    SnpredictError
        As `snpredict.bundle.load.load_bundle`.
    """
    return Model(load_bundle(name_or_path))


def select(
    file: str | Path,
    models: "Sequence[Model]",
    *,
    index: str | None = None,
    rank: bool = True,
    best: int | None = None,
    **options: Any,
) -> Selection:
    """Predict a file with several models in one pass, and list its samples.

    Parameters
    ----------
    file : str or Path
    models : sequence of Model
        At least one.
    index, rank, best
        See `snpredict.results.selection.plan_selection`. Several models are ranked by their index.
    options
        Those of `snpredict.predicting.predict_models`.

    Raises
    ------
    SnpredictError
        As these two.
    """
    bundles = [model.bundle for model in models]
    if not bundles:
        raise UsageError("found no model, expected one or more", "select(FILE, [load()])")
    plan = plan_selection(bundles, index=index, rank=rank, best=best)
    return plan.of(predict_models(Path(file), bundles, **options))


class Model:
    """A bundle, verified and read.

    Parameters
    ----------
    bundle : Bundle

    Attributes
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle):
        self.bundle = bundle

    def __repr__(self) -> str:
        manifest = self.bundle.manifest
        return f"<Model {manifest.name}: {manifest.trait} of {manifest.n_snps:,} SNPs>"

    @property
    def snps(self) -> tuple[str, ...]:
        """Ids of its SNPs, in the order in which `predict` takes them in an array."""
        return self.bundle.snps.ids

    @overload
    def predict(
        self,
        samples: str | Path,
        *,
        options: InputOptions | None = None,
        interval: float | None = None,
        families: str = FAMILIES[0],
        top: int = 0,
        threads: int = 0,
    ) -> FilePrediction: ...

    @overload
    def predict(self, samples: Genotypes | np.ndarray) -> Scores: ...

    def predict(
        self, samples: str | Path | Genotypes | np.ndarray, **options: Any
    ) -> FilePrediction | Scores:
        """Predict the samples of a file, or genotypes in memory.

        Parameters
        ----------
        samples : str, Path, Genotypes or ndarray (samples, SNPs)
            A file is matched to the model. Genotypes are not: they are copies of the model's
            counted alleles, of all its SNPs in its order. In an array of whole numbers they are
            0, 1, 2 and −1 for missing, in one of real numbers 0 to 2 and NaN.
        options
            Of a file, those of `snpredict.predicting.predict_file`.

        Returns
        -------
        FilePrediction or Scores
            Of a file; ``.table`` is what the command writes. Or of genotypes;
            ``.prediction`` is an ndarray (samples,) in trait units.

        Raises
        ------
        UsageError
            The array is no such one.
        SnpredictError
            As `snpredict.predicting.predict_file`, or `Scorer`.
        """
        if isinstance(samples, str | Path):
            return predict_file(Path(samples), self.bundle, **options)
        return self._predict_genotypes(samples, **options)

    def predict_codes(self, codes: np.ndarray) -> np.ndarray:
        """Predictions (samples,) float64, trait units, of codes (samples, SNPs) int8.

        As `predict` with an array, without what else it tells.
        """
        return self._predict_genotypes(codes).prediction

    def _predict_genotypes(self, samples: Genotypes | np.ndarray) -> Scores:
        genotypes = samples if isinstance(samples, Genotypes) else _genotypes(np.asarray(samples))
        if genotypes.n_snps != len(self.snps):
            raise UsageError(
                f"found {genotypes.n_snps:,} SNPs, expected the model's {len(self.snps):,}",
                "the SNPs of a file are matched to the model: predict(PATH)",
            )
        names = [str(row) for row in range(len(genotypes))]
        return self._scorer.scores([GenotypeBlock(names, genotypes)])

    def check(self, file: str | Path, options: InputOptions | None = None) -> FileCheck:
        """Match a file without predicting; see `snpredict.predicting.check_file`."""
        return check_file(Path(file), self.bundle, options)

    def explain(
        self,
        file: str | Path,
        sample: str,
        options: InputOptions | None = None,
        *,
        covariates: Path | None = None,
    ) -> SampleExplanation:
        """What each SNP added to a prediction; see `snpredict.predicting.explain_sample`."""
        return explain_sample(Path(file), self.bundle, sample, options, covariates=covariates)

    def snp(self, name: str) -> SnpReport:
        """What the model knows about a SNP: a name, a unique part of it, or a place.

        Raises
        ------
        UnknownSnp, InvalidBundle
            As `find_snp` and `describe_snp`.
        """
        snp = find_snp(self.bundle, name)
        return describe_snp(self.bundle, snp, self._scorer.score_function())

    def pair(self, one: str, other: str) -> PairReport:
        """What is predicted for each combination of the genotypes of two SNPs.

        Raises
        ------
        UnknownSnp, UsageError, NotExplainable
            As `find_snp` and `describe_pair`.
        """
        snp_a, snp_b = (find_snp(self.bundle, name) for name in (one, other))
        return describe_pair(self.bundle, snp_a, snp_b, self._scorer.score_function())

    def effects(self) -> pa.Table:
        """What every SNP does to a prediction, a row each, as `snpredict effects` writes it.

        Raises
        ------
        NotExplainable
            The layers of the model are not known.
        """
        columns = effect_columns(self.bundle, effects_of_snps(self.bundle, self._scorer))
        return Results(model_facts(self.bundle), columns).to_arrow()

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self.bundle)


def _genotypes(values: np.ndarray) -> Genotypes:
    """Genotypes of an array of codes or of expected copies."""
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise UsageError(
            f"found an array of {values.dtype} with the shape {values.shape}, expected numbers "
            "(samples, SNPs)"
        )
    whole = values.dtype.kind != "f"
    missing = values == MISSING if whole else np.isnan(values)
    wrong = ~missing & ~((values >= 0) & (values <= 2))
    if wrong.any():
        sample, snp = np.argwhere(wrong)[0]
        expected = "-1, 0, 1 or 2" if whole else "0 to 2 or NaN"
        raise UsageError(
            f"found the genotype {values[sample, snp]} of sample {sample}, SNP {snp}, "
            f"expected {expected}"
        )
    return Genotypes(values.astype(np.int8)) if whole else Genotypes.of_copies(values)
