"""The tables of a bundle's SNPs: what each holds, how it is written, and how it is read.

A column's name stands here once. The tables of samples are in `snpredict.bundle.out_of_fold` and
`snpredict.bundle.similarity_table`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from snpredict.arrow import call, take
from snpredict.bundle.manifest import SNPS
from snpredict.bundle.parquet_columns import NUMBERS, TEXT, WHOLE, Columns
from snpredict.choices import ATTRIBUTIONS
from snpredict.errors import InvalidBundle
from snpredict.formulas.effects import PERCENTILES, average_effects
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING, assumed_frequencies, channel_weights
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import ScoreFunction
from snpredict.genotypes.chromosomes import ChromosomeNames
from snpredict.genotypes.text_columns import texts, whole_numbers
from snpredict.genotypes.variants import Places

#: SNPs whose effects are computed at a time.
_SNPS_AT_ONCE = 1 << 16

#: Of `SaliencyTable.attributions`.
_ATTRIBUTION_COLUMNS = {name: f"attribution_{name.replace('-', '_')}" for name in ATTRIBUTIONS}

#: Texts of a SNP that need not be known; attributes of `SnpTable` have the same names.
_TEXTS = ("chromosome", "counted_allele", "other_allele")

#: Per channel, the ending of a table's columns that hold one number per genotype.
_CODE_SUFFIXES = tuple("missing" if code == MISSING else str(code) for code in CHANNEL_CODES)
_FREQUENCY_COLUMNS = [f"freq_{suffix}" for suffix in _CODE_SUFFIXES]
_EFFECT_COLUMNS = [f"effect_{suffix}" for suffix in _CODE_SUFFIXES]
_RANGE_COLUMNS = [
    [f"{column}_p{percentile:02d}" for column in _EFFECT_COLUMNS] for percentile in PERCENTILES
]


@dataclass(frozen=True)
class SnpTable:
    """``snps.parquet``: a model's SNPs, in the order of its input.

    What few SNPs are asked for has an attribute as a tuple; what is done for all is done with the
    columns.

    Attributes
    ----------
    columns : Table
        One row per SNP: ``id``, ``chromosome``, ``position``, ``counted_allele``,
        ``other_allele``.
    frequencies : ndarray (SNPs, 4) of float64
        Share of each channel in the training set, channel order; rows add up to 1.
    """

    columns: pa.Table
    frequencies: np.ndarray

    @staticmethod
    def of(
        ids: Iterable[str] | pa.Array,
        chromosome: Iterable[str | None] | pa.Array,
        position: Iterable[int | None] | pa.Array,
        counted_allele: Iterable[str | None] | pa.Array,
        other_allele: Iterable[str | None] | pa.Array,
        frequencies: np.ndarray,
    ) -> "SnpTable":
        """A table of these columns, all of the same length."""
        columns = {
            "id": texts(ids),
            "chromosome": texts(chromosome),
            "position": whole_numbers(position),
            "counted_allele": texts(counted_allele),
            "other_allele": texts(other_allele),
        }
        return SnpTable(pa.table(columns), frequencies)

    def rows(self, which: np.ndarray) -> "SnpTable":
        """Those SNPs, by their places, in that order."""
        return SnpTable(take(self.columns, whole_numbers(which)), self.frequencies[which])

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Unique."""
        return self._tuple("id")

    @cached_property
    def chromosome(self) -> tuple[str | None, ...]:
        """None where it is not known, as the further ones."""
        return self._tuple("chromosome")

    @cached_property
    def position(self) -> tuple[int | None, ...]:
        """Base pairs on the chromosome."""
        return self._tuple("position")

    @cached_property
    def counted_allele(self) -> tuple[str | None, ...]:
        """A genotype code counts copies of it."""
        return self._tuple("counted_allele")

    @cached_property
    def other_allele(self) -> tuple[str | None, ...]:
        """The other one."""
        return self._tuple("other_allele")

    def _tuple(self, column: str) -> tuple:
        return tuple(self.columns[column].to_pylist())

    @cached_property
    def places(self) -> Places:
        """Where the SNPs are, to tell whether a place of a file is that of one."""
        columns = (self.columns[name].combine_chunks() for name in ("chromosome", "position"))
        return Places(*columns)

    @property
    def chromosome_names(self) -> ChromosomeNames:
        """What the model calls its chromosomes, to tell whether another name means one."""
        return self.places.names

    def to_arrow(self) -> pa.Table:
        """The columns of the file."""
        return pa.table(
            {
                **{name: self.columns[name] for name in ("id", "position", *_TEXTS)},
                **dict(zip(_FREQUENCY_COLUMNS, self.frequencies.T, strict=True)),
            }
        )

    @staticmethod
    def read(content: bytes, path: Path, n_snps: int) -> "SnpTable":
        """The table of a bundle; InvalidBundle where it is not one of that many SNPs."""
        columns = Columns(
            content,
            path,
            kinds={
                **dict.fromkeys(("id", *_TEXTS), TEXT),
                "position": WHOLE,
                **dict.fromkeys(_FREQUENCY_COLUMNS, NUMBERS),
            },
            n_rows=n_snps,
        )
        ids = columns.text_column("id", nullable=False)
        if len(call("unique", ids)) < len(ids):
            raise InvalidBundle(f"{path} holds a SNP id more than once")
        frequencies = columns.matrix(_FREQUENCY_COLUMNS)
        in_range = ((frequencies >= 0) & (frequencies <= 1)).all()
        if not in_range or not np.allclose(frequencies.sum(axis=1), 1, atol=1e-3):
            raise InvalidBundle(f"{path}: the genotype frequencies of a SNP do not add up to 1")
        return SnpTable.of(
            ids=ids,
            position=columns.integer_column("position"),
            frequencies=frequencies,
            **{name: columns.text_column(name) for name in _TEXTS},
        )


def _check_ids(
    columns: Columns, path: Path, ids: Sequence[str] | pa.Array | pa.ChunkedArray
) -> None:
    if not columns.text_column("id", nullable=False).equals(texts(ids)):
        raise InvalidBundle(f"{path} does not hold the SNPs of {SNPS} in their order")


@dataclass(frozen=True)
class SaliencyTable:
    """``saliency.parquet``: how strongly predictions move with each SNP, in the model's SNP order.

    Attributes
    ----------
    saliency, centered : ndarray (SNPs,) of float64
        Mean over all test samples of all folds, plain and centred; SDs of the trait.
    per_fold : ndarray (SNPs, folds) of float64
        Mean saliency over the test samples of each fold.
    effects : ndarray (SNPs, 4) of float64, or None
        Signed effect of each genotype in trait units, in the average line; channel order. None
        where the network cannot be fused.
    effect_ranges : ndarray (SNPs, 4, 2) of float64, or None
        5th and 95th percentile of each effect over training lines. None in older bundles.
    attributions : mapping of str to ndarray (SNPs,) of float64
        By the method's name (`snpredict.choices.ATTRIBUTIONS`): mean absolute contribution over
        all test samples. Those that the training was asked for.
    """

    saliency: np.ndarray
    centered: np.ndarray
    per_fold: np.ndarray
    effects: np.ndarray | None
    effect_ranges: np.ndarray | None = None
    attributions: Mapping[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def rank(self) -> np.ndarray:
        """By `saliency`, 1 = largest; equal ones in the model's order. (SNPs,) int64."""
        rank = np.empty(len(self.saliency), np.int64)
        rank[np.argsort(-self.saliency, kind="stable")] = np.arange(1, len(rank) + 1)
        return rank

    @cached_property
    def percentile(self) -> np.ndarray:
        """Percentage of the SNPs of this rank or a later one, (SNPs,) float64."""
        n_snps = len(self.rank)
        return 100.0 * (n_snps - self.rank + 1) / n_snps

    def to_arrow(
        self, ids: Sequence[str] | pa.Array | pa.ChunkedArray, folds: Sequence[str]
    ) -> pa.Table:
        """The columns of the file, given the names of the SNPs and of the folds."""
        columns = {
            "id": texts(ids),
            "saliency": self.saliency,
            "rank": self.rank,
            "percentile": self.percentile,
            "centered_saliency": self.centered,
            **dict(zip(folds, self.per_fold.T.astype(np.float32), strict=True)),
        }
        if self.effects is not None:
            columns |= zip(_EFFECT_COLUMNS, self.effects.T.astype(np.float32), strict=True)
        if self.effect_ranges is not None:
            ranges = self.effect_ranges.astype(np.float32)
            for at, names in enumerate(_RANGE_COLUMNS):
                columns |= zip(names, ranges[:, :, at].T, strict=True)
        columns |= {
            _ATTRIBUTION_COLUMNS[method]: values.astype(np.float32)
            for method, values in self.attributions.items()
        }
        return pa.table(columns)

    @staticmethod
    def read(
        content: bytes,
        path: Path,
        ids: Sequence[str] | pa.Array | pa.ChunkedArray,
        folds: Sequence[str],
        trait: TraitScale | None,
    ) -> "SaliencyTable":
        """The table of a bundle; InvalidBundle where it is not one of these SNPs.

        Parameters
        ----------
        content : bytes
        path : Path
        ids, folds : sequence of str
            Names of the model's SNPs and folds.
        trait : TraitScale or None
            Bounds the effects of a fused ensemble; None for a network without effects.
        """
        effects = _EFFECT_COLUMNS if trait is not None else []
        # One of them, and all have to be there.
        ranges = [name for names in _RANGE_COLUMNS for name in names] if effects else []
        numbers = ["saliency", "centered_saliency", "rank", "percentile", *folds, *effects]
        columns = Columns(
            content,
            path,
            kinds={"id": TEXT, **dict.fromkeys(numbers, NUMBERS)},
            optional=dict.fromkeys([*ranges, *_ATTRIBUTION_COLUMNS.values()], NUMBERS),
            n_rows=len(ids),
        )
        _check_ids(columns, path, ids)
        table = SaliencyTable(
            saliency=columns.matrix(["saliency"])[:, 0],
            centered=columns.matrix(["centered_saliency"])[:, 0],
            per_fold=columns.matrix(folds),
            effects=columns.matrix(effects) if effects else None,
            effect_ranges=_effect_ranges(columns, path, trait) if trait is not None else None,
            attributions={
                method: columns.matrix([name])[:, 0]
                for method, name in _ATTRIBUTION_COLUMNS.items()
                if columns.has(name)
            },
        )
        rank, percentile = columns.matrix(["rank", "percentile"]).T
        _check_saliency(table, rank, percentile, path)
        return table


def _effect_ranges(columns: Columns, path: Path, trait: TraitScale) -> np.ndarray | None:
    if not columns.has_all([name for names in _RANGE_COLUMNS for name in names]):
        return None
    ranges = np.stack([columns.matrix(names) for names in _RANGE_COLUMNS], axis=2)
    limit = trait.largest_difference()
    largest = float(np.abs(ranges).max())
    if largest > limit * (1 + 1e-6):
        raise InvalidBundle(
            f"{path}: found an effect of {largest:.6g} among the percentiles, expected at most "
            f"{limit:.6g}, as two predictions of the model lie no further apart"
        )
    if (ranges[:, :, 0] > ranges[:, :, 1]).any():
        raise InvalidBundle(f"{path}: a 5th percentile of effects is above the 95th")
    return ranges


def _check_saliency(
    table: SaliencyTable, rank: np.ndarray, percentile: np.ndarray, path: Path
) -> None:
    """Refuse figures that contradict each other; that they are of this model cannot be told."""
    if not np.array_equal(np.sort(rank), np.arange(1, len(rank) + 1)):
        raise InvalidBundle(f"{path}: the ranks are not 1 to {len(rank)}, each once")
    if not np.array_equal(rank, table.rank):
        raise InvalidBundle(f"{path}: the ranks are not in the order of the saliency")
    if not np.allclose(percentile, table.percentile, atol=1e-6):
        raise InvalidBundle(f"{path}: the percentiles are not those of the ranks")
    if min(table.saliency.min(), table.centered.min(), table.per_fold.min()) < 0:
        raise InvalidBundle(f"{path}: found a negative saliency, expected 0 or more")
    if any(values.min() < 0 for values in table.attributions.values()):
        raise InvalidBundle(f"{path}: found a negative attribution, expected 0 or more")
    # The folds' means are stored in single precision.
    margin = 1e-5 * table.per_fold.max(axis=1)
    below = table.saliency < table.per_fold.min(axis=1) - margin
    if (below | (table.saliency > table.per_fold.max(axis=1) + margin)).any():
        raise InvalidBundle(f"{path}: a saliency is not a mean of those of its folds")


@dataclass(frozen=True)
class EffectTable:
    """``effects.parquet`` of a linear bundle: the score in the model's SNP order.

    Attributes
    ----------
    effects : ndarray (SNPs,) of float64
        Of one more copy of the counted allele.
    means : ndarray (SNPs,) of float64
        Mean code, 0 to 2: a missing genotype counts as it.
    """

    effects: np.ndarray
    means: np.ndarray

    def function(self, intercept: float) -> ScoreFunction:
        """``intercept + Σ_j effect_j (x_j − mean_j)``."""
        return ScoreFunction(
            channel_weights(self.effects, self.means)[:, :, None], np.array([intercept])
        )

    def saliency(
        self, intercept: float, trait: TraitScale, frequencies: np.ndarray
    ) -> SaliencyTable:
        """What a network's table holds of this score, in the average line.

        The gradient is the same in every line, but for the slope of the link.

        Parameters
        ----------
        intercept : float
        trait : TraitScale
        frequencies : ndarray (SNPs, 4)
            Of the training set, channel order.
        """
        function = self.function(intercept)
        slope = trait.link.slope(function.reference(frequencies))
        n_snps = len(self.effects)
        largest, centered = np.empty(n_snps), np.empty(n_snps)
        effects = np.empty((n_snps, len(CHANNEL_CODES)))
        # Part by part: of a million SNPs each of these arrays takes 32 MB.
        for start in range(0, n_snps, _SNPS_AT_ONCE):
            part = slice(start, start + _SNPS_AT_ONCE)
            gradient = function.weights[part, :, 0] * slope
            occurs = assumed_frequencies(frequencies[part]) > 0
            mean = (gradient * occurs).sum(axis=1) / occurs.sum(axis=1)
            largest[part] = np.abs(gradient).max(axis=1)
            centered[part] = np.where(occurs, np.abs(gradient - mean[:, None]), 0).max(axis=1)
            places = np.arange(n_snps)[part]
            effects[part] = average_effects(function, trait, frequencies, places)
        return SaliencyTable(largest, centered, largest[:, None], effects)

    def to_arrow(self, ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> pa.Table:
        """The columns of the file, given the names of the SNPs."""
        return pa.table({"id": texts(ids), "effect": self.effects, "mean": self.means})

    @staticmethod
    def read(
        content: bytes, path: Path, ids: Sequence[str] | pa.Array | pa.ChunkedArray
    ) -> "EffectTable":
        """The table of a bundle; InvalidBundle where it is not one of these SNPs."""
        kinds = {"id": TEXT, "effect": NUMBERS, "mean": NUMBERS}
        columns = Columns(content, path, kinds=kinds, n_rows=len(ids))
        _check_ids(columns, path, ids)
        effects, means = columns.matrix(["effect", "mean"]).T
        if not ((means >= 0) & (means <= 2)).all():
            raise InvalidBundle(f"{path}: column 'mean' holds mean codes outside 0 to 2")
        return EffectTable(effects.copy(), means.copy())
