"""One weight per variant: what every scoring file comes down to."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snpredict.bundle.entries import ScoringFile
from snpredict.errors import BadWeights
from snpredict.genotypes.text_columns import alike, integers, numbered, texts
from snpredict.scoring_files.score_table import ScoreTable

#: Variants of one name or place, which are compared with each other.
_MAX_OF_A_SITE = 100


@dataclass(frozen=True)
class Weights:
    """The variants of a scoring file, in its order.

    Attributes
    ----------
    id, chromosome, effect_allele, other_allele : Array of texts
        Gaps for what the file does not say; ids are there and unique.
    position : Array of int64
    weight : ndarray (variants,) of float64
        Per copy of the effect allele.
    frequency : ndarray (variants,) of float64
        Of the effect allele; NaN where the file does not say it.
    about : ScoringFile
    name, trait : str or None
        As the file calls the score and what it predicts.
    citation : str or None
    """

    id: pa.Array
    chromosome: pa.Array
    position: pa.Array
    effect_allele: pa.Array
    other_allele: pa.Array
    weight: np.ndarray
    frequency: np.ndarray
    about: ScoringFile
    name: str | None = None
    trait: str | None = None
    citation: str | None = None


def bad_alleles(table: ScoreTable, column: pa.Array, name: str, pattern: str) -> None:
    """Refuse alleles that do not look like `pattern`, with the line of the first.

    Raises
    ------
    BadWeights
    """
    rows, words = numbered(column)
    fits = integers(pc.match_substring_regex(texts(words), pattern)) > 0
    wrong = np.flatnonzero(~np.append(fits, True)[rows])
    if len(wrong):
        row = int(wrong[0])
        raise BadWeights(
            f"{table.line(row)}, column {name!r}: found {column[row].as_py()!r}, expected the "
            "bases of one allele"
        )


def check_unique(
    table: ScoreTable, ids: pa.Array, places: pa.Array, alleles: tuple[pa.Array, pa.Array]
) -> list[str] | None:
    """Refuse a variant that is there twice; others of one name are told apart.

    Two rows are one variant where their name or their place is the same and their alleles may be.

    Parameters
    ----------
    table : ScoreTable
    ids, places : Array of texts
        Gaps for what is not known.
    alleles : (Array, Array)
        Effect and other allele.

    Returns
    -------
    list of str or None
        Ids that are unique: of several variants of one name, all but the first have their alleles
        behind it. None where the ids are unique as they are.

    Raises
    ------
    BadWeights
    """
    for keys in (ids, places):
        for rows in _repeated(keys):
            _check_alleles(table, keys, rows, alleles)
    repeated = [row for rows in _repeated(ids) for row in rows[1:]]
    if not repeated:
        return None
    unique = ids.to_pylist()
    for row in repeated:
        effect, other = (column[row].as_py() for column in alleles)
        unique[row] = f"{unique[row]}:{effect}:{other or '?'}"
    return unique


def _repeated(keys: pa.Array) -> Iterable[list[int]]:
    """Rows of every key that occurs more than once, in their order."""
    numbers = alike(keys)
    counts = np.bincount(numbers[numbers >= 0])
    several = np.flatnonzero(np.append(counts, 0)[numbers] > 1)
    in_groups = several[np.argsort(numbers[several], kind="stable")]
    cuts = np.flatnonzero(np.diff(numbers[in_groups])) + 1
    return (group.tolist() for group in np.split(in_groups, cuts) if len(group))


def _check_alleles(
    table: ScoreTable, keys: pa.Array, rows: list[int], alleles: tuple[pa.Array, pa.Array]
) -> None:
    if len(rows) > _MAX_OF_A_SITE:
        raise BadWeights(
            f"{table.line(rows[0])}: {keys[rows[0]].as_py()} is there {len(rows):,} times, "
            f"expected at most {_MAX_OF_A_SITE} alleles of a site"
        )
    seen: dict[frozenset[str], int] = {}
    for row in rows:
        effect, other = (column[row].as_py() for column in alleles)
        pair = frozenset({effect, other} - {None})
        for earlier, at in seen.items():
            # A and C, the other alleles unknown, may be the two of one variant.
            if pair <= earlier or earlier <= pair or len(pair) == len(earlier) == 1:
                raise BadWeights(
                    f"{table.line(row)}: {keys[row].as_py()} is there twice, first in line "
                    f"{table.first_line + at}",
                    "one variant has one weight; remove one of the lines",
                )
        seen[pair] = row
