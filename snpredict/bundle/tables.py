"""The tables of a bundle: what each holds, read and checked."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from snpredict.bundle.manifest import (
    SNPS,
    Manifest,
)
from snpredict.bundle.parquet_columns import NUMBERS, TEXT, WHOLE, Columns
from snpredict.errors import (
    InvalidBundle,
)
from snpredict.formulas.effects import PERCENTILES
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING
from snpredict.formulas.sample_rates import MIN_CALLED, RateLimits, SampleRates, rate_limits
from snpredict.formulas.similarity import (
    MAX_COMPONENTS,
    MAX_LOADING,
    MAX_SNPS,
    STEPS,
    UNLIKE_BEYOND,
    Similarity,
    SimilarityTable,
)
from snpredict.genotypes.chromosomes import ChromosomeNames

SIMILARITY = "similarity.parquet"
#: Columns of the training samples' heterozygosity and call rate.
_RATES = ("heterozygosity", "call_rate")

#: Per channel, the ending of a table's columns that hold one number per genotype.
_CODE_SUFFIXES = tuple("missing" if code == MISSING else str(code) for code in CHANNEL_CODES)
_FREQUENCY_COLUMNS = [f"freq_{suffix}" for suffix in _CODE_SUFFIXES]
_EFFECT_COLUMNS = [f"effect_{suffix}" for suffix in _CODE_SUFFIXES]
_RANGE_COLUMNS = [
    [f"{column}_p{percentile:02d}" for column in _EFFECT_COLUMNS] for percentile in PERCENTILES
]


@dataclass(frozen=True)
class SnpTable:
    """A model's SNPs, in the order of its input.

    Attributes
    ----------
    ids : tuple of str
        Unique.
    chromosome : tuple of (str or None)
    position : tuple of (int or None)
        Base pairs on the chromosome.
    counted_allele, other_allele : tuple of (str or None)
        A genotype code counts copies of the counted allele.
    frequencies : ndarray (SNPs, 4) of float64
        Share of each channel in the training set, channel order; rows add up to 1.
    """

    ids: tuple[str, ...]
    chromosome: tuple[str | None, ...]
    position: tuple[int | None, ...]
    counted_allele: tuple[str | None, ...]
    other_allele: tuple[str | None, ...]
    frequencies: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def chromosome_names(self) -> ChromosomeNames:
        """What the model calls its chromosomes, to tell whether another name means one."""
        return ChromosomeNames(self.chromosome)


@dataclass(frozen=True)
class SaliencyTable:
    """How strongly predictions move with each SNP, in the model's SNP order.

    Attributes
    ----------
    saliency, centered : ndarray (SNPs,) of float64
        Mean over all test samples of all folds, plain and centred; SDs of the trait.
    rank : ndarray (SNPs,) of int64
        By `saliency`, 1 = largest.
    percentile : ndarray (SNPs,) of float64
    per_fold : ndarray (SNPs, folds) of float64
        Mean saliency over the test samples of each fold.
    effects : ndarray (SNPs, 4) of float64, or None
        Signed effect of each genotype in trait units, in the average line; channel order. None
        where the network cannot be fused.
    effect_ranges : ndarray (SNPs, 4, 2) of float64, or None
        5th and 95th percentile of each effect over training lines. None in older bundles.
    """

    saliency: np.ndarray
    centered: np.ndarray
    rank: np.ndarray
    percentile: np.ndarray
    per_fold: np.ndarray
    effects: np.ndarray | None
    effect_ranges: np.ndarray | None = None


def read_snps(content: bytes, path: Path, manifest: Manifest) -> SnpTable:
    """The SNP table of a bundle; InvalidBundle where it is not one."""
    columns = Columns(
        content,
        path,
        kinds={
            **dict.fromkeys(("id", "chromosome", "counted_allele", "other_allele"), TEXT),
            "position": WHOLE,
            **dict.fromkeys(_FREQUENCY_COLUMNS, NUMBERS),
        },
        n_rows=manifest.n_snps,
    )
    ids = columns.texts("id", nullable=False)
    if len(set(ids)) < len(ids):
        raise InvalidBundle(f"{path} holds a SNP id more than once")
    frequencies = columns.matrix(_FREQUENCY_COLUMNS)
    in_range = ((frequencies >= 0) & (frequencies <= 1)).all()
    if not in_range or not np.allclose(frequencies.sum(axis=1), 1, atol=1e-3):
        raise InvalidBundle(f"{path}: the genotype frequencies of a SNP do not add up to 1")
    return SnpTable(
        ids=ids,
        chromosome=columns.texts("chromosome"),
        position=columns.integers("position"),
        counted_allele=columns.texts("counted_allele"),
        other_allele=columns.texts("other_allele"),
        frequencies=frequencies,
    )


def read_saliency(
    content: bytes, path: Path, manifest: Manifest, ids: tuple[str, ...]
) -> SaliencyTable:
    """The saliency table of a bundle; InvalidBundle where it is not one of the SNPs `ids`."""
    folds = [fold.name for fold in manifest.folds]
    effects = _EFFECT_COLUMNS if manifest.ensemble is not None else []
    # One of them, and all have to be there.
    ranges = [name for names in _RANGE_COLUMNS for name in names] if effects else []
    numbers = ["saliency", "centered_saliency", "rank", "percentile", *folds, *effects]
    columns = Columns(
        content,
        path,
        kinds={"id": TEXT, **dict.fromkeys(numbers, NUMBERS)},
        optional=dict.fromkeys(ranges, NUMBERS),
        n_rows=manifest.n_snps,
    )
    if columns.texts("id", nullable=False) != ids:
        raise InvalidBundle(f"{path} does not hold the SNPs of {SNPS} in their order")
    table = SaliencyTable(
        saliency=columns.matrix(["saliency"])[:, 0],
        centered=columns.matrix(["centered_saliency"])[:, 0],
        rank=_ranks(columns, path),
        percentile=columns.matrix(["percentile"])[:, 0],
        per_fold=columns.matrix(folds),
        effects=columns.matrix(effects) if effects else None,
        effect_ranges=_effect_ranges(columns, path, manifest),
    )
    _check_saliency(table, path)
    return table


def _ranks(columns: Columns, path: Path) -> np.ndarray:
    rank = columns.matrix(["rank"])[:, 0]
    if not np.array_equal(np.sort(rank), np.arange(1, len(rank) + 1)):
        raise InvalidBundle(f"{path}: the ranks are not 1 to {len(rank)}, each once")
    return rank.astype(np.int64)


def _effect_ranges(columns: Columns, path: Path, manifest: Manifest) -> np.ndarray | None:
    there = [columns.has(name) for names in _RANGE_COLUMNS for name in names]
    if not any(there):
        return None
    if not all(there):
        raise InvalidBundle(
            f"{path}: found some of the columns {_RANGE_COLUMNS[0][0]} to {_RANGE_COLUMNS[1][-1]}, "
            "expected all or none"
        )
    ranges = np.stack([columns.matrix(names) for names in _RANGE_COLUMNS], axis=2)
    limit = manifest.trait_scale.largest_difference()
    largest = float(np.abs(ranges).max())
    if largest > limit * (1 + 1e-6):
        raise InvalidBundle(
            f"{path}: found an effect of {largest:.6g} among the percentiles, expected at most "
            f"{limit:.6g}, as two predictions of the model lie no further apart"
        )
    if (ranges[:, :, 0] > ranges[:, :, 1]).any():
        raise InvalidBundle(f"{path}: a 5th percentile of effects is above the 95th")
    return ranges


def _check_saliency(table: SaliencyTable, path: Path) -> None:
    """Refuse figures that contradict each other; that they are of this model cannot be told."""
    by_rank = table.saliency[np.argsort(table.rank)]
    if (np.diff(by_rank) > 0).any():
        raise InvalidBundle(f"{path}: the ranks are not in the order of the saliency")
    n_snps = len(table.rank)
    if not np.allclose(table.percentile, 100 * (n_snps - table.rank + 1) / n_snps, atol=1e-6):
        raise InvalidBundle(f"{path}: the percentiles are not those of the ranks")
    if min(table.saliency.min(), table.centered.min(), table.per_fold.min()) < 0:
        raise InvalidBundle(f"{path}: found a negative saliency, expected sizes")
    # The folds' means are stored in single precision.
    margin = 1e-5 * table.per_fold.max(axis=1)
    below = table.saliency < table.per_fold.min(axis=1) - margin
    if (below | (table.saliency > table.per_fold.max(axis=1) + margin)).any():
        raise InvalidBundle(f"{path}: a saliency is not a mean of those of its folds")


def check_out_of_fold(content: bytes, path: Path) -> None:
    """Refuse a table of training samples that lacks what every bundle has (InvalidBundle)."""
    numbers = ["fold", "predicted", "residual"]
    columns = Columns(content, path, kinds={"digest": TEXT, **dict.fromkeys(numbers, NUMBERS)})
    columns.check_texts("digest")
    columns.matrix(numbers)


def read_similarity(
    table: tuple[bytes, Path], out_of_fold: tuple[bytes, Path], manifest: Manifest
) -> Similarity:
    """Read and check the table of a bundle and its training distances.

    Parameters
    ----------
    table, out_of_fold : (bytes, Path)
        Content of ``similarity.parquet`` and ``out_of_fold.parquet``, and where they lie.
    manifest : Manifest

    Raises
    ------
    InvalidBundle
        The table cannot be read, or holds places, means or loadings out of range; or the training
        distances are none; or the manifest says nothing of a table.
    """
    content, table_path = table
    said = manifest.raw.get("similarity")
    if not isinstance(said, dict):
        raise InvalidBundle(f"{table_path} is there, but the manifest has no entry 'similarity'")
    size, scale = said.get("components"), said.get("scale")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= MAX_COMPONENTS:
        raise InvalidBundle(
            f"{table_path}: the manifest gives it {str(size)[:40]} components, expected 1 to "
            f"{MAX_COMPONENTS}"
        )
    if isinstance(scale, bool) or not isinstance(scale, float | int) or not 0 < scale < 1e6:
        raise InvalidBundle(
            f"{table_path}: the manifest gives it the scale {str(scale)[:40]}, expected a number "
            "above 0"
        )
    loadings = [component_name(number) for number in range(1, size + 1)]
    columns = Columns(
        content,
        table_path,
        kinds={"snp": WHOLE, "mean": WHOLE, "variance": NUMBERS, **dict.fromkeys(loadings, WHOLE)},
    )
    read = SimilarityTable(
        snps=_whole(columns, ["snp"], table_path, 0, manifest.n_snps - 1)[:, 0],
        means=_whole(columns, ["mean"], table_path, 0, 2 * STEPS)[:, 0],
        variances=columns.matrix(["variance"])[:, 0],
        loadings=_whole(columns, loadings, table_path, -MAX_LOADING, MAX_LOADING),
        scale=float(scale),
    )
    if len(read.snps) > MAX_SNPS or (np.diff(read.snps) <= 0).any():
        raise InvalidBundle(
            f"{table_path}: expected at most {MAX_SNPS} SNPs in ascending order, each once"
        )
    most = (2 * STEPS) ** 2
    if not ((read.variances >= 1e-6) & (read.variances <= most)).all():
        raise InvalidBundle(f"{table_path}: column 'variance' holds numbers outside 1e-6 to {most}")
    training = Columns(
        *out_of_fold, kinds={"distance": NUMBERS}, optional=dict.fromkeys(_RATES, NUMBERS)
    )
    distances = training.numbers_or_nan("distance")
    known = np.sort(distances[~np.isnan(distances)])
    if not len(known) or not (np.isfinite(known).all() and known[0] >= 0):
        raise InvalidBundle(f"{out_of_fold[1]}: column 'distance' holds no distances")
    return Similarity(read, known, _rate_limits(training, out_of_fold[1]))


def _rate_limits(columns: Columns, path: Path) -> RateLimits | None:
    there = [columns.has(name) for name in _RATES]
    if not any(there):
        return None
    if not all(there):
        raise InvalidBundle(f"{path} has one of the columns {' and '.join(_RATES)}, expected both")
    heterozygosity, call_rate = (columns.numbers_or_nan(name) for name in _RATES)
    # With too little called a sample has no heterozygosity.
    known = heterozygosity[~(call_rate < MIN_CALLED)]
    for name, values in zip(_RATES, (known, call_rate), strict=True):
        if not len(values) or not ((values >= 0) & (values <= 1)).all():
            raise InvalidBundle(f"{path}: column '{name}' holds something else than shares, 0 to 1")
    return rate_limits(SampleRates(known, call_rate), UNLIKE_BEYOND)


def component_name(number: int) -> str:
    """Name of a component's column: ``pc_001``."""
    return f"pc_{number:03d}"


def _whole(columns: Columns, names: list[str], path: Path, lowest: int, highest: int) -> np.ndarray:
    values = columns.matrix(names)
    if not ((values >= lowest) & (values <= highest)).all():
        raise InvalidBundle(
            f"{path}: column '{names[0]}'{' or a later one' if len(names) > 1 else ''} holds "
            f"numbers outside {lowest} to {highest}"
        )
    return values.astype(np.int64)
