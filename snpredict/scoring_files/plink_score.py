"""Score files of ``plink2 --score``: a variant's id, an allele and its weight per line."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snpredict.bundle.entries import ScoringFile
from snpredict.errors import BadWeights, NotATable, UsageError
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.text_columns import integers, texts, whole_numbers
from snpredict.names import did_you_mean, listed
from snpredict.scoring_files.score_table import read_score_table
from snpredict.scoring_files.weights import Weights, bad_alleles, check_unique

#: As ``plink2 --score FILE`` has it.
COLUMNS = ("1", "2", "3")

_KEEP = ("id", "allele", "weight")


def read_plink_score(
    source: TextSource, comments: Sequence[str], number: int, line: str, columns: Sequence[str] = ()
) -> Weights:
    """The weights of such a file.

    Parameters
    ----------
    source : TextSource
    comments : sequence of str
        Lines at the beginning that begin with #; the last of them is the header.
    number : int
        Line of the first other one.
    line : str
        Its text. Without `comments` it is the header where its weight is not a number.
    columns : sequence of str, optional
        Of the variants' ids, the alleles and the weights, by number from 1 or by name.

    Raises
    ------
    As `snpredict.scoring_files.read.read_weights`.
    """
    columns = columns or COLUMNS
    header = comments[-1].split() if comments else line.split()
    by_number = all(column.isdigit() for column in columns)
    first = number if comments else number + 1
    if not comments and by_number and _is_number(header, int(columns[2]) - 1):
        first = number
    where = f"{source.path}, line {first - 1 if first > number or comments else number}"
    places = [_place(column, header, where) for column in columns]
    n_columns = len(line.split())
    if max(places) >= n_columns:
        raise NotATable(
            f"{where}: found {n_columns} columns, expected at least {max(places) + 1}: an id, an "
            "allele and a weight",
            "--columns ID,ALLELE,WEIGHT names them, by number or by name",
        )
    table = read_score_table(
        source, first, n_columns, dict(zip(_KEEP, places, strict=True)), any_spaces=True
    )
    ids, allele = table.column("id"), pc.utf8_upper(texts(table.columns["allele"]))
    if ids.null_count:
        row = int(np.flatnonzero(integers(pc.is_null(ids)))[0])
        raise BadWeights(f"{table.line(row)}: found a variant without an id, expected one")
    bad_alleles(table, allele, "allele", r"^([A-Z]+|[0-9]+|[*-])$")
    nothing = pa.nulls(len(table), pa.string())
    check_unique(table, ids, nothing, (allele, nothing))
    return Weights(
        id=ids,
        chromosome=nothing,
        position=whole_numbers(np.zeros(len(table), np.int64), np.zeros(len(table), bool)),
        effect_allele=allele,
        other_allele=nothing,
        weight=table.numbers("weight", needed=True),
        frequency=np.full(len(table), np.nan),
        about=ScoringFile(
            file="",
            sha256="",
            format="plink2",
            without_other_allele=len(table),
            without_place=len(table),
        ),
    )


def _is_number(cells: Sequence[str], at: int) -> bool:
    try:
        float(cells[at])
    except (ValueError, IndexError):
        return False
    return True


def _place(column: str, header: Sequence[str], where: str) -> int:
    if column.isdigit():
        if int(column) == 0:
            raise UsageError("--columns counts from 1, found 0", "for example --columns 1,2,3")
        return int(column) - 1
    names = [name.lstrip("#") for name in header]
    if names.count(column.lstrip("#")) != 1:
        raise NotATable(
            f"{where}: found the columns {listed(names, 10)}, expected one called {column!r}",
            did_you_mean(column, names) or "--columns takes numbers from 1, too",
        )
    return names.index(column.lstrip("#"))
