"""Delimited text: the header, then rows in chunks, cell by cell.

Most bytes of a genotype table are one-character cells. A chunk of whole lines is therefore parsed
as one numpy array: the positions of the separators give every cell's end and width, and the
cell's bytes index a look-up table. Rows that this pass cannot settle (escaped quotes, the wrong
number of columns, an unknown cell) are read one by one, where errors get their words.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from snpredict.errors import BadGenotype, NotATable, RaggedRow
from snpredict.genotypes.coding import UNKNOWN, Coding
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.tables.cells import VALUE_OF, bad_genotype, decode, locate
from snpredict.genotypes.tables.snp_columns import FIRST_ROWS
from snpredict.names import short

#: Small enough that a chunk and its index arrays stay in the processor's cache.
BLOCK_BYTES = 1 << 19
MAX_BLOCK_BYTES = 1 << 30

#: Unpacked bytes that are looked at to tell what a column holds, at most.
_FIRST_BYTES = 1 << 24

#: Blanks that separate no cells, in a file whose cells are separated by blanks.
_UNEVEN = re.compile(rb"^ |  | $", re.MULTILINE)

_KINDS = {
    "vcf": "a VCF file",
    "bcf": "a BCF file",
    "bed": "a PLINK .bed file",
    "pgen": "a PLINK 2 .pgen file",
    "hapmap": "a HapMap file",
    "parquet": "a Parquet file",
    "raw": "a PLINK .raw file",
}


class DelimitedText:
    """A table as text, of which only the header has been read.

    Parameters
    ----------
    path : Path
    bad_cell : str
        The way out of a cell that is no genotype.
    formats : collection of str, optional
        What the file's beginning may look like; see `snpredict.choices.INPUT_FORMATS`.
    coding : str, optional
        One of `snpredict.choices.CODINGS`, where a person says it.

    Attributes
    ----------
    source : TextSource
    coding : Coding
    delimiter : str
    format : str
        ``"tsv"`` or ``"csv"``, by the header line; also of a .raw that is to be read as a table.
    header : list of str
        Column names, stripped.

    Raises
    ------
    FileNotFound, EmptyFile, TruncatedFile
        The file cannot be opened or unpacked.
    NotATable
        The file is binary, another format, or its header has neither a tab nor a comma.
    """

    def __init__(
        self,
        path: Path,
        bad_cell: str,
        formats: Collection[str] = ("table",),
        coding: str | None = None,
    ):
        self.source = TextSource(path)
        self.path = path
        self._bad_cell = bad_cell
        found = self.source.format
        if found not in formats:
            raise _other_format(path, found)
        line = next(self.source.chunks(1 << 16))[1].partition(b"\n")[0]
        if found != "table" and line.startswith(b"##"):
            raise _other_format(path, found)
        self.delimiter = _delimiter(path, line, found)
        self.format = "tsv" if self.delimiter == "\t" else "csv"
        self.header = [name.strip() for name in self.cells(line, 1)]
        self.coding = Coding(path, coding)

    def rows(self, block_bytes: int = BLOCK_BYTES) -> Iterator["LocatedRows | SplitRows"]:
        """All rows below the header, chunk by chunk; a chunk may have none.

        Parameters
        ----------
        block_bytes : int
            Unpacked bytes per chunk, about; memory use is some ten times as much.

        Raises
        ------
        RaggedRow, NotATable, TruncatedFile
            A row is wrong: number of columns, quotes, bytes. Raised instead of its chunk.
        """
        for first_line, text in self.source.chunks(min(block_bytes, MAX_BLOCK_BYTES)):
            if first_line == 1:
                first_line, text = 2, text[text.index(b"\n") + 1 :]
            located = locate(text, self.delimiter, len(self.header))
            if located is None or (self.delimiter == " " and _UNEVEN.search(text)):
                yield SplitRows(self, text, first_line)
            else:
                yield LocatedRows(self, text, first_line, *located)

    def first_cells(self, columns: list[int]) -> list[list[str]]:
        """Stripped cells of the first rows, per column; rows that are too short are left out."""
        found: list[list[str]] = [[] for _ in columns]
        size = 0
        for number, line in self.source.lines(1 << 16):
            size += len(line)
            if number > 1 + FIRST_ROWS or size > _FIRST_BYTES:
                break
            cells = self.cells(line, number, max(columns) + 1)
            if number > 1 and len(cells) > max(columns):
                for values, index in zip(found, columns, strict=True):
                    values.append(cells[index].strip())
        return found

    def cells(self, line: bytes, number: int, at_most: int = -1) -> list[str]:
        """Cells of one line; split no further than `at_most` where that saves time."""
        text = line.decode()
        if self.delimiter == " ":
            return [cell for cell in text.split(" ") if cell]
        if '"' not in text:
            return text.split(self.delimiter, at_most)
        try:
            return next(csv.reader([text], delimiter=self.delimiter, strict=True))
        except csv.Error:
            raise NotATable(
                f"{self.path}, line {number}: a quoted cell is not closed, or text follows its "
                "closing quote",
                'a quote within a quoted cell is written ""; line breaks within cells are not read',
            ) from None

    def values_of_row(self, cells: list[str], number: int, columns: Sequence[int]) -> np.ndarray:
        """Values (columns,) int8 of a line's cells, none of them `UNKNOWN`."""
        wanted = [cells[index] for index in columns]
        # map and not a comprehension: a file of oddly padded cells comes here for every row.
        found = list(map(VALUE_OF.get, map(str.lower, map(str.strip, wanted))))
        values = np.array([UNKNOWN if value is None else value for value in found], np.int8)
        unread = self.coding.unread(values)
        if unread.any():
            raise self._bad_genotype(number, columns[int(unread.argmax())], cells)
        return values

    def _bad_genotype(self, number: int, column: int, cells: list[str]) -> BadGenotype:
        place = f"{self.path}, line {number}, column {self.header[column]!r}"
        return bad_genotype(place, short(cells[column]), self.coding, self._bad_cell)

    def ragged(self, number: int, found: int) -> RaggedRow:
        """The error for a line with `found` cells."""
        expected = len(self.header)
        hint = None
        if number == 2 and found == expected + 1:
            hint = (
                "R's write.table leaves out the header of the row names: "
                "write the table with col.names = NA"
            )
        return RaggedRow(
            f"{self.path}, line {number}: found {found} columns, expected {expected} as in the "
            "header",
            hint,
        )


class LocatedRows:
    """Rows of a chunk whose cells have all been located.

    Attributes
    ----------
    lines : sequence of int
        Number of each row's line.
    """

    def __init__(
        self,
        table: DelimitedText,
        text: bytes,
        first_line: int,
        data: np.ndarray,
        starts: np.ndarray,
        ends: np.ndarray,
    ):
        self._table = table
        self._text = text
        self._data, self._starts, self._ends = data, starts, ends
        self.lines: Sequence[int] = range(first_line, first_line + len(starts))

    def texts(self, column: int) -> list[str]:
        """Stripped cells of one column."""
        starts, ends = self._starts[:, column].tolist(), self._ends[:, column].tolist()
        return [
            self._text[start:end].decode().strip() for start, end in zip(starts, ends, strict=True)
        ]

    def codes(
        self, columns: "slice | np.ndarray", rows: "slice | list[int]" = slice(None)
    ) -> np.ndarray:
        """Codes (rows, columns) int8.

        Raises
        ------
        BadGenotype
            A cell is none.
        """
        starts, ends = self._starts[rows], self._ends[rows]
        coding = self._table.coding
        values = decode(self._data, starts[:, columns], ends[:, columns])
        unsettled = np.flatnonzero(coding.unread(values).any(axis=1)).tolist()
        if unsettled:
            lines = self._text.split(b"\n")
            chosen = range(len(self.lines))[rows] if isinstance(rows, slice) else rows
            indices = np.arange(len(self._table.header))[columns].tolist()
            for row in unsettled:
                at = chosen[row]
                cells = self._table.cells(lines[at], self.lines[at])
                values[row] = self._table.values_of_row(cells, self.lines[at], indices)
        return coding.codes(values)


class SplitRows:
    """Rows of a chunk that were read one by one; as `LocatedRows`. Blank lines are none."""

    def __init__(self, table: DelimitedText, text: bytes, first_line: int):
        self._table = table
        self._cells: list[list[str]] = []
        lines: list[int] = []
        for number, line in enumerate(text.split(b"\n"), first_line):
            if not line.strip(b" "):
                continue
            cells = table.cells(line, number)
            if len(cells) != len(table.header):
                raise table.ragged(number, len(cells))
            lines.append(number)
            self._cells.append(cells)
        self.lines: Sequence[int] = lines

    def texts(self, column: int) -> list[str]:
        """See `LocatedRows.texts`."""
        return [cells[column].strip() for cells in self._cells]

    def codes(
        self, columns: "slice | np.ndarray", rows: "slice | list[int]" = slice(None)
    ) -> np.ndarray:
        """See `LocatedRows.codes`."""
        indices = np.arange(len(self._table.header))[columns].tolist()
        chosen = range(len(self.lines))[rows] if isinstance(rows, slice) else rows
        values = [
            self._table.values_of_row(self._cells[at], self.lines[at], indices) for at in chosen
        ]
        return self._table.coding.codes(
            np.array(values, np.int8).reshape(len(chosen), len(indices))
        )


def _other_format(path: Path, format: str) -> NotATable:
    return NotATable(
        f"{path} looks like {_KINDS[format]}; expected a table",
        "name a table whose columns are separated by tabs or commas; genotypes in other formats "
        "are read where no table is asked for",
    )


def _delimiter(path: Path, line: bytes, format: str) -> str:
    if b"\t" in line:
        return "\t"
    if format == "raw":
        return " "
    if b"," in line:
        return ","
    if not line.strip():
        raise NotATable(f"{path}: the first line is blank", "the first line must name the columns")
    hint = "separate the columns by tabs or commas"
    if b";" in line:
        hint += ", not by semicolons"
    elif b" " in line.strip():
        hint += ", not by spaces"
    if line.startswith(b"###PGS"):
        hint = f"it is a file of weights; to make a model of it: snpredict import {path} --out DIR"
    raise NotATable(f"{path} has neither a tab nor a comma in its first line", hint)
