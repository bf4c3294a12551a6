"""Which variant of a file is which SNP of a model, and which allele its genotypes count.

Pure functions of what the model and the file say about themselves. Allele frequencies play no
part, neither the file's nor the training set's: a file with one sample is matched as a cohort is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from snpredict.bundle.tables import SnpTable
from snpredict.choices import AMBIGUOUS, STRANDS
from snpredict.genotypes.reader import Selection
from snpredict.genotypes.variants import Variant, Wanted

_COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}


class Alleles(Enum):
    """How the alleles of a file's variant relate to those of a model's SNP.

    The value is what people read.
    """

    SAME = "same"
    SWAPPED = "swapped"
    FLIPPED = "other strand"
    FLIPPED_SWAPPED = "other strand and swapped"
    AMBIGUOUS = "A/T or C/G in the model's order"
    AMBIGUOUS_SWAPPED = "A/T or C/G in the other order"
    MISMATCHING = "other alleles"
    NOT_IN_FILE = "no alleles in the file"
    NOT_IN_MODEL = "no alleles in the model"

    @property
    def swapped(self) -> bool:
        """Whether the file counts the model's other allele."""
        return self in (Alleles.SWAPPED, Alleles.FLIPPED_SWAPPED, Alleles.AMBIGUOUS_SWAPPED)


class State(Enum):
    """What became of a SNP of the model; the value is what people read."""

    MATCHED = "matched"
    ABSENT = "not in the file"
    REFUSED = "alleles cannot be reconciled"
    DUPLICATE = "several variants fit"


@dataclass(frozen=True)
class MatchRules:
    """What a person decides.

    Attributes
    ----------
    strand : {"flip", "strict"}
        Whether a variant on the other strand is recoded or refused.
    ambiguous : {"order", "keep", "drop"}
        A/T and C/G SNPs, which look alike on both strands: kept when the file has the alleles in
        the model's order; or always, as on the model's strand; or never.
    """

    strand: str = STRANDS[0]
    ambiguous: str = AMBIGUOUS[0]

    def allow(self, alleles: Alleles) -> bool:
        """Whether a variant with such alleles is used."""
        match alleles:
            case Alleles.SAME | Alleles.SWAPPED | Alleles.NOT_IN_FILE:
                return True
            case Alleles.FLIPPED | Alleles.FLIPPED_SWAPPED:
                return self.strand == "flip"
            case Alleles.AMBIGUOUS:
                return self.ambiguous != "drop"
            case Alleles.AMBIGUOUS_SWAPPED:
                return self.ambiguous == "keep"
            case _:
                return False


@dataclass(frozen=True)
class SnpMatch:
    """What was found for one SNP of the model.

    Attributes
    ----------
    state : State
    by : str
        ``"id"`` or ``"position"``; empty for an absent SNP.
    variant : int
        Place of the variant in the file's candidates, of the first one where several fit or none
        does; −1 for an absent SNP.
    alleles : Alleles or None
        Of that variant.
    """

    state: State
    by: str = ""
    variant: int = -1
    alleles: Alleles | None = None


@dataclass(frozen=True)
class Match:
    """What was found for every SNP of a model, in the model's order.

    Attributes
    ----------
    snps : list of SnpMatch
    weights : ndarray (SNPs,) of float64
        Share of each SNP in the model's effects; adds up to 1.
    """

    snps: list[SnpMatch]
    weights: np.ndarray

    @property
    def selection(self) -> Selection:
        """What to read of the file."""
        used = [snp if snp.state is State.MATCHED else None for snp in self.snps]
        return Selection(
            np.array([-1 if snp is None else snp.variant for snp in used], np.int64),
            np.array([bool(snp and snp.alleles and snp.alleles.swapped) for snp in used], bool),
        )

    @property
    def matched(self) -> np.ndarray:
        """Whether each SNP is read, (SNPs,) bool."""
        return np.array([snp.state is State.MATCHED for snp in self.snps], bool)

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

    def by(self) -> Counter[str]:
        """How many SNPs were matched by ``"id"`` and by ``"position"``."""
        return Counter(snp.by for snp in self.snps if snp.state is State.MATCHED)

    def used_alleles(self) -> Counter[Alleles]:
        """How the alleles of the matched SNPs relate."""
        return Counter(
            snp.alleles for snp in self.snps if snp.state is State.MATCHED and snp.alleles
        )

    def refused_alleles(self) -> Counter[Alleles]:
        """Why the alleles of the refused SNPs cannot be reconciled."""
        return Counter(
            snp.alleles for snp in self.snps if snp.state is State.REFUSED and snp.alleles
        )

    def count(self, state: State) -> int:
        """Number of SNPs in that state."""
        return sum(snp.state is state for snp in self.snps)


def wanted_of(snps: SnpTable) -> Wanted:
    """What to look for in a file."""
    return Wanted(snps.ids, snps.chromosome, snps.position)


def compare_alleles(
    *, counted: str | None, other: str | None, file_counted: str | None, file_other: str | None
) -> Alleles:
    """How a variant's alleles relate to those of a SNP.

    Parameters
    ----------
    counted, other : str or None
        Of the model's SNP; None where the model does not know. One None where it was trained on
        a .raw, whose columns name the counted allele only.
    file_counted, file_other : str or None
        Of the file's variant. Both None in a file of bare codes; one None where no sample of the
        file has that allele, so that it has no name.

    Notes
    -----
    Alleles are compared without case. Only single bases have another strand: an insertion is
    written against the reference sequence. Where each side names one allele, the other strand
    cannot be told from the other allele, and only the same letter fits.
    """
    if file_counted is None and file_other is None:
        return Alleles.NOT_IN_FILE
    if counted is None and other is None:
        return Alleles.NOT_IN_MODEL
    model = tuple(allele and allele.upper() for allele in (counted, other))
    file = tuple(allele and allele.upper() for allele in (file_counted, file_other))
    same, swapped = _agree(model, file), _agree(model[::-1], file)
    if any(a is not None and b == _COMPLEMENT.get(a) for a, b in (model, file)):
        # The other strand shows the same two letters.
        match (same, swapped):
            case (True, _):
                return Alleles.AMBIGUOUS
            case (_, True):
                return Alleles.AMBIGUOUS_SWAPPED
        return Alleles.MISMATCHING
    if same:
        return Alleles.SAME
    if swapped:
        return Alleles.SWAPPED
    if None in model and None in file:
        return Alleles.MISMATCHING
    flipped = tuple(allele and _COMPLEMENT.get(allele, "?") for allele in file)
    if _agree(model, flipped):
        return Alleles.FLIPPED
    if _agree(model[::-1], flipped):
        return Alleles.FLIPPED_SWAPPED
    return Alleles.MISMATCHING


def _agree(model: Sequence[str | None], file: Sequence[str | None]) -> bool:
    """Whether no allele contradicts another, and one that both sides name is the same."""
    named = [pair for pair in zip(model, file, strict=True) if None not in pair]
    return bool(named) and all(here == there for here, there in named)


def match_variants(
    snps: SnpTable,
    candidates: Sequence[Variant],
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
    candidates : sequence of Variant
        All variants of the file that have the id or the place of one of `snps`.
    weights : ndarray (SNPs,) of float64
        See `effect_weights`.
    rules : MatchRules, optional
    """
    rules = rules or MatchRules()
    by_id: dict[str | None, list[int]] = {}
    by_place: dict[tuple[str, int], list[int]] = {}
    key = snps.chromosome_names.key
    for at, variant in enumerate(candidates):
        if variant.id is not None:
            by_id.setdefault(variant.id, []).append(at)
        if variant.chromosome is not None and variant.position is not None:
            by_place.setdefault((key(variant.chromosome), variant.position), []).append(at)

    def find(at: int) -> SnpMatch:
        found, by = by_id.get(snps.ids[at]), "id"
        chromosome, position = snps.chromosome[at], snps.position[at]
        if not found and chromosome is not None and position is not None:
            found, by = by_place.get((key(chromosome), position)), "position"
        if not found:
            return SnpMatch(State.ABSENT)
        compared = [
            (
                variant,
                compare_alleles(
                    counted=snps.counted_allele[at],
                    other=snps.other_allele[at],
                    file_counted=candidates[variant].counted,
                    file_other=candidates[variant].other,
                ),
            )
            for variant in found
        ]
        fitting = [pair for pair in compared if rules.allow(pair[1])]
        if len(fitting) > 1:
            return SnpMatch(State.DUPLICATE, by, *fitting[0])
        if fitting:
            return SnpMatch(State.MATCHED, by, *fitting[0])
        return SnpMatch(State.REFUSED, by, *compared[0])

    return Match([find(at) for at in range(len(snps))], weights)


def effect_weights(
    frequencies: np.ndarray, effects: np.ndarray | None, saliency: np.ndarray | None
) -> np.ndarray:
    """Share of each SNP in a model's effects.

    The mean absolute effect of a SNP's genotypes over the training set,
    ``Σ_c frequency[j, c] · |effect[j, c]|``, divided by the sum over all SNPs; the saliency
    takes its place where a model has no fused ensemble, and so no effects. Where it has neither,
    all SNPs have the same share.

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
    else:
        sizes = np.zeros(len(frequencies)) if saliency is None else np.abs(saliency)
    total = sizes.sum()
    return sizes / total if total > 0 else np.full(len(sizes), 1 / len(sizes))
