"""Columns of a genotype table by their names, and the one that holds the sample ids."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from snpredict.errors import NoSampleColumn
from snpredict.names import quoted

#: Names of the sample id column, the first that the header holds wins. All names here are
#: compared as `plain` makes them.
ID_COLUMNS = (
    "sample",
    "sample_id",
    "sampleid",
    "sample_name",
    "samples",
    "iid",
    "id",
    "line",
    "line_id",
    "lines",
    "accession",
    "accession_id",
    "genotype",
    "genotype_id",
    "taxa",
    "taxon",
    "individual",
    "individual_id",
    "name",
    "strain",
    "entry",
)

_SAY_ID_COLUMN = "name the column of the sample ids with --id-column NAME"


def plain(name: str) -> str:
    """A column's name without case, a leading "#" and the way its words are joined."""
    return re.sub(r"[ ._()-]+", "_", name.strip().removeprefix("#").lower()).strip("_")


def find_id_column(
    path: Path,
    header: Sequence[str],
    wanted: str | None,
    snps: Collection[str] | None,
    usual: Sequence[str] = ID_COLUMNS,
) -> str:
    """Column of the sample ids in a table with samples in rows.

    Parameters
    ----------
    path : Path
    header : sequence of str
    wanted : str, optional
        What a person named.
    snps : collection of str, optional
        Names that are SNPs and never the id column.
    usual : sequence of str, optional
        Names that it may have, the best first.

    Raises
    ------
    NoSampleColumn
        `wanted` is not there; or no column, or more than one, has a usual name.
    """
    known = frozenset(snps or ())
    others = [name for name in header if name not in known]
    if wanted is not None:
        if wanted in header:
            return wanted
        raise NoSampleColumn(
            f"{path} has no column {wanted!r}; found {quoted(others)}", _SAY_ID_COLUMN
        )
    by_plain_name: dict[str, list[str]] = {}
    for name in dict.fromkeys(others):
        by_plain_name.setdefault(plain(name), []).append(name)
    for usual_name in usual:
        match by_plain_name.get(usual_name, ()):
            case [name]:
                return name
            case [_, *_] as names:
                raise NoSampleColumn(
                    f"{path} has more than one column that may hold the sample ids: "
                    f"{quoted(names)}",
                    "name the one to use with --id-column NAME",
                )
    if known and len(others) == 1:
        return others[0]
    raise NoSampleColumn(
        f"{path} has no column with a usual name for sample ids such as "
        f"{quoted(usual[:3])}; found {quoted(others)}",
        _SAY_ID_COLUMN,
    )
