"""Phenotypes: texts as numbers, and a file of their own joined to the genotypes by sample id."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.errors import DuplicateSample, NoSampleColumn
from snpredict.genotypes.tables.wide import WideTable
from snpredict.names import quoted, short
from train.data.repeats import Lines, repeated_ids
from train.errors import NonNumericPhenotype, PhenotypeFileError

#: Only words stand for a missing phenotype: −9 and −1 may be measurements.
_MISSING = frozenset(("", "nan", "na", ".", "-"))
#: Numbers that some programs write for a missing phenotype.
_STAND_INS = (-9, -99, -999, -9999)
#: A text trait of more different words is a name, not a class.
_MOST_CLASSES = 9
#: Not what Python takes for a number: 1_000 and ١٢ are none in a table.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class PhenotypeFile:
    """A table of samples without genotypes: traits, folds, families.

    Attributes
    ----------
    id_column : str
    lines : Lines
        Which rows are which sample.
    columns : dict of str to list of str
        The other columns as text, one entry per row.
    """

    path: Path
    id_column: str
    lines: Lines
    columns: dict[str, list[str]]


def read_phenotypes(
    path: Path, *, id_column: str | None = None, repeats: bool = False
) -> PhenotypeFile:
    """Read a phenotype file: TSV or CSV, the ids found as in a table.

    Parameters
    ----------
    id_column : str, optional
        Holds the ids where the file has it; it may be that of the genotypes alone.
    repeats : bool
        Whether a sample may have several rows.

    Raises
    ------
    SnpredictError
        What the table reader finds: no column of ids, an id that occurs twice, a ragged row.
    """
    try:
        table = WideTable(path, id_column=id_column)
    except NoSampleColumn:
        if id_column is None:
            raise
        table = WideTable(path)
    names = [name for name in table.header if name != table.id_column]
    samples: list[str] = []
    columns: dict[str, list[str]] = {name: [] for name in names}
    try:
        for block in table.blocks([], columns=names, repeats=repeats):
            samples += block.samples
            for name, texts in columns.items():
                texts += block.columns[name]
    except DuplicateSample as error:
        raise repeated_ids(error) from None
    return PhenotypeFile(path, table.id_column, Lines.of(path, samples), columns)


def number_of(text: str) -> float | None:
    """A decimal number in ASCII digits; NaN where missing, None where it is neither."""
    if text.lower() in _MISSING:
        return math.nan
    value = float(text) if _NUMBER.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None


def numbers(path: Path, trait: str, samples: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """A trait's texts as float64, NaN where missing.

    Raises
    ------
    NonNumericPhenotype
        A text is not a decimal number. A trait of words is told from a slip in a cell.
    """
    values = [number_of(text) for text in texts]
    wrong = [row for row, value in enumerate(values) if value is None]
    if not wrong:
        return np.array(values, np.float64)
    words = list(dict.fromkeys(texts[row] for row in wrong))
    measured = sum(value is None or math.isfinite(value) for value in values)
    if len(wrong) > measured / 2 and not any(map(_slip, words)):
        hint = "name the column of the phenotype with --trait"
        if len(wrong) == measured and len(words) <= _MOST_CLASSES:
            codes = "two values can be coded 0 and 1"
            if len(words) > 2:
                codes = "ordered classes can be coded 1, 2, 3 and so on"
            hint += (
                f"; classes are not predicted: a trait of {codes}, and is then learned as a number "
                "like any other"
            )
        raise NonNumericPhenotype(
            f"{path}: trait '{trait}' holds text such as {quoted(words, 3)} in {len(wrong)} of "
            f"{measured} samples; expected numbers such as 12.5, or NA where it was not measured",
            hint,
        )
    row = wrong[0]
    more = f" ({len(wrong) - 1} more are not numbers either)" if len(wrong) > 1 else ""
    raise NonNumericPhenotype(
        f"{path}: trait '{trait}' of sample '{samples[row]}' is {short(texts[row])}{more}; "
        "expected a number such as 12.5, or NA where it was not measured",
        _slip(texts[row]) or "correct the value, or write NA",
    )


def _slip(text: str) -> str:
    """What to do about a text that means a number but is not written as one; else empty."""
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text):
        return "write decimals with a point"
    if text.lower().lstrip("+-") in ("inf", "infinity"):
        return "a phenotype is finite: correct the value, or write NA"
    if re.fullmatch(r"[+-]?[0-9]{1,3}(?:[,.' \u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?", text):
        return "write numbers without signs between the thousands, and decimals with a point"
    if re.fullmatch(
        r"[+-]?[0-9]+(?:[.,][0-9]+)?(?: *[^\w .,-]{1,2}| +[^0-9.,]{1,8}|[ck]?[mg])", text
    ):
        return "write the number alone, decimals with a point; the unit is given with --unit"
    try:
        float(text)
    except ValueError:
        return ""
    if _NUMBER.fullmatch(text):
        return "the number is too large: rescale the trait"
    return "write numbers in the digits 0 to 9, without signs between them"


def require_binary(path: Path, trait: str, samples: Sequence[str], values: np.ndarray) -> None:
    """Refuse a binary trait with other values than 0 and 1.

    Parameters
    ----------
    values : ndarray (samples,) of float64
        NaN where missing.

    Raises
    ------
    NonNumericPhenotype
        There is one; the first is named.
    """
    wrong = np.flatnonzero(np.isfinite(values) & (values != 0) & (values != 1))
    if len(wrong):
        raise NonNumericPhenotype(
            f"{path}: trait '{trait}' of sample '{samples[wrong[0]]}' is {values[wrong[0]]:g} "
            f"({len(wrong)} such values); expected 0 or 1, or NA where it was not measured",
            "code the trait 0 and 1, or leave it out of --binary to learn it as a number",
        )


def stand_in(trait: str, values: np.ndarray) -> str:
    """A note where a trait's only negative value looks like a code for "not measured"; else empty.

    Parameters
    ----------
    values : ndarray of float64
        As the file holds them, NaN where missing.
    """
    negative = values[values < 0]
    if not len(negative) or np.ptp(negative) or negative[0] not in _STAND_INS:
        return ""
    return (
        f"trait '{trait}' is {negative[0]:g} in {len(negative)} of {len(values)} rows and nowhere "
        "else below 0: read as measured; write NA where it was not"
    )


def joined(
    path: Path, samples: Sequence[str], left_out: Sequence[str], phenotypes: PhenotypeFile
) -> tuple[list[int], str]:
    """Where the phenotypes of genotyped samples are, and a note on what is on one side only.

    Parameters
    ----------
    path : Path
        The genotypes.
    samples : sequence of str
        Those that the phenotype file has too.
    left_out : sequence of str
        The other samples of the genotypes.

    Returns
    -------
    order : list of int
        Places of `samples` among the lines of the phenotype file.
    note : str
        Empty where both files hold the same samples.

    Raises
    ------
    PhenotypeFileError
        The files have no sample in common, or a single one.
    """
    ids = phenotypes.lines.ids
    if len(samples) < 2:
        count = f"sample {short(samples[0])} alone" if samples else "no sample"
        raise PhenotypeFileError(
            f"{path} and {phenotypes.path} have {count} in common: found "
            f"{quoted([*samples, *left_out])} and {quoted(ids)}",
            f"spell the samples alike in both files; the ids of {phenotypes.path.name} are those "
            f"of column {phenotypes.id_column!r}: --id-column names another one",
        )
    known = set(samples)
    extra = [sample for sample in ids if sample not in known]
    parts = [
        f"{len(lone):,} of the {total:,} samples of {one.name} are not in {other.name} and are "
        f"left out: {quoted(lone)}"
        for lone, total, one, other in (
            (left_out, len(samples) + len(left_out), path, phenotypes.path),
            (extra, len(ids), phenotypes.path, path),
        )
        if lone
    ]
    place = {sample: at for at, sample in enumerate(ids)}
    return [place[sample] for sample in samples], "; ".join(parts)


def differences(
    path: Path,
    phenotypes: PhenotypeFile,
    name: str,
    samples: Sequence[str],
    in_table: Sequence[str],
    in_file: Sequence[str],
) -> list[str]:
    """A note when a column of both files does not hold the same; numbers compare as numbers.

    Without repeated samples; `samples`, and the texts of both files, are those of the table's rows.
    """
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
    first, second = number_of(one), number_of(two)
    if first is None or second is None:
        return False
    return first == second or (math.isnan(first) and math.isnan(second))
