"""The parts of a bundle's manifest, each as it stands in the JSON; see docs/bundle.md."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from snpredict.bundle.typed_json import Entry
from snpredict.formulas.links import Identity, Isru, Link, Logit
from snpredict.formulas.similarity import MAX_COMPONENTS

#: No more, so that no number in a manifest makes a reader of it take more memory than the bundle's
#: own files.
MAX_FOLDS = 1000

#: Figures by name; None where one does not exist.
Figures = Mapping[str, float | None]


def fold_name(number: int) -> str:
    """Name of a fold in columns and files: ``fold_01``."""
    return f"fold_{number:02d}"


class Fold(NamedTuple):
    """One fold model.

    Attributes
    ----------
    number : int
        From 1, as in the training run.
    center, scale : float
        Mean and SD of the trait in the fold's training rows, trait units; 0 and 1 of a probability.
    model : str or None
        Path of its ONNX file within the bundle; None where the ensemble alone holds it.
    n_train, n_validation, n_test, best_epoch, epochs : int or None
    chosen : mapping or None
        What the data chose.
    metrics : mapping of str to float or None
        On the fold's test rows, such as ``pcc``, ``mae``, ``mse``, ``r2``.
    """

    number: Annotated[int, Entry(key="fold", above=0, at_most=MAX_FOLDS)]
    model: str | None
    center: float
    scale: Annotated[float, Entry(above=0)]
    n_train: int | None = None
    n_validation: int | None = None
    n_test: int | None = None
    best_epoch: int | None = None
    epochs: int | None = None
    chosen: Mapping[str, Any] | None = None
    metrics: Figures = MappingProxyType({})

    @property
    def name(self) -> str:
        """``fold_01``."""
        return fold_name(self.number)


class LinkEntry(NamedTuple):
    """The link by its name; α is there for ISRU alone."""

    name: Literal["identity", "isru", "logit"]
    alpha: Annotated[float | None, Entry(above=0, left_out=True)] = None

    @property
    def link(self) -> Link:
        """The function."""
        if self.name == Isru.name:
            assert self.alpha is not None  # checked with the manifest
            return Isru(self.alpha)
        return Identity() if self.name == Identity.name else Logit()


class Covariate(NamedTuple):
    """What a model is told of a sample beside its genotypes, and how it is coded.

    Attributes
    ----------
    name : str
    kind : str
        ``number``: one input, ``(value − mean) / sd``. ``category``: one input per category, 1 for
        the sample's own and else 0.
    mean, sd : float or None
        Of a number, in the training rows.
    categories : tuple of str or None
        Of a category, in the order of the inputs.
    """

    name: str
    kind: Literal["number", "category"]
    mean: Annotated[float | None, Entry(left_out=True)] = None
    sd: Annotated[float | None, Entry(above=0, left_out=True)] = None
    categories: Annotated[tuple[str, ...] | None, Entry(left_out=True)] = None

    @property
    def n_inputs(self) -> int:
        """Columns of the input ``covariates`` that it takes."""
        return len(self.categories) if self.categories is not None else 1


class Training(NamedTuple):
    """The data that a model was trained on.

    ``snp_filters`` says in words which SNPs each fold took, None where it took all.
    """

    table: str | None = None
    sha256: str | None = None
    data_digest: str | None = None
    samples: int | None = None
    families: int | None = None
    missing_rate: float | None = None
    fold_scheme: str | None = None
    repeats: str | None = None
    table_coding: str | None = None
    snp_filters: Annotated[str | None, Entry(left_out=True)] = None
    phenotype_mean: float | None = None
    phenotype_sd: float | None = None


class ScoringFile(NamedTuple):
    """The file of weights that a linear bundle was imported from.

    Attributes
    ----------
    file, sha256 : str
    format : str
    weight_type : str or None
        As the file says it.
    genome_build : str or None
        Of the positions; None where the file does not say it.
    with_frequency : int
        SNPs whose effect allele has a frequency in the file: a missing genotype counts as twice
        it. Of the others it counts as no copy of the effect allele.
    without_other_allele, without_place : int
        SNPs of which the file does not say it.
    """

    file: str
    sha256: str
    format: Literal["pgs-catalog", "plink2"]
    weight_type: str | None = None
    genome_build: str | None = None
    with_frequency: int = 0
    without_other_allele: int = 0
    without_place: int = 0


class VariantModel(NamedTuple):
    """The model of a bundle of variant effects.

    Attributes
    ----------
    model : str
        Path of its ONNX file within the bundle: standardised ``annotations`` float32 (variants,
        annotations) to ``log_prior`` float32 (variants,).
    network : str
        ``constant``, ``linear``, or a name of a network that is not linear.
    objective : str
    annotations : tuple of str
        Names, in the order of the model's input.
    means, scales : tuple of float
        What they are standardised with; a missing one is the mean.
    people : float
        N of the study.
    held_out_gain, held_out_gain_se : float or None
        Negative log likelihood a variant of windows that were held out, less that of no effects.
    """

    model: str
    network: str
    objective: str
    annotations: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    people: Annotated[float, Entry(above=0)]
    held_out_gain: float | None = None
    held_out_gain_se: float | None = None


class DecompositionEntry(NamedTuple):
    """What belongs to ``decomposition.parquet`` and ``epistasis.parquet``.

    Attributes
    ----------
    lines, seed : int
        Lines in linkage equilibrium that were drawn for each fold.
    variances : mapping of str to float
        Components in trait units squared, means over the folds: ``additive``, ``dominance``,
        ``genetic`` and others.
    sds : mapping of str to float
        Of the components over the folds; empty with one.
    additive_share_of_real_lines : float or None
        Share of the variance of the predictions for the training lines that a sum over SNPs
        explains, see docs/decomposition.md.
    nulls : tuple of str
        Controls whose networks the q-values are held against.
    """

    lines: int
    seed: int
    variances: Mapping[str, float]
    sds: Mapping[str, float]
    additive_share_of_real_lines: float | None = None
    nulls: tuple[str, ...] = ()


class GroupErrors(NamedTuple):
    """How well a group of tested samples is predicted, trait units."""

    n: int
    mae: float | None
    rmse: float | None
    pcc: float | None


class DistanceErrors(NamedTuple):
    """Errors of samples beyond the limit of the distance, and of the others.

    ``mae_ratio`` is flagged over others, with its 95 % interval; None where it does not exist.
    """

    flagged: GroupErrors
    others: GroupErrors
    mae_ratio: float | None = None
    mae_ratio_low: float | None = None
    mae_ratio_high: float | None = None

    @property
    def ratio(self) -> tuple[float, float, float] | None:
        """The ratio and its interval, or None where they or what they are of is not there."""
        value, low, high = self.mae_ratio, self.mae_ratio_low, self.mae_ratio_high
        if value is None or low is None or high is None:
            return None
        return None if None in (self.flagged.mae, self.others.mae) else (value, low, high)


class SimilarityEntry(NamedTuple):
    """What belongs to ``similarity.parquet``.

    ``limit`` is the 99th percentile of the training samples' distances.
    """

    components: Annotated[int, Entry(above=0, at_most=MAX_COMPONENTS)]
    scale: Annotated[float, Entry(above=0, at_most=1e6)]
    limit: float | None = None
    errors: DistanceErrors | None = None
    errors_new_families: DistanceErrors | None = None


class KnownIntervals(NamedTuple):
    """Intervals for families of the training set: shares that they hold, by level."""

    method: str
    residuals: int
    coverage: Figures
    coverage_in_new_families: Annotated[Figures | None, Entry(left_out=True)] = None


class FamilyCoverage(NamedTuple):
    """How much of a family's samples intervals hold: worst family, worst tenth, SD."""

    lowest: float
    tenth: float
    sd: float


class NewIntervals(NamedTuple):
    """Intervals for families that were left out: shares that they hold, by level."""

    method: str
    residuals: int
    families: int
    families_from: str
    coverage: Figures
    coverage_by_family: Mapping[str, FamilyCoverage | None]


class IntervalsEntry(NamedTuple):
    """What prediction intervals were measured to hold; None where there are none of a kind."""

    known: KnownIntervals | None = None
    new: NewIntervals | None = None


class EvaluatedModel(NamedTuple):
    """One model under one scheme; every figure with both ends of its 95 % interval."""

    scheme: str
    model: str
    title: str
    folds: int
    figures: Mapping[str, tuple[float | None, ...]]


class EvaluatedControl(NamedTuple):
    """The network trained on a phenotype without signal: mean PCC over folds and seeds."""

    control: str
    scheme: str
    trait: str
    pcc: float
    seeds: int


class EvaluationEntry(NamedTuple):
    """What an evaluation found; ``schemes`` has the number of folds of each."""

    seed: int
    schemes: Mapping[str, int]
    models: tuple[EvaluatedModel, ...]
    controls: tuple[EvaluatedControl, ...] = ()


class Parity(NamedTuple):
    """Largest differences found at export, SDs of the trait."""

    keras_onnx_sd: float | None = None
    onnx_fused_sd: float | None = None
