"""The rows of a scoring file as columns of texts, whatever the columns mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from snpredict.errors import BadWeights, NoRows, RaggedRow
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.text_columns import integers, texts, without

#: Spellings of "not known".
GAPS = ("", ".", "NA", "N/A", "nan", "NaN", "NR", "None")

_BLOCK_BYTES = 1 << 24

#: Not what Python takes for a number: 1_000 and ١٢ are none in a table.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

_SPACES = re.compile(rb"[ \t]+")
_AT_ENDS = re.compile(rb"^[ \t]+|[ \t]+$", re.MULTILINE)


@dataclass(frozen=True)
class ScoreTable:
    """Columns of a scoring file.

    Attributes
    ----------
    path : Path
    first_line : int
        Number of the line of the first row.
    columns : Table
        Texts without spaces around them.
    """

    path: Path
    first_line: int
    columns: pa.Table

    def __len__(self) -> int:
        return len(self.columns)

    def column(self, name: str) -> pa.Array:
        """A column with gaps for what is not known; gaps alone where the file lacks it."""
        if name not in self.columns.column_names:
            return pa.nulls(len(self), pa.string())
        return without(self.columns[name], GAPS)

    def line(self, row: int) -> str:
        """Where a row is, in words."""
        return f"{self.path}, line {self.first_line + row}"

    def numbers(self, name: str, needed: bool) -> np.ndarray:
        """A column of finite numbers, (rows,) float64; NaN for gaps, where they may be.

        Raises
        ------
        BadWeights
        """
        column = self.columns[name] if needed else self.column(name)
        try:
            values = _floats(column)
        except pa.ArrowInvalid:
            values = np.array([_number(text) for text in column.to_pylist()])
        there = integers(pc.is_valid(column)) > 0
        wrong = np.flatnonzero(there & ~np.isfinite(values))
        if len(wrong):
            row = int(wrong[0])
            raise BadWeights(
                f"{self.line(row)}, column {name!r}: found {column[row].as_py()!r}, expected a "
                "finite number",
                "remove the line, or give the variant its weight",
            )
        return values


def _floats(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    numbers = texts(column).cast(pa.float64())
    bits, values = numbers.buffers()
    found = np.frombuffer(values or b"", np.float64)[: len(numbers)]
    if not numbers.null_count:
        return found
    there = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[: len(numbers)]
    return np.where(there, found, np.nan)


def _number(text: str | None) -> float:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else np.nan


def read_score_table(
    source: TextSource,
    first_line: int,
    n_columns: int,
    keep: Mapping[str, int],
    any_spaces: bool = False,
) -> ScoreTable:
    """The rows below a scoring file's header.

    Parameters
    ----------
    source : TextSource
    first_line : int
        Number of the first row's line.
    n_columns : int
    keep : mapping of str to int
        Places of the columns that are kept, by the names they get.
    any_spaces : bool
        Whether runs of spaces and tabs set cells apart; else one tab does.

    Raises
    ------
    RaggedRow
        A line has another number of columns, or is blank and not at the end.
    NoRows
    NotATable, TruncatedFile
        See `TextSource`.
    """
    names = [str(place) for place in range(n_columns)]
    parts: list[pa.Table] = []
    blank = 0
    for number, text in source.chunks(_BLOCK_BYTES):
        if first_line > number:
            pieces = text.split(b"\n", first_line - number)
            number, text = number + len(pieces) - 1, pieces[-1]
        rows = text.rstrip(b"\n")
        within = 0 if rows.startswith(b"\n") else rows.find(b"\n\n") + 1
        if within or rows.startswith(b"\n"):
            blank = blank or number + rows.count(b"\n", 0, within)
        if blank and rows:
            raise RaggedRow(f"{source.path}, line {blank}: the line is blank, and others follow")
        if len(text) > len(rows) + 1 or (text and not rows):
            blank = blank or number + (rows.count(b"\n") + 1 if rows else 0)
        if not rows:
            continue
        if any_spaces:
            rows = _SPACES.sub(b"\t", _AT_ENDS.sub(b"", rows))
        parts.append(_parsed(source.path, number, rows + b"\n", names).select(_named(keep)))
    if not parts:
        raise NoRows(f"{source.path} has a header and no variants")
    table = pa.concat_tables(parts).combine_chunks().rename_columns(list(keep))
    trimmed = {name: pc.utf8_trim_whitespace(table[name]) for name in keep}
    return ScoreTable(source.path, first_line, pa.table(trimmed))


def _named(keep: Mapping[str, int]) -> Sequence[str]:
    return [str(place) for place in keep.values()]


def _parsed(path: Path, first: int, rows: bytes, names: Sequence[str]) -> pa.Table:
    try:
        return csv.read_csv(
            pa.BufferReader(rows),
            csv.ReadOptions(use_threads=False, block_size=len(rows), column_names=names),
            csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        for number, line in enumerate(rows.split(b"\n"), first):
            found = line.count(b"\t") + 1
            if found != len(names):
                raise RaggedRow(
                    f"{path}, line {number}: found {found} columns, expected {len(names)}"
                ) from None
        raise
