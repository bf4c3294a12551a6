"""Which variant of a file is which SNP of a model."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import numpy as np
import pyarrow as pa

from snpredict.arrow import index_in, take
from snpredict.bundle.tables import SnpTable
from snpredict.formulas.encoding import assumed_frequencies, unknown_in_training
from snpredict.genotypes.reader import Selection
from snpredict.genotypes.text_columns import integers, texts, whole_numbers
from snpredict.genotypes.variants import Variant, VariantColumns, Wanted
from snpredict.matching.alleles import ALLELES, Alleles, MatchRules, compare_all


class State(Enum):
    """What became of a SNP of the model; the value is what people read."""

    MATCHED = "matched"
    ABSENT = "not in the file"
    REFUSED = "alleles cannot be reconciled"
    DUPLICATE = "several variants fit"


T = TypeVar("T")

#: By the number that stands for one in an array; `FOUND_BY` likewise.
STATES = tuple(State)
FOUND_BY = ("", "id", "position")

_ABSENT, _REFUSED, _MATCHED, _DUPLICATE = map(
    STATES.index, (State.ABSENT, State.REFUSED, State.MATCHED, State.DUPLICATE)
)
_BY_ID, _BY_POSITION = map(FOUND_BY.index, ("id", "position"))
_SWAPPED = np.array([alleles.swapped for alleles in ALLELES])


@dataclass(frozen=True)
class Match:
    """What was found for every SNP of a model, in the model's order; arrays of (SNPs,).

    Attributes
    ----------
    state : ndarray of int8
        Places in `STATES`.
    by : ndarray of int8
        Places in `FOUND_BY`.
    variant : ndarray of int64
        Place of the variant in the file's candidates, of the first one where several fit or none
        does; −1 for an absent SNP.
    alleles : ndarray of int8
        Places in `ALLELES`, of that variant; −1 for an absent SNP.
    weights : ndarray of float64
        Share of each SNP in the model's effects; adds up to 1.
    """

    state: np.ndarray
    by: np.ndarray
    variant: np.ndarray
    alleles: np.ndarray
    weights: np.ndarray

    @property
    def selection(self) -> Selection:
        """What to read of the file."""
        return Selection(np.where(self.matched, self.variant, -1), self.recoded)

    @property
    def matched(self) -> np.ndarray:
        """Whether each SNP is read, (SNPs,) bool."""
        return self.state == _MATCHED

    @property
    def recoded(self) -> np.ndarray:
        """Whether each SNP is read, and the file counts the other allele: (SNPs,) bool."""
        return self.matched & _SWAPPED[self.alleles]

    @property
    def rate(self) -> float:
        """Match rate: share of the model's SNPs that are read."""
        return float(self.matched.mean())

    @property
    def weighted_rate(self) -> float:
        """Share of the model's effects that these SNPs carry; see `effect_weights`.

        Rounded, because sums in double precision are not exact to the last bit.
        """
        return round(float(self.weights[self.matched].sum()), 9)

    def by_what(self) -> Counter[str]:
        """How many SNPs were matched by ``"id"`` and by ``"position"``."""
        return _counted(self.by[self.matched], FOUND_BY)

    def used_alleles(self) -> Counter[Alleles]:
        """How the alleles of the matched SNPs relate."""
        return _counted(self.alleles[self.matched], ALLELES)

    def refused_alleles(self) -> Counter[Alleles]:
        """Why the alleles of the refused SNPs cannot be reconciled."""
        return _counted(self.alleles[self.state == _REFUSED], ALLELES)

    def count(self, state: State) -> int:
        """Number of SNPs in that state."""
        return int(np.count_nonzero(self.state == STATES.index(state)))


def _counted(numbers: np.ndarray, names: Sequence[T]) -> Counter[T]:
    """How often each occurs, in the order of first occurrences."""
    different, first, counts = np.unique(numbers, return_index=True, return_counts=True)
    in_order = np.argsort(first)
    return Counter({names[different[at]]: int(counts[at]) for at in in_order.tolist()})


def wanted_of(snps: SnpTable) -> Wanted:
    """What to look for in a file."""
    columns = snps.columns.combine_chunks()
    return Wanted(*(columns[name] for name in ("id", "chromosome", "position")))


def match_variants(
    snps: SnpTable,
    candidates: Iterable[Variant],
    *,
    weights: np.ndarray,
    rules: MatchRules | None = None,
) -> Match:
    """Find every SNP of a model among the variants of a file.

    A SNP is looked for by its id and, if the file has no variant of that id, by chromosome and
    position. Where several variants are found, such as the records of a site that was split, the
    one whose alleles fit is taken; if more than one fits, none is.

    Parameters
    ----------
    snps : SnpTable
    candidates : VariantColumns, or iterable of Variant
        All variants of the file that have the id or the place of one of `snps`.
    weights : ndarray (SNPs,) of float64
        See `effect_weights`.
    rules : MatchRules, optional
    """
    rules = rules or MatchRules()
    file = VariantColumns.of(candidates).table
    n_snps = len(snps)
    by_id, snp, variant = _found(snps, file)
    ours = take(snps.columns.select(["counted_allele", "other_allele"]), whole_numbers(snp))
    theirs = take(file.select(["counted", "other"]), whole_numbers(variant))
    alleles = compare_all(tuple(ours.columns), tuple(theirs.columns))
    fits = np.array([rules.allow(one) for one in ALLELES])[alleles]
    n_fitting = np.bincount(snp[fits], minlength=n_snps)
    first = np.searchsorted(snp, np.arange(n_snps))
    found = np.bincount(snp, minlength=n_snps) > 0
    # The first that fits, or the first; written backwards, so that the first one stays.
    chosen = np.where(found, first, -1)
    rows = np.flatnonzero(fits)[::-1]
    chosen[snp[rows]] = rows
    state = np.select(
        [~found, n_fitting > 1, n_fitting == 1], [_ABSENT, _DUPLICATE, _MATCHED], _REFUSED
    )
    return Match(
        state=state.astype(np.int8),
        by=np.select([~found, by_id], [0, _BY_ID], _BY_POSITION).astype(np.int8),
        variant=np.append(variant, -1)[chosen],
        alleles=np.append(alleles, np.int8(-1))[chosen],
        weights=weights,
    )


def _found(snps: SnpTable, file: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which SNPs are looked for by their ids, and the variants found for each, in file order.

    Returns
    -------
    by_id : ndarray (SNPs,) of bool
    snp, variant : ndarray (pairs,) of int64
        One pair per SNP and variant found for it; `snp` is in ascending order.
    """
    n_snps = len(snps)
    same_id = index_in(file["id"], texts(snps.columns["id"]))
    groups = _Groups(integers(same_id), np.arange(n_snps))
    by_id, sizes = groups.sizes > 0, groups.sizes
    snp = np.repeat(np.arange(n_snps), sizes)
    variant = groups.member(snp)
    if by_id.all():
        return by_id, snp, variant
    of_file = snps.places.of(file["chromosome"], file["position"])
    groups = _Groups(of_file, np.where(by_id, -1, snps.places.own))
    placed = np.repeat(np.arange(n_snps), groups.sizes)
    variant = np.concatenate([variant, groups.member(placed)])
    snp = np.concatenate([snp, placed])
    order = np.argsort(snp, kind="stable")
    return by_id, snp[order], variant[order]


class _Groups:
    """Members of a file that have the keys asked for; members of a key are in file order.

    Parameters
    ----------
    keys : ndarray (members,) of int64
        −1 for a member that nobody asks for.
    asked : ndarray (SNPs,) of int64
        −1 for a SNP without a key.
    """

    def __init__(self, keys: np.ndarray, asked: np.ndarray):
        self._order = np.argsort(keys, kind="stable")
        ascending = keys[self._order]
        self._first = np.searchsorted(ascending, asked, "left")
        self.sizes = np.searchsorted(ascending, asked, "right") - self._first
        self.sizes[asked < 0] = 0

    def member(self, snp: np.ndarray) -> np.ndarray:
        """The members of all SNPs' groups, given every SNP as often as its group has members."""
        within = np.arange(len(snp)) - (np.cumsum(self.sizes) - self.sizes)[snp]
        return self._order[self._first[snp] + within]


def effect_weights(
    frequencies: np.ndarray, effects: np.ndarray | None, saliency: np.ndarray | None
) -> np.ndarray:
    """Share of each SNP in a model's effects.

    The mean absolute effect of a SNP's genotypes over the training set,
    ``Σ_c frequency[j, c] · |effect[j, c]|``, divided by the sum over all SNPs; the saliency
    takes its place where a model has no fused ensemble, and so no effects. Where it has neither,
    all SNPs have the same share. Of a SNP whose genotypes are all unknown in training, as in a
    score without frequencies, both alleles are taken for equally common.

    Parameters
    ----------
    frequencies : ndarray (SNPs, 4)
        Channel order.
    effects : ndarray (SNPs, 4) or None
    saliency : ndarray (SNPs,) or None

    Returns
    -------
    ndarray (SNPs,) of float64, adds up to 1
    """
    if effects is not None:
        sizes = (frequencies * np.abs(effects)).sum(axis=1)
        unseen = unknown_in_training(frequencies)
        assumed = assumed_frequencies(frequencies[unseen])
        average = (assumed * effects[unseen]).sum(axis=1, keepdims=True)
        sizes[unseen] = (assumed * np.abs(effects[unseen] - average)).sum(axis=1)
    else:
        sizes = np.zeros(len(frequencies)) if saliency is None else np.abs(saliency)
    total = sizes.sum()
    return sizes / total if total > 0 else np.full(len(sizes), 1 / len(sizes))
