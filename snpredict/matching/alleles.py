"""How the alleles of a file's variant relate to those of a model's SNP.

Pure functions of what the model and the file say about themselves. Allele frequencies play no
part, neither the file's nor the training set's: a file with one sample is matched as a cohort is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pyarrow as pa

from snpredict.choices import AMBIGUOUS, STRANDS
from snpredict.genotypes.text_columns import numbered

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


#: By the number that stands for one in an array.
ALLELES = tuple(Alleles)


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


def compare_all(
    model: tuple[pa.ChunkedArray, pa.ChunkedArray], file: tuple[pa.ChunkedArray, pa.ChunkedArray]
) -> np.ndarray:
    """`compare_alleles` row by row.

    Parameters
    ----------
    model, file : (ChunkedArray, ChunkedArray) of texts
        Counted and other alleles; all of the same length.

    Returns
    -------
    ndarray (rows,) of int8
        Places in `ALLELES`.
    """
    (of_model, model_pairs), (of_file, file_pairs) = _pairs(*model), _pairs(*file)
    different, rows = np.unique(of_model * len(file_pairs) + of_file, return_inverse=True)
    # Few different ones: a million SNPs have some dozens.
    outcomes = []
    for number in different.tolist():
        (counted, other), (file_counted, file_other) = (
            model_pairs[number // len(file_pairs)],
            file_pairs[number % len(file_pairs)],
        )
        found = compare_alleles(
            counted=counted, other=other, file_counted=file_counted, file_other=file_other
        )
        outcomes.append(ALLELES.index(found))
    return np.array(outcomes, np.int8)[rows]


def _pairs(
    one: pa.ChunkedArray, two: pa.ChunkedArray
) -> tuple[np.ndarray, list[tuple[str | None, str | None]]]:
    """Each row's pair of texts as a number, and the different pairs."""
    (first, ones), (second, twos) = numbered(one), numbered(two)
    different, rows = np.unique((first + 1) * (len(twos) + 1) + second + 1, return_inverse=True)
    ones_or_none, twos_or_none = [None, *ones], [None, *twos]
    pairs = [
        (ones_or_none[number // (len(twos) + 1)], twos_or_none[number % (len(twos) + 1)])
        for number in different.tolist()
    ]
    return rows, pairs
