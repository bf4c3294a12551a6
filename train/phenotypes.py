"""Phenotypes in a file of their own, joined to the table of genotypes by sample id."""

import math
from dataclasses import dataclass
from pathlib import Path

from snpredict.genotypes.columns import quoted
from snpredict.genotypes.table import WideTable
from train.errors import PhenotypeFileError


@dataclass(frozen=True)
class PhenotypeFile:
    """A table of samples without genotypes: traits, folds, families.

    Attributes
    ----------
    id_column : str
    row_of : dict of str to int
        Row of every sample id.
    columns : dict of str to list of str
        The other columns as text, one entry per row.
    """

    path: Path
    id_column: str
    row_of: dict[str, int]
    columns: dict[str, list[str]]


def read_phenotypes(path: Path) -> PhenotypeFile:
    """Read a phenotype file: TSV or CSV, one row per sample, the ids found as in a table.

    Raises
    ------
    SnpredictError
        What the table reader finds: no column of ids, an id that occurs twice, a ragged row.
    """
    table = WideTable(path)
    names = [name for name in table.header if name != table.id_column]
    samples: list[str] = []
    columns: dict[str, list[str]] = {name: [] for name in names}
    for block in table.blocks([], columns=names):
        samples += block.samples
        for name, texts in columns.items():
            texts += block.columns[name]
    return PhenotypeFile(
        path=path,
        id_column=table.id_column,
        row_of={sample: row for row, sample in enumerate(samples)},
        columns=columns,
    )


def matching_rows(path: Path, samples: list[str], phenotypes: PhenotypeFile) -> list[int]:
    """Rows of the phenotype file in the table's order."""
    known = set(samples)
    without = [sample for sample in samples if sample not in phenotypes.row_of]
    extra = [sample for sample in phenotypes.row_of if sample not in known]
    problems = [
        f"{len(ids)} of the {total} samples of {one} are not in {other}: {quoted(ids)}"
        for ids, total, one, other in (
            (without, len(samples), path, phenotypes.path),
            (extra, len(phenotypes.row_of), phenotypes.path, path),
        )
        if ids
    ]
    if problems:
        raise PhenotypeFileError(
            "; ".join(problems),
            "give both files the same samples; one that was not measured may hold NA, and the ids' "
            "column of the table can be named with --id-column",
        )
    return [phenotypes.row_of[sample] for sample in samples]


def differences(
    path: Path,
    phenotypes: PhenotypeFile,
    name: str,
    samples: list[str],
    in_table: list[str],
    in_file: list[str],
) -> list[str]:
    """A note when a column of both files does not hold the same; numbers compare as numbers."""
    differing = [
        row
        for row, (one, two) in enumerate(zip(in_table, in_file, strict=True))
        if one != two and not _same_number(one, two)
    ]
    if not differing:
        return []
    row = differing[0]
    return [
        f"column '{name}' is in both files and differs in {len(differing)} of {len(samples)} "
        f"samples, the first being {samples[row]} ('{in_table[row]}' in {path.name}, "
        f"'{in_file[row]}' in {phenotypes.path.name}): taken from {phenotypes.path.name}"
    ]


def _same_number(one: str, two: str) -> bool:
    try:
        return float(one) == float(two) or (math.isnan(float(one)) and math.isnan(float(two)))
    except ValueError:
        return False
